"""Tokens that end: renewed once, ahead of time, by one of many; and nothing lost when that one dies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncline.apps.commerce.contract import PullMode
from syncline.apps.commerce.contract.connecting import StoreAccess
from syncline.apps.commerce.facade import LocalCommerce, build
from syncline.apps.commerce.stores import service
from syncline.apps.commerce.stores.connection import client_of
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.stores.tokens import renewal
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.stores.tokens.jobs import RENEW_JOB, find_ending, renew_token
from syncline.apps.commerce.stores.tokens.renewal import renew
from syncline.apps.commerce.stores.tokens.source import AccessEnded, StoreTokens
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.oauth_client import CredentialsRefused, GrantRefused
from syncline.kernel import clock
from syncline.kernel.errors import Retriable, Unavailable
from syncline.kernel.ids import new_id
from syncline.runtime.app import Runtime
from syncline.runtime.jobs import JobContext
from syncline.sandbox.shopify.faults import Fault
from syncline.sandbox.shopify.options import SandboxOptions

Merchant = Any


@pytest.fixture
async def joined(merchant: Merchant) -> Merchant:
    await merchant.install(name="demo")
    return merchant


@contextmanager
def after(**later: float) -> Iterator[None]:
    with clock.frozen(clock.now() + timedelta(**later)):
        yield


async def row_of(joined: Merchant) -> StoreRow:
    async with joined.commerce.runtime.database.reading(joined.actor.tenant_id) as session:
        return await service.get(session, "demo")


async def access_of(joined: Merchant) -> StoreAccess:
    found: StoreAccess
    (found,) = await joined.commerce.list_access(actor=joined.actor, store="demo")
    return found


def world(joined: Merchant) -> Any:
    return joined.shop.web.state.engine.world


def another_process(joined: Merchant) -> LocalCommerce:
    """The same database and secrets, and nothing of this process's memory."""
    here = joined.commerce.runtime
    return build(Runtime(database=here.database, queue=here.queue, secrets=here.secrets, settings=here.settings))


async def ask(client: ShopifyClient) -> str:
    return str((await client.execute("{shop{name}}", idempotent=True)).data["shop"]["name"])


async def renewed(joined: Merchant, commerce: LocalCommerce | None = None) -> bool:
    row = await row_of(joined)
    runtime = (commerce or joined.commerce).runtime
    return await renew(runtime, joined.actor.tenant_id, row.store.id, seen=row.token_sealed)


async def test_a_call_shortly_before_the_end_renews_first(joined: Merchant) -> None:
    runtime = joined.commerce.runtime
    async with client_of(runtime, await row_of(joined)) as client:
        with after(minutes=49):
            assert await ask(client) == "Sandbox Supply"
        assert await joined.grants() == {"authorization_code": 1}
        with after(minutes=51):
            assert await ask(client) == "Sandbox Supply"
    assert await joined.grants() == {"authorization_code": 1, "refresh_token": 1}
    access = await access_of(joined)
    assert access.expires_at is not None
    assert access.expires_at - clock.now() > timedelta(minutes=100)


async def test_a_client_that_lives_for_days_is_never_interrupted(joined: Merchant) -> None:
    async with client_of(joined.commerce.runtime, await row_of(joined)) as client:
        for hours in range(0, 49, 3):
            with after(hours=hours):
                assert await ask(client) == "Sandbox Supply"
    assert (await joined.grants())["refresh_token"] == 16


async def test_of_many_at_once_one_renews(joined: Merchant) -> None:
    """Tasks of two processes meet an ended token."""
    processes = [joined.commerce, another_process(joined)]
    row = await row_of(joined)
    with after(hours=2):
        sources = [
            StoreTokens(one.runtime, joined.actor.tenant_id, row.store.id) for one in processes for _ in range(5)
        ]
        tokens = await asyncio.gather(*(source.current() for source in sources))
    assert len(set(tokens)) == 1
    assert await joined.grants() == {"authorization_code": 1, "refresh_token": 1}


