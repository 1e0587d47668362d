from __future__ import annotations

from uuid import UUID

import pytest

from syncline.kernel.errors import DomainError, InvalidInput
from syncline.kernel.tenant import TenantId
from syncline.runtime.controls import stops
from syncline.runtime.controls.stops import Mode, Paused, UnderMaintenance, WritesStopped
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession

STORE, OTHER_STORE = UUID(int=1), UUID(int=2)


async def test_nothing_is_stopped_at_first(session: WriteSession) -> None:
    await stops.require_open(session, store_id=STORE)
    assert await stops.list_pauses(session) == []
    assert await stops.installation_stop(session) is None


@pytest.mark.parametrize(
    ("mode", "error", "code"),
    [(Mode.MAINTENANCE, UnderMaintenance, "OPS_001"), (Mode.NO_WRITES, WritesStopped, "OPS_002")],
)
async def test_a_stopped_installation_refuses_everybodys_writes_with_the_reason(
    session: WriteSession, mode: Mode, error: type[DomainError], code: str
) -> None:
    await stops.stop_installation(session, mode, reason="The disk is changed", actor="op")
    with pytest.raises(error, match="The disk is changed") as refused:
        await stops.require_open(session)
    assert (refused.value.status, refused.value.code) == (503, code)
    await stops.stop_installation(session, Mode.OPEN, reason="", actor="op")
    await stops.require_open(session)


async def test_a_paused_tenant_refuses_every_store_of_it(session: WriteSession) -> None:
    await stops.pause(session, store_id=None, reason="Stocktaking", actor="ann")
    with pytest.raises(Paused, match=r"ann paused all changes of this tenant: Stocktaking\.") as refused:
        await stops.require_open(session, store_id=STORE)
    assert (refused.value.status, refused.value.code) == (409, "OPS_003")
    assert await stops.resume(session, store_id=None)
    await stops.require_open(session, store_id=STORE)


async def test_a_paused_store_refuses_no_other(session: WriteSession) -> None:
    await stops.pause(session, store_id=STORE, reason="It moves", actor="ann")
    with pytest.raises(Paused, match="paused this store: It moves"):
        await stops.require_open(session, store_id=STORE)
    await stops.require_open(session, store_id=OTHER_STORE)
    await stops.require_open(session)


async def test_pausing_again_gives_another_reason_and_keeps_since_when(session: WriteSession) -> None:
    first = await stops.pause(session, store_id=STORE, reason="One", actor="ann")
    second = await stops.pause(session, store_id=STORE, reason="Two", actor="ben")
    assert (second.reason, second.actor, second.since) == ("Two.", "ben", first.since)
    assert len(await stops.list_pauses(session)) == 1


async def test_resuming_what_was_not_paused_says_so(session: WriteSession) -> None:
    assert not await stops.resume(session, store_id=STORE)


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
async def test_without_a_reason_nothing_is_stopped(session: WriteSession, reason: str) -> None:
    with pytest.raises(InvalidInput, match="Say why"):
        await stops.pause(session, store_id=None, reason=reason, actor="ann")
    with pytest.raises(InvalidInput, match="Say why"):
        await stops.stop_installation(session, Mode.MAINTENANCE, reason=reason, actor="ann")


async def test_one_tenants_pause_is_none_of_anothers(
    database: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    async with database.writing(tenant_id) as session:
        await stops.pause(session, store_id=None, reason="Stocktaking", actor="ann")
    async with database.reading(other_tenant_id) as session:
        await stops.require_open(session)
        assert await stops.list_pauses(session) == []
