"""Lines of refunds: a list inside the order, each member with a connection of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncline.connectors.shopify import planner, streams
from syncline.connectors.shopify.ids import number_of
from syncline.connectors.shopify.reads import read_families
from syncline.connectors.shopify.records import decode, kind_of
from syncline.connectors.shopify.sales_nodes import RefundLineNode
from syncline.runtime.connect.bucket import Bucket
from syncline.sandbox.shopify.edits import apply_edit

LINES = 25
"""Of one refund: three pages of them."""


@pytest.fixture
async def shop(open_sandbox: Any) -> Any:
    return await open_sandbox(products=12, more={"orders": 40, "customers": 10})


def refunded(shop: Any) -> Any:
    """An order of many lines of which all were given back, in two refunds."""
    variant = next(iter(shop.store.variants))
    line = {"variant": variant, "quantity": 2}
    order = apply_edit(shop.store, {"action": "create", "kind": "order", "set": {"lines": [line] * LINES}})
    held = shop.store.sales.orders[order["id"]]
    for _ in range(2):
        given = {str(one.id): 1 for one in held.lines}
        apply_edit(shop.store, {"action": "refund", "kind": "order", "id": held.id, "set": {"lines": given}})
    return held


async def nodes_of(shop: Any, **options: Any) -> list[RefundLineNode]:
    async with shop.client() as client:
        lines = [
            line async for page in streams.read_pages(client, streams.REFUND_LINES, **options) for line in page.lines
        ]
    found = [decode(line, "refund_line") for line in lines if kind_of(line, "refund_lines") == "refund_line"]
    return [node for node in found if isinstance(node, RefundLineNode)]


async def test_all_of_them_come_below_their_order_with_their_refund(shop: Any) -> None:
    order = refunded(shop)
    nodes = await nodes_of(shop)
    sales = shop.store.sales
    wanted = {
        (line.id, refund.id, refund.order_id, line.line_id, line.quantity)
        for refund in sales.refunds.values()
        for line in refund.lines
    }
    found = {
        (
            number_of(node.id),
            number_of(node.refund.id),
            number_of(node.parent_id),
            number_of(node.lineItem.id),
            node.quantity,
        )
        for node in nodes
    }
    assert found == wanted
    assert len([node for node in nodes if number_of(node.parent_id) == order.id]) == 2 * LINES
    assert len(nodes) == len(wanted) > 2 * LINES


async def test_only_keys_and_families_name_the_same(shop: Any) -> None:
    order = refunded(shop)
    async with shop.client() as client:
        keys = [
            line
            async for page in streams.read_pages(client, streams.REFUND_LINES, keys_only=True)
            for line in page.lines
        ]
        family = (await read_families(client, "refund_lines", [order.id]))[order.id]
    named = [line for line in keys if kind_of(line, "refund_lines") == "refund_line"]
    assert len(named) == len(await nodes_of(shop))
    assert [kind_of(line, "refund_lines") for line in family] == ["order_ref", *["refund_line"] * (2 * LINES)]


async def test_refund_moves_its_order(shop: Any) -> None:
    since = datetime.now(UTC) - timedelta(seconds=2)
    assert await nodes_of(shop, since=since) == []
    refunded(shop)
    assert len(await nodes_of(shop, since=since)) == 2 * LINES


def test_never_in_bulk_however_large_the_store() -> None:
    bucket = Bucket(capacity=2_000, restore_rate=100, level=2_000, at=0.0)
    plan = planner.predict(streams.REFUND_LINES, {"order_ref": 1_000_000}, bucket=bucket)
    assert plan.path == "paged"
    assert "no bulk operation" in plan.reason
