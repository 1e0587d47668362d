"""What a shop's uninstalling leaves: nothing of its data is gone, and nothing is asked of it any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from syncline.apps.commerce.contract import PullMode
from syncline.apps.commerce.stores import service
from syncline.apps.commerce.stores.connection import AppUninstalled, client_of
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.stores.uninstalling import installed_again, uninstalled
from syncline.kernel import clock
from syncline.runtime.controls import stops
from syncline.runtime.controls.stops import Pause, Paused

HOUR = timedelta(hours=1)


async def row_of(pulled: Any) -> StoreRow:
    async with pulled.commerce.runtime.database.reading(pulled.actor.tenant_id) as session:
        return await service.get(session, "demo")


async def uninstall(pulled: Any, at: datetime) -> bool:
    row = await row_of(pulled)
    async with pulled.commerce.runtime.database.writing(pulled.actor.tenant_id) as session:
        return await uninstalled(session, row.store.id, at=at)


async def pauses(pulled: Any) -> Sequence[Pause]:
    async with pulled.commerce.runtime.database.reading(pulled.actor.tenant_id) as session:
        return await stops.list_pauses(session)


async def test_the_token_is_thrown_away_and_the_store_is_held_with_a_sentence(pulled: Any) -> None:
    before = await pulled.commerce.overview(actor=pulled.actor, store="demo")
    at = clock.now()
    assert await uninstall(pulled, at)
    row = await row_of(pulled)
    assert (row.token_sealed, row.store.uninstalled_at) == (None, at)
    for begin in (
        pulled.commerce.start_pull(actor=pulled.actor, store="demo", mode=PullMode.FULL),
        pulled.commerce.start_push(actor=pulled.actor, store="demo"),
    ):
        with pytest.raises(Paused, match="uninstalled the app; connect it again with `syncline stores install demo`"):
            await begin
    after = await pulled.commerce.overview(actor=pulled.actor, store="demo")
    assert after.records == before.records


async def test_a_pull_that_was_under_way_ends_with_the_reason(pulled: Any) -> None:
    run = await pulled.commerce.start_pull(actor=pulled.actor, store="demo", mode=PullMode.FULL)
    await uninstall(pulled, clock.now())
    await pulled.work()
    ended = await pulled.commerce.get_pull(actor=pulled.actor, run_id=run.id)
    assert ended.status == "failed"
    assert "uninstalled the app" in ended.error


async def test_nobody_gets_a_client_of_it(pulled: Any) -> None:
    await uninstall(pulled, clock.now())
    with pytest.raises(AppUninstalled):
        async with client_of(pulled.commerce.runtime, await row_of(pulled)):
            pytest.fail("there is no token to ask with")


async def test_the_second_delivery_changes_nothing(pulled: Any) -> None:
    at = clock.now()
    assert await uninstall(pulled, at)
    assert not await uninstall(pulled, at + HOUR)
    assert (await row_of(pulled)).store.uninstalled_at == at


async def test_a_delivery_from_before_the_store_was_connected_takes_no_token_away(pulled: Any) -> None:
    assert not await uninstall(pulled, clock.now() - HOUR)
    assert (await row_of(pulled)).token_sealed is not None
    assert await pauses(pulled) == []


async def test_a_pause_of_somebodys_own_stays_when_it_is_installed_again(pulled: Any) -> None:
    row = await row_of(pulled)
    runtime, tenant = pulled.commerce.runtime, pulled.actor.tenant_id
    async with runtime.database.writing(tenant) as session:
        await stops.pause(session, store_id=row.store.id, reason="It moves", actor="ann")
    await uninstall(pulled, clock.now())
    async with runtime.database.writing(tenant) as session:
        await installed_again(session, row.store.id)
    assert [one.reason for one in await pauses(pulled)] == ["It moves."]


async def test_what_uninstalling_held_goes_on_when_it_is_installed_again(pulled: Any) -> None:
    await uninstall(pulled, clock.now())
    assert [one.actor for one in await pauses(pulled)] == ["Shopify"]
    async with pulled.commerce.runtime.database.writing(pulled.actor.tenant_id) as session:
        await installed_again(session, (await row_of(pulled)).store.id)
    assert await pauses(pulled) == []


async def test_a_new_token_brings_the_store_back(pulled: Any) -> None:
    await uninstall(pulled, clock.now())
    pulled.shop.renew("shpat_again")
    back = await pulled.commerce.replace_token(actor=pulled.actor, store="demo", token="shpat_again")
    assert back.uninstalled_at is None
    assert (await pulled.pull()).status == "completed"
