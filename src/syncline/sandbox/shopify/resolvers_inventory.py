"""Fields of inventory items, levels and locations."""

from __future__ import annotations

from typing import Any

from syncline.sandbox.shopify.amounts import moment
from syncline.sandbox.shopify.compiler import Call, Items, Resolver, Run, entries, leaf, single, stored
from syncline.sandbox.shopify.connections import listed, ordered
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.ids import gid, level_gid, number_of
from syncline.sandbox.shopify.ordering import Key, Ordering
from syncline.sandbox.shopify.problems import Refused, bad_request
from syncline.sandbox.shopify.resolvers_catalog import amount
from syncline.sandbox.shopify.state import InventoryItem, InventoryLevel, Location

QUANTITY_NAMES = (
    "available", "on_hand", "committed", "incoming", "reserved", "damaged", "safety_stock", "quality_control",
)  # fmt: skip
"""States of stock in Shopify's documents; the sandbox holds nothing in the last four."""
HIGHEST_ID = 1 << 63
HELD = frozenset({"available", "on_hand", "committed", "incoming"})


def level_id(level: InventoryLevel) -> str:
    return level_gid(level.id, level.item_id)


def _quantities(call: Call) -> Run:
    names = call.args["names"]
    unknown = [name for name in names if name not in QUANTITY_NAMES]
    if unknown:
        message = f"The quantity name {unknown[0]!r} is unknown; there are {', '.join(QUANTITY_NAMES)}."
        raise Refused([bad_request(message, call.nodes[0], call.path)])
    child = call.child()

    def run(level: InventoryLevel) -> list[Any]:
        return [child((level, name)) for name in names]

    return run


def _quantity(held: tuple[InventoryLevel, str]) -> int:
    level, name = held
    return getattr(level, name) if name in HELD else 0


def _quantity_id(held: tuple[InventoryLevel, str]) -> str:
    level, name = held
    return f"gid://shopify/InventoryQuantity/{level.id}?inventory_item_id={level.item_id}&name={name}"


def _levels_of_item(context: Context, _: dict[str, Any]) -> Items:
    levels_of = context.store.levels_of
    return lambda item: levels_of(item.id)


def _order_at(context: Context, _: dict[str, Any]) -> Any:
    order = context.store.level_order

    def ordering(location: Location) -> Ordering[InventoryLevel]:
        return order(location.id)

    return ordering


def _level_at(context: Context, location: Location, key: Key) -> InventoryLevel:
    return context.store.levels[key[0], location.id]


def _level_of_item(call: Call) -> Run:
    location_id = number_of(call.args["locationId"], "Location")
    levels = call.context.store.levels
    child = call.child()

    def run(item: InventoryItem) -> Any:
        level = levels.get((item.id, location_id or 0))
        return None if level is None else child(level)

    return run


def _level_at_location(call: Call) -> Run:
    item_id = number_of(call.args["inventoryItemId"], "InventoryItem")
    levels = call.context.store.levels
    child = call.child()

    def run(location: Location) -> Any:
        level = levels.get((item_id or 0, location.id))
        return None if level is None else child(level)

    return run


def _variant_of(context: Context) -> Run:
    variants = context.store.variants
    return lambda item: variants[item.variant_id]


def _unit_cost(context: Context) -> Run:
    store = context.store
    return lambda item: None if item.unit_cost is None else amount(store, item.unit_cost)


def _same_sku(context: Context) -> Run:
    """How many other items have the same SKU."""
    store = context.store
    by_sku = store.orders("variants")["SKU"]

    def run(item: InventoryItem) -> int:
        sku = store.variants[item.variant_id].sku
        return by_sku.before((sku, HIGHEST_ID)) - by_sku.before((sku, 0)) - 1 if sku else 0

    return run


def _measurement(item: InventoryItem) -> dict[str, Any]:
    return {
        "id": gid("InventoryItemMeasurement", item.id),
        "weight": {"value": float(item.weight), "unit": item.weight_unit},
    }


TYPES: dict[str, dict[str, Resolver]] = {
    "InventoryItem": {
        "id": leaf(lambda item: gid("InventoryItem", item.id)),
        "legacyResourceId": leaf(lambda item: str(item.id)),
        "sku": stored(lambda context: lambda item: context.store.variants[item.variant_id].sku),
        "tracked": leaf(lambda item: item.tracked),
        "requiresShipping": leaf(lambda item: item.requires_shipping),
        "unitCost": single(_unit_cost),
        "measurement": single(lambda _: _measurement),
        "duplicateSkuCount": stored(_same_sku),
        "countryCodeOfOrigin": leaf(lambda item: item.country_code_of_origin),
        "provinceCodeOfOrigin": leaf(lambda item: item.province_code_of_origin),
        "harmonizedSystemCode": leaf(lambda item: item.harmonized_system_code),
        "createdAt": leaf(lambda item: moment(item.created_at)),
        "updatedAt": leaf(lambda item: moment(item.updated_at)),
        "variant": single(_variant_of),
        "inventoryLevel": _level_of_item,
        "inventoryLevels": listed(_levels_of_item, {None: lambda level: level.location_id}),
        "locationsCount": single(
            lambda context: (
                lambda item: {"count": len(context.store.levels_of_item.get(item.id, ())), "precision": "EXACT"}
            )
        ),
    },
    "InventoryItemMeasurement": entries("id", "weight"),
    "Weight": entries("value", "unit"),
    "InventoryLevel": {
        "id": leaf(level_id),
        "isActive": leaf(lambda _: True),
        "canDeactivate": leaf(lambda level: level.on_hand == 0 and level.incoming == 0),
        "createdAt": leaf(lambda level: moment(level.created_at)),
        "updatedAt": leaf(lambda level: moment(level.updated_at)),
        "item": single(lambda context: lambda level: context.store.items[level.item_id]),
        "location": single(lambda context: lambda level: context.store.locations[level.location_id]),
        "quantities": _quantities,
    },
    "InventoryQuantity": {
        "id": leaf(_quantity_id),
        "name": leaf(lambda held: held[1]),
        "quantity": leaf(_quantity),
        "updatedAt": leaf(lambda held: moment(held[0].updated_at)),
    },
    "Location": {
        "id": leaf(lambda location: gid("Location", location.id)),
        "legacyResourceId": leaf(lambda location: str(location.id)),
        "name": leaf(lambda location: location.name),
        "isActive": leaf(lambda location: location.is_active),
        "hasActiveInventory": stored(
            lambda context: lambda location: bool(context.store.levels_at_location[location.id])
        ),
        "createdAt": leaf(lambda location: moment(location.created_at)),
        "updatedAt": leaf(lambda location: moment(location.updated_at)),
        "inventoryLevel": _level_at_location,
        "inventoryLevels": ordered(_order_at, _level_at),
    },
}
