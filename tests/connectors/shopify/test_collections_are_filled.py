"""Collections and what they hold: written, added to in whatever parts Shopify accepts, and emptied by a job that is
waited for."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.connectors.shopify import actions, vendor_jobs
from syncline.connectors.shopify.testing import Asked, RecordedStore, open_client
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.connect.testing import ScriptedVendor

VERSIONS = pytest.mark.parametrize("version", ["2026-10", "2025-10"])


@pytest.fixture
def shelf(sandbox: Any) -> Any:
    return sandbox.store.collections.create(title="Summer", handle="summer")


@VERSIONS
async def test_products_are_put_in_read_and_taken_out(version: str, sandbox: Any, shelf: Any) -> None:
    one, two = list(sandbox.store.products)[:2]
    async with sandbox.client(api_version=version) as client:
        added = await actions.add_members(client, shelf.id, [one, two])
        removed = await actions.remove_members(client, shelf.id, [two])
        found = await actions.read_members(client, [(shelf.id, one), (shelf.id, two), (shelf.id, 99), (99, one)])
    assert [(result.key, result.ok) for result in added] == [((shelf.id, one), True), ((shelf.id, two), True)]
    assert [result.ok for result in removed] == [True]
    assert found == {(shelf.id, one): True, (shelf.id, two): False, (shelf.id, 99): None, (99, one): False}


async def test_product_that_is_gone_does_not_hinder_the_others(sandbox: Any, shelf: Any) -> None:
    numbers = [*list(sandbox.store.products)[:9], 99]
    async with sandbox.client() as client:
        results = await actions.add_members(client, shelf.id, numbers)
    assert [result.ok for result in results] == [True] * 9 + [False]
    assert list(sandbox.store.collections.members[shelf.id]) == numbers[:9]


async def test_product_that_is_in_already_is_refused_alone(sandbox: Any, shelf: Any) -> None:
    numbers = list(sandbox.store.products)[:5]
    sandbox.store.collections.add_products(shelf, numbers[2:3])
    async with sandbox.client() as client:
        results = await actions.add_members(client, shelf.id, numbers)
    assert [result.ok for result in results] == [True, True, False, True, True]
    assert set(sandbox.store.collections.members[shelf.id]) == set(numbers)


async def test_collection_that_is_gone_refuses_all_in_one_call(sandbox: Any) -> None:
    async with sandbox.client() as client:
        results = await actions.add_members(client, 99, list(sandbox.store.products)[:9])
    assert {result.errors[0].message for result in results} == {"Collection does not exist"}
    assert len(sandbox.world.ledger.select(mutation="collectionAddProducts")) == 1


@VERSIONS
async def test_fields_are_patched(version: str, sandbox: Any, shelf: Any) -> None:
    fields = {"title": "Warm", "sortOrder": "CREATED", "seo": {"title": "Sun", "description": None}}
    async with sandbox.client(api_version=version) as client:
        result = await actions.update_collection(client, shelf.id, fields)
        node = (await actions.read_collections(client, [shelf.id, 99]))[shelf.id]
    assert (result.ok, result.values["title"], result.values["seo"]["title"]) == (True, "Warm", "Sun")
    assert node is not None
    assert (node.title, node.handle, node.sortOrder) == ("Warm", "summer", "CREATED")


async def test_handle_of_another_collection_is_refused_with_its_reason(sandbox: Any, shelf: Any) -> None:
    sandbox.store.collections.create(title="Winter", handle="winter")
    async with sandbox.client() as client:
        result = await actions.update_collection(client, shelf.id, {"handle": "winter"})
    assert (result.ok, len(result.errors)) == (False, 1)
    assert shelf.handle == "summer"


async def test_field_it_cannot_write_is_a_mistake_of_the_caller(sandbox: Any) -> None:
    async with sandbox.client() as client:
        with pytest.raises(ValueError, match="cannot write ruleSet"):
            await actions.update_collection(client, 1, {"ruleSet": None})


def working(*done: bool) -> tuple[ScriptedVendor, list[Asked]]:
    """A store whose job is asked for until the last of these answers, which it then keeps."""
    left, asked = list(done), list[Asked]()
    job = {"id": "gid://shopify/Job/1"}

    def look(request: Asked) -> dict[str, Any]:
        asked.append(request)
        return {"job": {**job, "done": left.pop(0) if len(left) > 1 else left[0]}}

    begun = {"collectionRemoveProducts": {"job": {**job, "done": False}, "userErrors": []}}
    store = RecordedStore(answers={"RemoveMembers": lambda _: begun, "ReadJob": look})
    return ScriptedVendor(store), asked


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor_jobs, "PAUSES", (0, 0, 0))


async def test_job_is_waited_for() -> None:
    vendor, asked = working(False, True)
    async with open_client(vendor.transport) as client:
        (result,) = await actions.remove_members(client, 1, [2])
    assert (result.ok, len(asked)) == (True, 2)


async def test_job_that_does_not_end_is_unknown() -> None:
    vendor, asked = working(False)
    async with open_client(vendor.transport) as client:
        with pytest.raises(OutcomeUnknown):
            await actions.remove_members(client, 1, [2])
    assert len(asked) == 3
