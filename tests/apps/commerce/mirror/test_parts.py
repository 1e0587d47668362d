"""Refunds, fulfilments, transactions and addresses: in their record's line, replaced with it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from syncline.apps.commerce.mirror.loading import load_lines
from syncline.apps.commerce.mirror.models import customer_address, fulfillment, order_transaction, refund, shop_order
from syncline.connectors.shopify import samples
from syncline.runtime.db.session import WriteSession

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STORE = UUID("01920000-0000-7000-8000-000000000001")


def order(*refunds: int, updated_at: str = "2026-11-22T10:00:00Z", **more: Any) -> bytes:
    node = copy.deepcopy(samples.ORDERS[0]) | {"updatedAt": updated_at, **more}
    del node["lineItems"]
    given = {"createdAt": updated_at, "note": "torn", "totalRefundedSet": {"shopMoney": {"amount": "3.20"}}}
    node["refunds"] = [{"id": f"gid://shopify/Refund/{number}", **given} for number in refunds]
    return msgspec.json.encode(node)


async def refunds(session: WriteSession) -> list[int]:
    return list((await session.execute(select(refund.c.id).order_by(refund.c.id))).scalars())


async def test_parts_lie_in_tables_of_their_own(session: WriteSession) -> None:
    loaded = await load_lines(session, STORE, "orders", [order(1, 2)], read_from=NOON)
    assert (loaded.read, loaded.inserted) == (1, 1)
    assert await refunds(session) == [1, 2]
    sent = (await session.execute(select(fulfillment))).mappings().one()
    assert (sent["status"], sent["location_id"], sent["tracking"]) == (
        "success",
        1,
        [{"company": "CTT", "number": "7", "url": None}],
    )
    paid = (await session.execute(select(order_transaction))).mappings().one()
    assert (paid["kind"], str(paid["amount"]), paid["is_test"]) == ("sale", "12.50", True)


async def test_parts_are_replaced_with_their_record(session: WriteSession) -> None:
    await load_lines(session, STORE, "orders", [order(1, 2)], read_from=NOON)
    await load_lines(session, STORE, "orders", [order(2, 3, updated_at="2026-11-22T11:00:00Z")], read_from=NOON)
    assert await refunds(session) == [2, 3]


async def test_a_changed_part_is_a_change_of_its_record(session: WriteSession) -> None:
    await load_lines(session, STORE, "orders", [order(1)], read_from=NOON)
    loaded = await load_lines(session, STORE, "orders", [order(1, 2)], read_from=NOON)
    assert (loaded.updated, loaded.unchanged) == (1, 0)
    assert await refunds(session) == [1, 2]


async def test_an_older_line_leaves_the_parts_alone(session: WriteSession) -> None:
    await load_lines(session, STORE, "orders", [order(1, 2)], read_from=NOON)
    await load_lines(session, STORE, "orders", [order(updated_at="2026-11-22T09:00:00Z")], read_from=NOON)
    assert await refunds(session) == [1, 2]


async def test_the_same_line_again_writes_no_part(session: WriteSession) -> None:
    await load_lines(session, STORE, "orders", [order(1)], read_from=NOON)
    before = (await session.execute(select(refund, refund.c.store_id))).all()
    loaded = await load_lines(session, STORE, "orders", [order(1)], read_from=NOON)
    assert loaded.unchanged == 1
    assert (await session.execute(select(refund, refund.c.store_id))).all() == before


async def test_a_line_named_twice_in_a_chunk_has_its_parts_once(session: WriteSession) -> None:
    await load_lines(session, STORE, "orders", [order(1, note="a"), order(1, note="b")], read_from=NOON)
    assert await refunds(session) == [1]
    assert (await session.execute(select(shop_order.c.note))).scalar_one() == "b"


async def test_addresses_of_a_customer_keep_what_was_not_said(session: WriteSession) -> None:
    lines = [msgspec.json.encode(one) for one in samples.CUSTOMERS]
    await load_lines(session, STORE, "customers", lines, read_from=NOON)
    rows = (await session.execute(select(customer_address).order_by(customer_address.c.id))).mappings().all()
    assert [(row["customer_id"], row["id"], row["country_code"], row["zip"]) for row in rows] == [
        (number, number, "PT", None) for number in range(1, 6)
    ]