async def test_while_another_renews_a_token_that_is_good_is_used(joined: Merchant) -> None:
    row = await row_of(joined)
    tenant = joined.actor.tenant_id
    runtime = joined.commerce.runtime
    async with runtime.database.writing(tenant) as session:
        await grants.take_lease(session, row.store.id, lease=new_id(), lasts=timedelta(minutes=1))
    with after(minutes=55):
        token = await StoreTokens(runtime, tenant, row.store.id).current()
    assert token == runtime.secrets.open(row.token_sealed or b"")
    assert await joined.grants() == {"authorization_code": 1}


async def test_who_died_while_renewing_holds_nobody_up_for_long(joined: Merchant) -> None:
    row = await row_of(joined)
    runtime, tenant = joined.commerce.runtime, joined.actor.tenant_id
    async with runtime.database.writing(tenant) as session:
        await grants.take_lease(session, row.store.id, lease=new_id(), lasts=timedelta(seconds=-1))
    assert await renewed(joined)


async def test_a_crash_between_shopifys_answer_and_our_commit_loses_nothing(
    joined: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        """As a process that is gone: nothing after it runs."""

    async def die(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(renewal, "_write_down", die)
        patched.setattr(renewal, "LEASE", timedelta(0))
        with pytest.raises(KilledError):
            await renewed(joined)
    assert await joined.grants() == {"authorization_code": 1, "refresh_token": 1}
    with after(minutes=55):
        async with client_of(joined.commerce.runtime, await row_of(joined)) as client:
            assert await ask(client) == "Sandbox Supply"
    assert await joined.grants() == {"authorization_code": 1, "refresh_token": 2}
    assert (await access_of(joined)).trouble is None


async def test_a_database_that_is_away_for_a_moment_loses_nothing(
    joined: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = renewal._write, [Unavailable("The database is away.")]

    async def write(*given: Any) -> bool:
        if left:
            raise left.pop()
        return await real(*given)

    monkeypatch.setattr(renewal, "_write", write)
    monkeypatch.setattr(renewal, "_WAIT_SECONDS", 0)
    assert await renewed(joined)
    assert await joined.grants() == {"authorization_code": 1, "refresh_token": 1}


async def test_who_lost_the_lease_writes_nothing(joined: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow at Shopify, and overtaken: the other's token stands."""
    real = renewal._ask
    other: list[bytes | None] = []

    async def slow(held: Any) -> Any:
        tokens = await real(held)
        monkeypatch.setattr(renewal, "_ask", real)
        assert await renewed(joined)
        other.append((await row_of(joined)).token_sealed)
        return tokens

    monkeypatch.setattr(renewal, "LEASE", timedelta(seconds=-1))
    monkeypatch.setattr(renewal, "_ask", slow)
    await renewed(joined)
    assert (await row_of(joined)).token_sealed == other[0]


async def test_a_refusal_is_told_and_asks_for_consent_once(joined: Merchant) -> None:
    for one in world(joined).authority.refreshes.values():
        one.is_retired = True
    with pytest.raises(GrantRefused):
        await renewed(joined)
    access = await access_of(joined)
    assert access.needs_consent
    assert "has to allow the app again" in str(access.trouble)
    assert not await renewed(joined)
    assert dict(world(joined).authority.refused) == {"refresh_token": 1}


async def test_after_a_refusal_the_old_token_works_until_it_ends(joined: Merchant) -> None:
    for one in world(joined).authority.refreshes.values():
        one.is_retired = True
    async with client_of(joined.commerce.runtime, await row_of(joined)) as client:
        with after(minutes=55):
            assert await ask(client) == "Sandbox Supply"
        with after(minutes=61), pytest.raises(AccessEnded, match="allow the app again"):
            await ask(client)


async def test_consent_given_again_brings_it_back(joined: Merchant) -> None:
    for one in world(joined).authority.refreshes.values():
        one.is_retired = True
    with pytest.raises(GrantRefused):
        await renewed(joined)
    await joined.install(shop="demo")
    access = await access_of(joined)
    assert (access.needs_consent, access.trouble) == (False, None)
    assert await renewed(joined)


async def test_a_secret_that_shopify_does_not_know_is_another_trouble(joined: Merchant) -> None:
    await joined.commerce.set_app(actor=joined.actor, client_id="sandbox-app", secret="another-secret-altogether")
    with pytest.raises(CredentialsRefused):
        await renewed(joined)
    access = await access_of(joined)
    assert "syncline stores app set" in str(access.trouble)
    assert not access.needs_consent
    secret = SandboxOptions().client_secrets[0]
    await joined.commerce.set_app(actor=joined.actor, client_id="sandbox-app", secret=secret)
    assert await renewed(joined)
    assert (await access_of(joined)).trouble is None


async def test_while_shopify_is_not_well_the_token_is_used_and_the_trouble_told(joined: Merchant) -> None:
    world(joined).faults.add(Fault("http_500", match="access_token"))
    with pytest.raises(Retriable):
        await renewed(joined)
    assert (await access_of(joined)).trouble is not None
    async with client_of(joined.commerce.runtime, await row_of(joined)) as client:
        with after(minutes=55):
            assert await ask(client) == "Sandbox Supply"
        with after(minutes=65), pytest.raises(Retriable):
            await ask(client)


async def test_a_token_that_shopify_ended_early_is_renewed_at_the_refusal(joined: Merchant) -> None:
    world(joined).authority.tokens.clear()
    async with client_of(joined.commerce.runtime, await row_of(joined)) as client:
        assert await ask(client) == "Sandbox Supply"
    assert await joined.grants() == {"authorization_code": 1, "refresh_token": 1}


def mine(joined: Merchant, queue: Any) -> list[Any]:
    """What waits for this tenant: the tick looks for all."""
    return [one.payload for one in queue.waiting if (one.job, one.tenant) == (RENEW_JOB, joined.actor.tenant_id)]


async def test_an_answer_that_leaves_things_out_does_not_cost_the_store(
    joined: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen on live shops: a refresh that tells neither an end nor a new refresh token."""
    real = renewal._ask

    async def bare(held: Any) -> Any:
        return replace(await real(held), expires_in=None, refresh_token=None, refresh_expires_in=None)

    with monkeypatch.context() as patched:
        patched.setattr(renewal, "_ask", bare)
        assert await renewed(joined)
    assert (await access_of(joined)).expires_at is None
    world(joined).authority.tokens.clear()
    async with client_of(joined.commerce.runtime, await row_of(joined)) as client:
        assert await ask(client) == "Sandbox Supply"
    assert (await access_of(joined)).expires_at is not None


async def test_the_tick_renews_what_is_due_and_nothing_twice(joined: Merchant, queue: Any) -> None:
    tick = JobContext(joined.commerce.runtime, 1, 1, None)
    work = JobContext(joined.commerce.runtime, 2, 1, joined.actor.tenant_id)
    await find_ending(tick, {})
    assert mine(joined, queue) == []
    with after(minutes=41):
        for _ in range(2):
            await find_ending(tick, {})
        (payload,) = mine(joined, queue)
        for _ in range(2):
            await renew_token(work, dict(payload))
    assert await joined.grants() == {"authorization_code": 1, "refresh_token": 1}


async def test_a_pull_goes_on_over_the_end_of_its_token(joined: Merchant, queue: Any) -> None:
    run = await joined.commerce.start_pull(actor=joined.actor, store="demo", mode=PullMode.FULL)
    with after(hours=3):
        await queue.run_waiting(joined.commerce.runtime)
    ended = await joined.commerce.get_pull(actor=joined.actor, run_id=run.id)
    assert (ended.status, ended.error) == ("completed", None)
    assert (await joined.grants())["refresh_token"] == 1


async def test_client_credentials_are_asked_for_again(merchant: Merchant) -> None:
    await merchant.commerce.connect_by_credentials(
        actor=merchant.actor, shop=merchant.shop.domain, name="demo", base_url=merchant.shop.url
    )
    async with client_of(merchant.commerce.runtime, await row_of(merchant)) as client:
        with after(hours=30):
            assert await ask(client) == "Sandbox Supply"
    assert await merchant.grants() == {"client_credentials": 2}
