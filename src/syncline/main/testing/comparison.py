"""A shop's own memory against the mirror's rows, value by value, by a reading of its own: nothing here is shared with
what filled the mirror."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, LiteralString
from uuid import UUID

from syncline.main.testing.expected_catalog import Records, catalog_of
from syncline.main.testing.expected_sales import sales_of
from syncline.main.testing.shop import Shop
from syncline.main.testing.works import Works


async def in_shop(shop: Shop) -> dict[str, Records]:
    """Every record by kind and key, under the mirror's names."""
    return {**await catalog_of(shop), **await sales_of(shop)}


async def count_in_shop(shop: Shop) -> dict[str, int]:
    """How many records of each kind, without the parts that lie in another record's line."""
    return {kind: len(records) for kind, records in (await in_shop(shop)).items() if kind not in _PARTS}


_BY_ID: LiteralString = "select array[id], to_jsonb(p) from commerce."
_QUERIES: dict[str, LiteralString] = {
    "product": _BY_ID + "product p",
    "variant": _BY_ID + "variant p",
    "location": _BY_ID + "location p",
    "inventory_level": "select array[inventory_item_id, location_id], to_jsonb(p) from commerce.inventory_level p",
    "inventory_item": _BY_ID + "inventory_item p",
    "collection": _BY_ID + "collection p",
    "collection_membership": (
        "select array[collection_id, product_id], to_jsonb(p) from commerce.collection_membership p"
    ),
    "product_media": "select array[product_id, id], to_jsonb(p) from commerce.product_media p",
    "metafield": _BY_ID + "metafield p",
    "order": _BY_ID + "shop_order p",
    "order_line": _BY_ID + "order_line p",
    "refund_line": _BY_ID + "refund_line p",
    "customer": _BY_ID + "customer p",
    "collection_metafield": _BY_ID + "collection_metafield p",
    "order_metafield": _BY_ID + "order_metafield p",
    "customer_metafield": _BY_ID + "customer_metafield p",
}
_PARTS: dict[str, LiteralString] = {
    "refund": "select array[order_id, id], to_jsonb(p) from commerce.refund p",
    "fulfillment": "select array[order_id, id], to_jsonb(p) from commerce.fulfillment p",
    "order_transaction": "select array[order_id, id], to_jsonb(p) from commerce.order_transaction p",
    "customer_address": "select array[customer_id, id], to_jsonb(p) from commerce.customer_address p",
}
# The parts of a record that is gone stay with its tombstone.
_OWNERS: dict[str, LiteralString] = {
    "refund": "commerce.shop_order o where o.id = p.order_id",
    "fulfillment": "commerce.shop_order o where o.id = p.order_id",
    "order_transaction": "commerce.shop_order o where o.id = p.order_id",
    "customer_address": "commerce.customer o where o.id = p.customer_id",
}
_MOMENTS = frozenset(
    {"created_at", "published_at", "source_updated_at", "updated_at", "processed_at", "cancelled_at", "closed_at"}
)
_AMOUNTS = frozenset(
    {
        *("price", "compare_at_price", "cost", "weight", "total", "subtotal", "tax", "discounts", "shipping"),
        *("refunded", "current_total", "unit_price", "discounted_total", "discount", "amount", "amount_spent"),
    }
)


async def in_mirror(works: Works, store_id: UUID, kind: str) -> Records:
    """The live rows of one kind."""
    if kind in _PARTS:
        alive = " and exists (select from " + _OWNERS[kind] + " and o.store_id = p.store_id and o.deleted_at is null)"
        rows = await works.rows(_PARTS[kind] + " where store_id = %(store)s" + alive, store=store_id)
    else:
        rows = await works.rows(_QUERIES[kind] + " where store_id = %(store)s and deleted_at is null", store=store_id)
    return {tuple(key): {name: _value(name, value) for name, value in row.items()} for key, row in rows}


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _MOMENTS:
        return datetime.fromisoformat(value)
    return Decimal(str(value)) if name in _AMOUNTS else value


def _differences(kind: str, there: Records, here: Records, without: frozenset[str]) -> Iterable[str]:
    yield from (f"{kind} {key} is missing" for key in there.keys() - here.keys())
    yield from (f"{kind} {key} should be gone" for key in here.keys() - there.keys())
    for key in there.keys() & here.keys():
        for name, value in there[key].items():
            if name not in without and here[key][name] != value:
                yield f"{kind} {key} {name}: shop {value!r}, mirror {here[key][name]!r}"


async def differences(
    works: Works, shop: Shop, store_id: UUID, *, without: Iterable[str] = (), kinds: Iterable[str] = ()
) -> list[str]:
    """What the mirror has otherwise than the shop; empty when every value of every record is the same. `without` names
    columns to leave out, `kinds` the only kinds to look at."""
    there = await in_shop(shop)
    return [
        line
        for kind, records in there.items()
        if not kinds or kind in set(kinds)
        for line in _differences(kind, records, await in_mirror(works, store_id, kind), frozenset(without))
    ]
