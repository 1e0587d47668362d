from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from syncline.apps.commerce.contract import RunStatus, Store
from syncline.apps.commerce.mirror.loading import Loaded
from syncline.apps.commerce.pull import repository
from syncline.apps.commerce.pull.repository import LeaseLost, StreamRow
from syncline.runtime.db.session import WriteSession

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def take(session: WriteSession, run_id: Any, stream: str = "products") -> StreamRow:
    held = await repository.take_stream(session, run_id, stream)
    assert held is not None
    return held


async def test_taking_a_stream_up_again_ends_the_first_holder(session: WriteSession, add_run: Any) -> None:
    run_id = await add_run()
    first = await take(session, run_id)
    second = await take(session, run_id)
    assert second.epoch == first.epoch + 1
    with pytest.raises(LeaseLost):
        await repository.update_stream(session, first, cursor="x")
    assert (await repository.update_stream(session, second, cursor="x")).cursor == "x"


async def test_final_stream_is_not_taken_up_nor_written(session: WriteSession, add_run: Any) -> None:
    run_id = await add_run()
    held = await take(session, run_id)
    await repository.fail_stream(session, run_id, "products", "It broke.")
    assert await repository.take_stream(session, run_id, "products") is None
    with pytest.raises(LeaseLost):
        await repository.update_stream(session, held, cursor="x")


async def test_final_run_stays_as_it_ended(session: WriteSession, add_run: Any) -> None:
    run_id = await add_run()
    assert await repository.update_run(session, run_id, status=RunStatus.CANCELLED)
    assert not await repository.update_run(session, run_id, status=RunStatus.COMPLETED)
    run = await repository.find_run(session, run_id)
    assert run is not None
    assert run.status is RunStatus.CANCELLED


async def test_chunks_add_up_and_keys_count_once(session: WriteSession, add_run: Any) -> None:
    run_id = await add_run()
    held = await take(session, run_id)
    loaded = Loaded(read=3, inserted=2, unchanged=1, seen={"product": ["{1,2}"], "variant": ["{11}"]})
    held = await repository.record_chunk(session, held, cursor="100", loaded=loaded)
    again = Loaded(read=2, updated=1, duplicates=1, seen={"product": ["{2,3}"]})
    held = await repository.record_chunk(session, held, cursor="200", loaded=again)
    assert held.cursor == "200"
    assert await repository.count_seen(session, run_id, "products") == {"product": 3, "variant": 1}
    (_, products) = sorted(await repository.list_streams(session, run_id), key=lambda one: one.stream)
    counted = (products.read, products.inserted, products.updated, products.unchanged, products.duplicates)
    assert counted == (5, 2, 1, 1, 1)


async def test_keys_of_two_parts_are_counted_as_pairs(session: WriteSession, add_run: Any) -> None:
    run_id = await add_run()
    held = await take(session, run_id, "inventory")
    loaded = Loaded(read=3, seen={"inventory_level": ["{1,1,2}", "{5,6,5}"]})
    await repository.record_chunk(session, held, cursor="1", loaded=loaded)
    assert await repository.count_seen(session, run_id, "inventory") == {"inventory_level": 3}


async def test_unreadable_line_makes_the_stream_incomplete_and_is_quoted(session: WriteSession, add_run: Any) -> None:
    run_id = await add_run()
    held = await take(session, run_id)
    await repository.record_chunk(session, held, cursor="1", loaded=Loaded(read=1, unreadable=["No id: {}"]))
    (_, products) = sorted(await repository.list_streams(session, run_id), key=lambda one: one.stream)
    assert (products.is_incomplete, list(products.notes)) == (True, ["No id: {}"])


async def test_keys_of_one_stream_are_forgotten_without_the_other(session: WriteSession, add_run: Any) -> None:
    run_id = await add_run()
    for stream, name in (("products", "product"), ("inventory", "location")):
        held = await take(session, run_id, stream)
        await repository.record_chunk(session, held, cursor="1", loaded=Loaded(seen={name: ["{1}"]}))
    await repository.forget_seen(session, run_id, "products")
    assert await repository.count_seen(session, run_id, "products") == {}
    assert await repository.count_seen(session, run_id, "inventory") == {"location": 1}


async def test_next_pull_begins_where_the_last_one_that_agreed_began_to_read(
    session: WriteSession, store: Store, add_run: Any
) -> None:
    run_id = await add_run()
    held = await take(session, run_id)
    await repository.update_stream(session, held, read_from=NOON, status=RunStatus.COMPLETED)
    await repository.advance_states(session, run_id)
    state = await repository.find_state(session, store.id, "products")
    assert state.high_water == NOON
    assert state.last_full_at is not None


async def test_incremental_run_does_not_count_as_a_full_one(session: WriteSession, store: Store, add_run: Any) -> None:
    run_id = await add_run(streams={"products": NOON})
    held = await take(session, run_id)
    await repository.update_stream(session, held, read_from=NOON, status=RunStatus.COMPLETED)
    await repository.advance_states(session, run_id)
    assert (await repository.find_state(session, store.id, "products")).last_full_at is None


async def test_one_live_run_per_store(session: WriteSession, store: Store, add_run: Any) -> None:
    run_id = await add_run()
    live = await repository.find_live(session, store.id)
    assert live is not None
    assert live.id == run_id
    await repository.update_run(session, run_id, status=RunStatus.FAILED)
    assert await repository.find_live(session, store.id) is None
    assert (await repository.find_last(session, store.id)) is not None
