"""Starting, following and ending a pull."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from syncline.apps.commerce.contract import ChangeQuery, PullAlreadyRunning, PullMode, PullPath, RunNotFound, RunStatus
from syncline.connectors.shopify.planner import Measured
from syncline.connectors.shopify.sources import SOURCES
from syncline.connectors.shopify.streams import STREAMS
from syncline.kernel.errors import InvalidInput
from syncline.kernel.ids import new_id

SINCE = "select stream, since from commerce.pull_stream where run_id = %s"


async def start(pulled: Any, mode: PullMode = PullMode.INCREMENTAL, **more: Any) -> Any:
    return await pulled.commerce.start_pull(actor=pulled.actor, store="demo", mode=mode, **more)


async def get(pulled: Any, run_id: Any) -> Any:
    return await pulled.commerce.get_pull(actor=pulled.actor, run_id=run_id)


async def since(pulled: Any, run_id: Any) -> dict[str, Any]:
    async with pulled.commerce.runtime.database.reading(pulled.actor.tenant_id) as session:
        cursor = await (await session.driver()).execute(SINCE, [run_id])
        return dict(await cursor.fetchall())


async def test_second_pull_is_refused_with_the_id_of_the_first(pulled: Any) -> None:
    first = await start(pulled)
    with pytest.raises(PullAlreadyRunning, match=str(first.id)) as refused:
        await start(pulled, PullMode.FULL)
    assert refused.value.extra == {"run_id": str(first.id)}
    await pulled.work()
    assert (await get(pulled, first.id)).status is RunStatus.COMPLETED


async def test_of_several_starts_at_once_one_is_taken(pulled: Any) -> None:
    outcomes = await asyncio.gather(*(start(pulled) for _ in range(3)), return_exceptions=True)
    assert Counter(type(one).__name__ for one in outcomes) == {"PullRun": 1, "PullAlreadyRunning": 2}
    assert len(pulled.queue.waiting) == len(STREAMS)


async def test_cancelled_pull_stays_cancelled_and_makes_room(pulled: Any) -> None:
    first = await start(pulled)
    cancelled = await pulled.commerce.cancel_pull(actor=pulled.actor, run_id=first.id)
    assert cancelled.status is RunStatus.CANCELLED
    assert {stream.status for stream in cancelled.streams} == {"cancelled"}
    second = await start(pulled)
    await pulled.work()
    assert (await get(pulled, first.id)).status is RunStatus.CANCELLED
    assert (await get(pulled, second.id)).status is RunStatus.COMPLETED


async def test_unknown_stream_and_unknown_run_are_named(pulled: Any) -> None:
    with pytest.raises(InvalidInput, match="wishes"):
        await start(pulled, streams=["wishes"])
    stray = new_id()
    with pytest.raises(RunNotFound, match=str(stray)):
        await get(pulled, stray)
    with pytest.raises(RunNotFound):
        await pulled.commerce.cancel_pull(actor=pulled.actor, run_id=stray)


async def test_other_tenant_sees_no_run(pulled: Any, stranger: Any) -> None:
    run = await start(pulled)
    with pytest.raises(RunNotFound):
        await pulled.commerce.get_pull(actor=stranger, run_id=run.id)


async def test_incremental_pull_reaches_back_a_little(pulled: Any) -> None:
    (first,) = [await since(pulled, (await pulled.commerce.overview(actor=pulled.actor, store="demo")).last_pull.id)]
    assert first == dict.fromkeys(STREAMS)
    run = await start(pulled)
    began = await since(pulled, run.id)
    assert all(began[name] < run.created_at for name in STREAMS if not SOURCES[name].is_whole)
    assert began["collections"] is None
    await pulled.work()
    assert (await get(pulled, run.id)).status is RunStatus.COMPLETED


async def test_stream_that_was_never_read_whole_is_read_whole(pulled: Any) -> None:
    async with pulled.commerce.runtime.database.writing(pulled.actor.tenant_id) as session:
        await (await session.driver()).execute("delete from commerce.stream_state where stream = 'inventory'")
    began = await since(pulled, (await start(pulled)).id)
    assert began["products"] is not None
    assert began["inventory"] is None
    await pulled.work()


async def test_pull_of_one_stream_leaves_the_other(pulled: Any) -> None:
    pulled.shop.store.update_variant(pulled.shop.variant("SHIRT-S"), price="21.00")
    run = await start(pulled, streams=["inventory"])
    await pulled.work()
    done = await get(pulled, run.id)
    assert [stream.stream for stream in done.streams] == ["inventory"]
    assert done.status is RunStatus.COMPLETED


async def test_deletions_are_found_by_an_incremental_pull(pulled: Any) -> None:
    store = pulled.shop.store
    store.delete_product(store.find_product_by_handle("mug"))
    store.delete_variant(pulled.shop.variant("SHIRT-M"))
    run = await pulled.pull(PullMode.INCREMENTAL)
    overview = await pulled.commerce.overview(actor=pulled.actor, store="demo")
    assert run.reconciliation.repaired == 0
    assert {kind: count for kind, count in overview.records.items() if count} == {
        "product": 2,
        "variant": 2,
        "location": 2,
        "inventory_level": 3,
        "inventory_item": 2,
    }
    assert sum(stream.deleted for stream in run.streams) == 1 + 1 + 1 + 1 + 2 + 2


async def price_in_mirror(pulled: Any) -> str:
    async with pulled.commerce.runtime.database.reading(pulled.actor.tenant_id) as session:
        query = "select price::text, title from commerce.variant where sku = 'SHIRT-S'"
        ((price, _),) = await (await (await session.driver()).execute(query)).fetchall()
        return str(price)


async def test_what_was_pushed_is_not_overwritten_by_an_export_made_before(pulled: Any) -> None:
    """The shop exports, a price is pushed, and only then is the export's file read."""
    commerce, actor = pulled.commerce, pulled.actor
    batch = await commerce.stage_edit(actor=actor, store="demo", where="sku:SHIRT-S", edits=["price=25"])
    await commerce.approve(actor=actor, query=ChangeQuery(batch_id=batch.id))
    pulled.shop.door.hold("BulkFind")
    run = await start(pulled, PullMode.FULL, path=PullPath.BULK, streams=["products"])
    reading = asyncio.create_task(pulled.work())
    await pulled.shop.door.wait()
    await pulled.push()
    assert await price_in_mirror(pulled) == "25.00"
    assert (await get(pulled, run.id)).status is RunStatus.RUNNING
    pulled.shop.door.open()
    await reading
    assert (await get(pulled, run.id)).status is RunStatus.COMPLETED
    assert await price_in_mirror(pulled) == "25.00"


async def test_what_pages_and_operations_took_weighs_in_the_next_plan(pulled: Any) -> None:
    for path in (PullPath.PAGED, PullPath.BULK):
        await start(pulled, PullMode.FULL, path=path)
        await pulled.work()
    async with pulled.commerce.runtime.database.reading(pulled.actor.tenant_id) as session:
        cursor = await (await session.driver()).execute("select stream, rates from commerce.stream_state")
        kept = dict(await cursor.fetchall())
    assumed = Measured().dump()
    assert {name: rates["page_seconds"] != assumed["page_seconds"] for name, rates in kept.items()} == dict.fromkeys(
        STREAMS, True
    )
    assert kept["products"]["start_seconds"] != assumed["start_seconds"]
