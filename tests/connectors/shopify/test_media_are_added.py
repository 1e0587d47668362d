"""Images put into a product: row by row, waited for, and never left behind when they could not be fetched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncline.connectors.shopify import actions
from syncline.connectors.shopify.actions import NewMedium
from syncline.connectors.shopify.testing import Asked, RecordedStore, open_client
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.connect.testing import ScriptedVendor, dropped_after

Answers = dict[str, Callable[[Asked], dict[str, Any]]]
VERSIONS = pytest.mark.parametrize("version", ["2026-10", "2025-10"])
GOOD, OTHER = NewMedium("https://a.example/1.jpg", "One"), NewMedium("https://a.example/2.jpg")
BAD, LOST = NewMedium("1.jpg"), NewMedium("https://nowhere.invalid/1.jpg")


@pytest.fixture
def product(sandbox: Any) -> int:
    number: int = next(iter(sandbox.store.products))
    sandbox.store.media.arrange(number, [])
    return number


@VERSIONS
async def test_every_row_has_its_own_answer(version: str, sandbox: Any, product: int) -> None:
    async with sandbox.client(api_version=version) as client:
        results = await actions.add_media(client, product, [GOOD, BAD, LOST, OTHER])
        shown = await actions.read_galleries(client, [product, 99])
    assert [(one.key, one.ok) for one in results] == [(0, True), (1, False), (2, False), (3, True)]
    assert [[error.code for error in one.errors] for one in results] == [
        [], ["INVALID"], ["IMAGE_DOWNLOAD_FAILURE"], [],
    ]  # fmt: skip
    assert results[0].values["image"]["url"] == GOOD.url
    nodes = shown[product]
    assert nodes is not None
    assert [(node["id"], node["alt"]) for node in nodes] == [
        (results[0].values["id"], "One"),
        (results[3].values["id"], None),
    ]
    assert shown[99] is None


async def test_product_that_is_gone_refuses_all(sandbox: Any) -> None:
    async with sandbox.client() as client:
        results = await actions.add_media(client, 99, [GOOD, OTHER])
    assert {one.errors[0].code for one in results} == {"PRODUCT_DOES_NOT_EXIST"}


async def test_image_that_somebody_took_away_meanwhile_was_written() -> None:
    made = {"id": "gid://shopify/MediaImage/1", "status": "UPLOADED", "alt": "", "mediaContentType": "IMAGE"}
    answers: Answers = {
        "AddMedia": lambda _: {"productCreateMedia": {"media": [made], "mediaUserErrors": []}},
        "ReadMediaStates": lambda _: {"nodes": [None]},
    }
    async with open_client(ScriptedVendor(RecordedStore(answers=answers)).transport) as client:
        (result,) = await actions.add_media(client, 1, [GOOD])
    assert (result.ok, result.is_overtaken, result.values) == (True, True, made)


async def test_answer_with_fewer_than_were_asked_for_is_none() -> None:
    answers: Answers = {"AddMedia": lambda _: {"productCreateMedia": {"media": [None], "mediaUserErrors": []}}}
    async with open_client(ScriptedVendor(RecordedStore(answers=answers)).transport) as client:
        results = await actions.add_media(client, 1, [GOOD, OTHER])
    assert {one.errors[0].code for one in results} == {"NO_ANSWER"}


async def test_lost_answer_is_unknown_and_not_sent_again() -> None:
    vendor = ScriptedVendor(RecordedStore(answers={"AddMedia": lambda _: {}})).then(dropped_after)
    async with open_client(vendor.transport) as client:
        with pytest.raises(OutcomeUnknown):
            await actions.add_media(client, 1, [GOOD])
    assert len(vendor.requests) == 1
