"""The time a written level gets is the one Shopify keeps with it, read together with its quantity: what is older than
something else must not pass for newer."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from syncline.connectors.shopify import actions
from syncline.connectors.shopify.inventory import MAX_PLACES
from syncline.kernel import clock
from syncline.sandbox.shopify.amounts import moment

VERSIONS = pytest.mark.parametrize("version", ["2026-10", "2025-10"])


@pytest.fixture
def ticking(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes whenever the shop looks at its clock: between a write and the time of its group as well."""
    began, seconds = clock.now().replace(microsecond=0), count()
    monkeypatch.setattr(sandbox.store.journal, "now", lambda: began + timedelta(seconds=next(seconds)))


def first_levels(sandbox: Any, number: int) -> list[Any]:
    return list(sandbox.store.levels.values())[:number]


@VERSIONS
@pytest.mark.usefixtures("ticking")
async def test_time_is_that_of_the_level_and_not_of_the_whole_write(sandbox: Any, version: str) -> None:
    levels = first_levels(sandbox, 3)
    changes = [(level.item_id, level.location_id, level.available + 1, level.available) for level in levels]
    async with sandbox.client(api_version=version) as client:
        results = await actions.set_inventory(client, changes, idempotency_key="k")
    assert [result.updated_at for result in results] == [moment(level.updated_at) for level in levels]


@VERSIONS
@pytest.mark.usefixtures("ticking")
async def test_same_write_again_has_the_time_it_had(sandbox: Any, version: str) -> None:
    (level,) = first_levels(sandbox, 1)
    change = (level.item_id, level.location_id, level.available + 1, level.available)
    async with sandbox.client(api_version=version) as client:
        first = await actions.set_inventory(client, [change], idempotency_key="k")
        second = await actions.set_inventory(client, [change], idempotency_key="k")
    assert first == second
    assert second[0].updated_at == moment(level.updated_at)


@pytest.mark.usefixtures("ticking")
async def test_same_write_after_somebody_elses_is_told_to_be_overtaken(sandbox: Any) -> None:
    (level,) = first_levels(sandbox, 1)
    wanted = level.available + 1
    change = (level.item_id, level.location_id, wanted, level.available)
    async with sandbox.client() as client:
        await actions.set_inventory(client, [change], idempotency_key="k")
        sandbox.store.set_level(level.item_id, level.location_id, available=wanted + 7)
        (again,) = await actions.set_inventory(client, [change], idempotency_key="k")
    assert (again.ok, again.is_overtaken, again.updated_at) == (True, True, None)
    assert again.values == {"available": wanted}
    assert level.available == wanted + 7


async def test_same_write_after_the_level_is_gone_is_told_to_be_overtaken(sandbox: Any) -> None:
    (level,) = first_levels(sandbox, 1)
    change = (level.item_id, level.location_id, level.available + 1, level.available)
    async with sandbox.client() as client:
        await actions.set_inventory(client, [change], idempotency_key="k")
        sandbox.store.remove_level(level.item_id, level.location_id)
        (again,) = await actions.set_inventory(client, [change], idempotency_key="k")
    assert (again.ok, again.is_overtaken, again.updated_at) == (True, True, None)


@VERSIONS
async def test_row_that_changes_nothing_has_the_time_of_its_level(sandbox: Any, version: str) -> None:
    moved, still = first_levels(sandbox, 2)
    changes = [
        (moved.item_id, moved.location_id, moved.available + 1, moved.available),
        (still.item_id, still.location_id, still.available, still.available),
    ]
    async with sandbox.client(api_version=version) as client:
        both = await actions.set_inventory(client, changes, idempotency_key="k")
        (alone,) = await actions.set_inventory(client, changes[1:], idempotency_key="l")
    assert [result.updated_at for result in both] == [moment(moved.updated_at), moment(still.updated_at)]
    assert alone == both[1]


async def test_more_locations_than_one_answer_carries_go_in_several_calls(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(products=1)
    (item, *_) = sandbox.store.items
    places = [sandbox.store.add_location(f"Place {n}").id for n in range(MAX_PLACES + 1)]
    for place in places:
        sandbox.store.set_level(item, place, available=1)
    async with sandbox.client() as client:
        results = await actions.set_inventory(client, [(item, place, 2, 1) for place in places], idempotency_key="k")
    assert [(result.key, result.ok, result.is_overtaken) for result in results] == [
        ((item, place), True, False) for place in places
    ]
    assert len(sandbox.world.ledger.select(mutation="inventorySetQuantities")) == 2
