"""Products, collections, stock and places as webhooks tell them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from syncline.apps.commerce.mirror.kind import sorted_json
from syncline.apps.commerce.webhooks.told import Payload, Reader, Reading, Tidings, Told, moment, number, tags
from syncline.kernel.errors import Skippable

MOST_VARIANTS: Final = 100
"""A payload has no more, however many there are; then `variant_gids` has them all."""


def decimal(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise Skippable("The webhook has an amount that is no number.", detail=f"{value!r:.80}") from error
    if not found.is_finite():
        raise Skippable("The webhook has an amount that is no number.", detail=f"{value!r:.80}")
    return found


def product(payload: Payload) -> Tidings:
    own = number(payload, "id")
    listed = payload.get("variants") or []
    count = max(len(listed), len(payload.get("variant_gids") or []))
    options = payload.get("options") or []
    values: dict[str, Any] = {
        "id": own,
        "handle": str(payload.get("handle") or ""),
        "title": str(payload.get("title") or ""),
        "description_html": payload.get("body_html") or "",
        "vendor": payload.get("vendor") or "",
        "product_type": payload.get("product_type") or "",
        "status": str(payload.get("status") or "active").lower(),
        "tags": tags(payload),
        "template_suffix": payload.get("template_suffix"),
        "options": sorted_json([{"name": one["name"], "values": one.get("values") or []} for one in options]),
        "variants_count": count,
        "created_at": moment(payload, "created_at"),
        "published_at": moment(payload, "published_at"),
    }
    version = moment(payload, "updated_at")
    names = [option["name"] for option in options]
    # A payload of an old API version names no inventory items: then the reading below brings the variants.
    variants = [_variant(one, own, names) for one in listed if one.get("inventory_item_id") is not None]
    is_whole = count == len(listed) and count < MOST_VARIANTS
    return Tidings(
        kind="product",
        number=own,
        version=version,
        told=[Told("product", (own,), version, values), *variants],
        only={"variant": frozenset(number(one, "id") for one in listed)} if is_whole and listed else {},
        readings=[("products", own, 0), ("media", own, 0)],
    )


def _variant(payload: Mapping[str, Any], owner: int, names: list[str]) -> Told:
    own = number(payload, "id")
    chosen = [payload.get(f"option{place}") for place in (1, 2, 3)]
    values: dict[str, Any] = {
        "id": own,
        "product_id": owner,
        "title": str(payload.get("title") or ""),
        "sku": payload.get("sku") or None,
        "barcode": payload.get("barcode") or None,
        "price": decimal(payload.get("price")) or Decimal(0),
        "compare_at_price": decimal(payload.get("compare_at_price")),
        "position": int(payload.get("position") or 1),
        "taxable": bool(payload.get("taxable", True)),
        "inventory_policy": str(payload.get("inventory_policy") or "deny").lower(),
        "selected_options": sorted_json(
            [{"name": name, "value": value} for name, value in zip(names, chosen, strict=False) if value is not None]
        ),
        "inventory_item_id": number(payload, "inventory_item_id"),
        "created_at": moment(payload, "created_at"),
    }
    # Left out of webhooks since 2024-07; older versions have them.
    if "inventory_management" in payload:
        values["tracked"] = payload["inventory_management"] is not None
    if "requires_shipping" in payload:
        values["requires_shipping"] = bool(payload["requires_shipping"])
    return Told("variant", (own,), moment(payload, "updated_at"), values)


def collection(payload: Payload) -> Tidings:
    own, version = number(payload, "id"), moment(payload, "updated_at")
    rules = payload.get("rules")
    values: dict[str, Any] = {
        "id": own,
        "handle": str(payload.get("handle") or ""),
        "title": str(payload.get("title") or ""),
        "description_html": payload.get("body_html") or "",
        "sort_order": str(payload.get("sort_order") or "manual").replace("-", "_"),
        "template_suffix": payload.get("template_suffix"),
        "rule_set": None if rules is None else sorted_json(_rule_set(payload, rules)),
    }
    told = Told("collection", (own,), version, values)
    return Tidings("collection", own, version, [told], readings=[("collections", own, 0)])


def _rule_set(payload: Payload, rules: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "appliedDisjunctively": bool(payload.get("disjunctive")),
        "rules": [
            {
                "column": str(one["column"]).upper(),
                "relation": str(one["relation"]).upper(),
                "condition": str(one["condition"]),
            }
            for one in rules
        ],
    }


def location(payload: Payload) -> Tidings:
    own = number(payload, "id")
    values = {"id": own, "name": str(payload.get("name") or ""), "is_active": bool(payload.get("active", True))}
    # Locations have a time here and none in what a pull reads; without it the later to arrive wins.
    return Tidings("location", own, moment(payload, "updated_at"), [Told("location", (own,), None, values)])


def inventory_item(payload: Payload) -> Tidings:
    own, version = number(payload, "id"), moment(payload, "updated_at")
    values: dict[str, Any] = {
        "id": own,
        "sku": payload.get("sku") or None,
        "tracked": bool(payload.get("tracked")),
        "requires_shipping": bool(payload.get("requires_shipping")),
        "country_of_origin": payload.get("country_code_of_origin"),
        "province_of_origin": payload.get("province_code_of_origin"),
        "harmonized_system_code": payload.get("harmonized_system_code"),
        "cost": decimal(payload.get("cost")),
        "created_at": moment(payload, "created_at"),
    }
    told = Told("inventory_item", (own,), version, values)
    return Tidings("inventory_item", own, version, [told], readings=[("inventory_items", own, 0)])


def inventory_level(payload: Payload) -> Tidings:
    """What is on hand, committed and on its way is not in it: the level is read."""
    item, place = number(payload, "inventory_item_id"), number(payload, "location_id")
    version = moment(payload, "updated_at")
    values = {"inventory_item_id": item, "location_id": place, "available": payload.get("available")}
    told = Told("inventory_level", (item, place), version, values)
    return Tidings("inventory_level", item, version, [told], readings=[("inventory", item, place)])


def level_gone(payload: Payload) -> Tidings:
    item, place = number(payload, "inventory_item_id"), number(payload, "location_id")
    return Tidings("inventory_level", item, buried=[("inventory_level", (item, place))])


def gone(kind: str) -> Reader:
    """The number is all that is left."""

    def read(payload: Payload) -> Tidings:
        own = number(payload, "id")
        return Tidings(kind, own, buried=[(kind, (own,))])

    return read


def part_of_order(*streams: str) -> Reader:
    """The payload is about a part of an order, which is read whole. An edit's own payload lies in `order_edit`."""

    def read(payload: Payload) -> Tidings:
        own = number(payload.get("order_edit") or payload, "order_id")
        readings: list[Reading] = [(stream, own, 0) for stream in streams]
        return Tidings("order", own, readings=readings)

    return read
