"""What is kept of a caller: it saves look-ups, and is forgotten with what it was about."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import event, text

from syncline.apps.accounts.facade import LocalKeyRing, build
from syncline.apps.accounts.kept import Kept, forget
from syncline.apps.accounts.keys.bearer import new_bearer
from syncline.apps.accounts.settings import AccountsSettings
from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.engine import Database

ANN, BOB = UUID(int=1), UUID(int=2)
Signed = dict[str, Any]


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIFETIME = timedelta(seconds=2)


@pytest.fixture
def kept() -> Kept[str]:
    return Kept(LIFETIME, most=3)


@pytest.mark.parametrize(("later", "found"), [(1.9, "ann"), (2.0, None), (-1.9, "ann"), (-2.0, None)])
def test_what_is_kept_is_there_until_it_is_too_old_or_the_clock_was_set(
    kept: Kept[str], later: float, found: str | None
) -> None:
    with clock.frozen(NOON):
        kept.keep("a", "ann", about=ANN, looked_up=kept.moment)
    with clock.frozen(NOON + timedelta(seconds=later)):
        assert kept.find("a") == found


def test_forgetting_takes_everything_about_one_and_nothing_about_another(kept: Kept[str]) -> None:
    for key, about in (("a", ANN), ("b", BOB), ("c", ANN)):
        kept.keep(key, key, about=about, looked_up=kept.moment)
    forget(ANN)
    assert [kept.find(key) for key in "abc"] == [None, "b", None]


def test_what_was_looked_up_before_a_change_is_not_kept_after_it(kept: Kept[str]) -> None:
    looked_up = kept.moment
    forget(BOB)
    kept.keep("a", "ann", about=ANN, looked_up=looked_up)
    assert kept.find("a") is None


def test_no_more_is_kept_than_stated_and_the_oldest_goes_first(kept: Kept[str]) -> None:
    for key in "abcd":
        kept.keep(key, key, about=ANN, looked_up=kept.moment)
    assert [kept.find(key) for key in "abcd"] == [None, "b", "c", "d"]


def test_a_lifetime_of_nothing_keeps_nothing() -> None:
    kept: Kept[str] = Kept(timedelta(0))
    kept.keep("a", "ann", about=ANN, looked_up=kept.moment)
    assert kept.find("a") is None


class Statements:
    """How many transactions of a tenant were begun."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        event.listen(database.engine.sync_engine, "before_cursor_execute", self._seen)

    def _seen(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self.count += "set_config" in statement


async def test_a_key_that_is_used_again_costs_no_transaction(
    ring: LocalKeyRing, database: Database, tenant_id: TenantId
) -> None:
    bearer = (await ring.create_key(tenant_id=tenant_id, name="n", role="viewer", created_by="a test")).bearer
    first = await ring.authenticate(bearer=bearer)
    seen = Statements(database)
    assert await ring.authenticate(bearer=bearer) == first is not None
    assert seen.count == 0


async def test_a_wrong_secret_is_never_taken_for_the_one_that_is_kept(ring: LocalKeyRing, tenant_id: TenantId) -> None:
    bearer = (await ring.create_key(tenant_id=tenant_id, name="n", role="viewer", created_by="a test")).bearer
    assert await ring.authenticate(bearer=bearer) is not None
    changed = bearer[:-1] + ("A" if bearer[-1] != "A" else "B")
    assert await ring.authenticate(bearer=changed) is None
    elsewhere = bearer.replace(tenant_id.hex, UUID(int=9).hex)
    assert await ring.authenticate(bearer=elsewhere) is None


async def test_a_session_that_is_used_again_costs_no_transaction_of_its_own(
    ring: LocalKeyRing, database: Database, ada: Signed
) -> None:
    first = await ring.authenticate(bearer=ada["access_token"])
    seen = Statements(database)
    assert await ring.authenticate(bearer=ada["access_token"]) == first is not None
    assert seen.count == 0


async def test_many_requests_at_once_with_what_is_not_kept_yet_are_one_look_up(
    ring: LocalKeyRing, database: Database, tenant_id: TenantId, ada: Signed
) -> None:
    bearer = (await ring.create_key(tenant_id=tenant_id, name="n", role="viewer", created_by="a test")).bearer
    seen = Statements(database)
    found = await asyncio.gather(*(ring.authenticate(bearer=one) for one in [bearer, ada["access_token"]] * 20))
    assert len(found) == 40
    assert None not in found
    # The key is read and its use noted; the session was noted when it began.
    assert seen.count == 3


async def test_a_key_that_is_not_valid_is_refused_again_without_a_look_up_for_the_stated_time(
    ring: LocalKeyRing, database: Database, settings: AccountsSettings, tenant_id: TenantId
) -> None:
    bogus = new_bearer(tenant_id).text
    with clock.frozen(NOON):
        assert await ring.authenticate(bearer=bogus) is None
        seen = Statements(database)
        assert await ring.authenticate(bearer=bogus) is None
        assert seen.count == 0
    with clock.frozen(NOON + settings.refused_keys_kept):
        assert await ring.authenticate(bearer=bogus) is None
        assert seen.count == 1


async def test_a_key_made_after_bogus_ones_of_its_tenant_were_refused_works_at_once_in_every_process(
    ring: LocalKeyRing, runtime: Runtime, tenant_id: TenantId
) -> None:
    another_process = build(runtime)
    for one in (ring, another_process):
        assert await one.authenticate(bearer=new_bearer(tenant_id).text) is None
    made = await ring.create_key(tenant_id=tenant_id, name="n", role="viewer", created_by="a test")
    near = made.bearer[:-1] + ("A" if made.bearer[-1] != "A" else "B")
    for one in (ring, another_process):
        assert await one.authenticate(bearer=near) is None
        assert (await one.authenticate(bearer=made.bearer)) is not None


async def test_a_key_ends_at_its_end_though_it_is_kept(ring: LocalKeyRing, tenant_id: TenantId) -> None:
    with clock.frozen(NOON):
        issued = await ring.create_key(
            tenant_id=tenant_id, name="n", role="viewer", created_by="a test", expires_at=NOON + timedelta(seconds=1)
        )
        assert await ring.authenticate(bearer=issued.bearer) is not None
    with clock.frozen(NOON + timedelta(seconds=1)):
        assert await ring.authenticate(bearer=issued.bearer) is None


async def test_the_process_that_revokes_a_key_takes_it_no_more(ring: LocalKeyRing, tenant_id: TenantId) -> None:
    issued = await ring.create_key(tenant_id=tenant_id, name="n", role="viewer", created_by="a test")
    assert await ring.authenticate(bearer=issued.bearer) is not None
    await ring.revoke_key(tenant_id=tenant_id, key_id=issued.key.id)
    assert await ring.authenticate(bearer=issued.bearer) is None


REVOKED = text("UPDATE accounts.api_key SET revoked_at = now() WHERE id = :id")
ENDED = text("UPDATE accounts.session SET ended_at = now() WHERE id = :id")


async def test_what_another_process_revoked_is_taken_for_the_stated_time_and_no_longer(
    ring: LocalKeyRing, database: Database, settings: AccountsSettings, tenant_id: TenantId
) -> None:
    issued = await ring.create_key(tenant_id=tenant_id, name="n", role="viewer", created_by="a test")
    with clock.frozen(NOON):
        assert await ring.authenticate(bearer=issued.bearer) is not None
    async with database.writing(tenant_id) as session:
        await session.execute(REVOKED, {"id": issued.key.id})
    with clock.frozen(NOON + settings.standing_kept):
        assert await ring.authenticate(bearer=issued.bearer) is None


async def test_a_session_that_another_process_ended_is_over_after_the_stated_time(
    client: httpx.AsyncClient, database: Database, settings: AccountsSettings, ada: Signed
) -> None:
    headers = {"Authorization": f"Bearer {ada['access_token']}"}
    assert (await client.get("/api/auth/me", headers=headers)).status_code == 200
    async with database.writing(TenantId(UUID(ada["tenant"]["id"]))) as session:
        await session.execute(ENDED, {"id": ada["session_id"]})
    with clock.frozen(clock.now() + settings.standing_kept):
        assert (await client.get("/api/auth/me", headers=headers)).status_code == 401
