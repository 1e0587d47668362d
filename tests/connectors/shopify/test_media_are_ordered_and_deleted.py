"""What a product shows: read in its order, put into another one, and taken away for good."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from syncline.connectors.shopify import actions
from syncline.connectors.shopify.media import moves_between
from syncline.connectors.shopify.testing import Asked, RecordedStore, open_client
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.connect.testing import ScriptedVendor, dropped_after
from syncline.sandbox.shopify.resolvers_media import media_gid

VERSIONS = pytest.mark.parametrize("version", ["2026-10", "2025-10"])
KINDS = ("IMAGE", "VIDEO", "IMAGE", "MODEL_3D")


@pytest.fixture
def product(sandbox: Any) -> int:
    """One that shows four media of three kinds."""
    number: int = next(iter(sandbox.store.products))
    sandbox.store.media.arrange(number, [])
    for kind in KINDS:
        sandbox.store.media.add(number, content_type=kind, url="https://a.example/1.jpg")
    return number


def shown(sandbox: Any, product: int) -> list[str]:
    return [media_gid(one) for one in sandbox.store.media.shown_by(product)]


@VERSIONS
async def test_media_are_read_in_their_order_and_put_into_another(version: str, sandbox: Any, product: int) -> None:
    async with sandbox.client(api_version=version) as client:
        now = (await actions.read_media(client, [product, 99]))[product]
        assert now == shown(sandbox, product)
        wanted = now[::-1]
        result = await actions.order_media(client, product, wanted, now=now)
        again = await actions.read_media(client, [product, 99])
    assert (result.ok, result.values) == (True, {"media": wanted})
    assert again == {product: wanted, 99: None}
    assert shown(sandbox, product) == wanted


async def test_the_order_it_has_already_is_not_written(sandbox: Any, product: int) -> None:
    now = shown(sandbox, product)
    async with sandbox.client() as client:
        result = await actions.order_media(client, product, now, now=now)
    assert result.ok
    assert sandbox.world.ledger.select(mutation="productReorderMedia") == []


def test_moves_one_after_the_other_make_every_order() -> None:
    now = ["a", "b", "c", "d"]
    for wanted in permutations(now):
        order = list(now)
        for move in moves_between(now, wanted):
            order.remove(move["id"])
            order.insert(int(move["newPosition"]), move["id"])
        assert order == list(wanted)
    assert moves_between(now, ["d", "a", "b", "c"]) == [{"id": "d", "newPosition": "0"}]


@pytest.mark.parametrize("wanted", [["a"], ["a", "b", "c"], ["a", "a"], []])
def test_an_order_of_something_else_is_a_mistake_of_the_caller(wanted: list[str]) -> None:
    with pytest.raises(ValueError, match="exactly the media"):
        moves_between(["a", "b"], wanted)


async def test_order_of_a_product_that_is_gone_is_refused(sandbox: Any, product: int) -> None:
    now = shown(sandbox, product)
    async with sandbox.client() as client:
        result = await actions.order_media(client, 99, now[::-1], now=now)
    assert (result.ok, result.errors[0].code) == (False, "PRODUCT_DOES_NOT_EXIST")


async def test_medium_that_is_gone_meanwhile_keeps_the_order_as_it_is(sandbox: Any, product: int) -> None:
    now = shown(sandbox, product)
    sandbox.store.media.arrange(product, [one.id for one in sandbox.store.media.shown_by(product)][:3])
    async with sandbox.client() as client:
        result = await actions.order_media(client, product, now[::-1], now=now)
    assert (result.ok, result.errors[0].code) == (False, "MEDIA_DOES_NOT_EXIST")
    assert shown(sandbox, product) == now[:3]


@VERSIONS
async def test_media_are_deleted_and_a_repeat_deletes_nothing_more(version: str, sandbox: Any, product: int) -> None:
    first, second, third, fourth = shown(sandbox, product)
    async with sandbox.client(api_version=version) as client:
        done = await actions.delete_media(client, product, [second, fourth])
        again = await actions.delete_media(client, product, [fourth, first])
    assert [(one.key, one.ok) for one in done] == [(second, True), (fourth, True)]
    assert [(one.key, one.ok) for one in again] == [(fourth, True), (first, True)]
    assert shown(sandbox, product) == [third]


async def test_product_that_is_gone_refuses_all_in_one_call(sandbox: Any, product: int) -> None:
    async with sandbox.client() as client:
        results = await actions.delete_media(client, 99, shown(sandbox, product))
    assert {result.errors[0].code for result in results} == {"PRODUCT_DOES_NOT_EXIST"}
    assert len(sandbox.world.ledger.select(mutation="productDeleteMedia")) == 1


async def test_lost_answer_is_unknown_and_not_sent_again() -> None:
    store = RecordedStore(answers={"DeleteMedia": lambda _: {}, "OrderMedia": lambda _: {}})
    vendor = ScriptedVendor(store).then(dropped_after, dropped_after)
    async with open_client(vendor.transport) as client:
        with pytest.raises(OutcomeUnknown):
            await actions.delete_media(client, 1, ["a"])
        with pytest.raises(OutcomeUnknown):
            await actions.order_media(client, 1, ["b", "a"], now=["a", "b"])
    assert len(vendor.requests) == 2


async def test_moving_is_waited_for() -> None:
    asked = list[Asked]()
    job = {"id": "gid://shopify/Job/1"}

    def look(request: Asked) -> dict[str, Any]:
        asked.append(request)
        return {"job": {**job, "done": True}}

    begun = {"productReorderMedia": {"job": {**job, "done": False}, "mediaUserErrors": []}}
    vendor = ScriptedVendor(RecordedStore(answers={"OrderMedia": lambda _: begun, "ReadJob": look}))
    async with open_client(vendor.transport) as client:
        result = await actions.order_media(client, 1, ["b", "a"], now=["a", "b"])
    assert (result.ok, len(asked)) == (True, 1)
