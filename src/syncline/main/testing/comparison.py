"""A shop's own memory against the mirror's rows, value by value, by a reading of its own: nothing here is shared with
what filled the mirror."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, LiteralString
from uuid import UUID

from syncline.main.testing.shop import Shop
from syncline.main.testing.works import Works

Records = dict[tuple[int, ...], dict[str, Any]]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


async def in_shop(shop: Shop) -> dict[str, Records]:
    """Every record by kind and key, under the mirror's names."""
    items = {item["id"]: item for item in await shop.rows("items")}
    products = {product["id"]: product for product in await shop.rows("products")}
    variants = await shop.rows("variants")
    return {
        "product": {(number,): _product(product) for number, product in products.items()},
        "variant": {(v["id"],): _variant(v, items[v["item_id"]], products[v["product_id"]]) for v in variants},
        "location": {
            (place["id"],): {"name": place["name"], "is_active": place["is_active"]}
            for place in await shop.rows("locations")
        },
        "inventory_level": {(row["item_id"], row["location_id"]): _level(row) for row in await shop.rows("levels")},
    }


def _product(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("handle", "title", "description_html", "vendor", "product_type", "tags", "template_suffix")
    return {
        **{name: row[name] for name in (*plain, "seo_title", "seo_description", "is_gift_card")},
        "status": row["status"].lower(),
        "options": [{"name": option["name"], "values": option["values"]} for option in row["options"]],
        "variants_count": len(row["variant_ids"]),
        "created_at": _moment(row["created_at"]),
        "published_at": _moment(row["published_at"]),
        "source_updated_at": _moment(row["updated_at"]),
    }


def _variant(row: Mapping[str, Any], item: Mapping[str, Any], product: Mapping[str, Any]) -> dict[str, Any]:
    names = [option["name"] for option in product["options"]]
    return {
        **{name: row[name] for name in ("product_id", "title", "sku", "barcode", "position", "taxable")},
        "price": _amount(row["price"]),
        "compare_at_price": _amount(row["compare_at_price"]),
        "inventory_policy": row["inventory_policy"].lower(),
        "selected_options": [
            {"name": name, "value": value} for name, value in zip(names, row["option_values"], strict=True)
        ],
        "inventory_item_id": item["id"],
        "tracked": item["tracked"],
        "requires_shipping": item["requires_shipping"],
        "cost": _amount(item["unit_cost"]),
        "weight": Decimal(item["weight"]),
        "weight_unit": item["weight_unit"].lower(),
        "created_at": _moment(row["created_at"]),
        "source_updated_at": _moment(row["updated_at"]),
    }


def _level(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "available": row["available"],
        "on_hand": row["available"] + row["committed"],
        "committed": row["committed"],
        "incoming": row["incoming"],
        "source_updated_at": _moment(row["updated_at"]),
    }


_QUERIES: dict[str, tuple[int, LiteralString]] = {
    "product": (1, "select array[id], to_jsonb(p) from commerce.product p"),
    "variant": (1, "select array[id], to_jsonb(p) from commerce.variant p"),
    "location": (1, "select array[id], to_jsonb(p) from commerce.location p"),
    "inventory_level": (2, "select array[inventory_item_id, location_id], to_jsonb(p) from commerce.inventory_level p"),
}
_MOMENTS = frozenset({"created_at", "published_at", "source_updated_at"})
_AMOUNTS = frozenset({"price", "compare_at_price", "cost", "weight"})


async def in_mirror(works: Works, store_id: UUID, kind: str) -> Records:
    """The live rows of one kind."""
    _, query = _QUERIES[kind]
    rows = await works.rows(query + " where store_id = %(store)s and deleted_at is null", store=store_id)
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


async def differences(works: Works, shop: Shop, store_id: UUID, *, without: Iterable[str] = ()) -> list[str]:
    """What the mirror has otherwise than the shop; empty when every value of every record is the same. `without` names
    columns to leave out."""
    there = await in_shop(shop)
    return [
        line
        for kind, records in there.items()
        for line in _differences(kind, records, await in_mirror(works, store_id, kind), frozenset(without))
    ]
