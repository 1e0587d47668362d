"""A merchant's edits: changes made in the admin, not through the API, so they are in no ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from syncline.sandbox.shopify.amounts import moment
from syncline.sandbox.shopify.ids import parse_gid
from syncline.sandbox.shopify.product_input import handle_of, tags_of
from syncline.sandbox.shopify.state import InventoryItem, InventoryLevel, NewVariant, Product, Store, Variant

PRODUCT = frozenset({
    "title", "handle", "description_html", "vendor", "product_type", "status", "tags", "published_at",
    "template_suffix", "seo_title", "seo_description", "is_gift_card",
})  # fmt: skip
VARIANT = frozenset({
    "price", "sku", "barcode", "compare_at_price", "taxable", "inventory_policy", "option_values",
})  # fmt: skip
ITEM = frozenset({"tracked", "requires_shipping", "unit_cost", "weight", "weight_unit"})
LEVEL = frozenset({"available", "committed", "incoming"})
NEW_VARIANT = VARIANT | ITEM | {"quantities"}


class EditError(ValueError):
    """The edit names something that is not there, or a field nobody has."""


def apply_edit(store: Store, edit: Mapping[str, Any]) -> dict[str, Any]:
    """Applies one edit and says what it touched.

        {"action": "update", "kind": "product" | "variant" | "item", "id": 7 or a gid or a handle, "set": {...}}
        {"action": "update", "kind": "level", "item": 43, "location": 61, "set": {"available": 5}}
        {"action": "delete", "kind": "product" | "variant", "id": ...}
        {"action": "create", "kind": "product", "set": {"title": ..., "variants": [{"price": "9.00"}]}}
        {"action": "create", "kind": "variant", "id": <its product>, "set": {"option_values": [...]}}

    Fields are those of `state`, in snake case. Raises `EditError`.
    """
    action, kind = edit.get("action", "update"), edit.get("kind", "product")
    fields = dict(edit.get("set") or {})
    match action, kind:
        case "update", "product":
            return _shown(_update_product(store, _product(store, edit), fields))
        case "update", "variant":
            variant = _variant(store, edit)
            store.update_variant(variant, **_known(fields, VARIANT))
            return _shown(variant)
        case "update", "item":
            item = _item(store, edit)
            store.update_item(item, **_decimals(_known(fields, ITEM)))
            return _shown(item)
        case "update", "level":
            return _shown(_update_level(store, edit, fields))
        case "delete", "product":
            product = _product(store, edit)
            store.delete_product(product)
            return _shown(product)
        case "delete", "variant":
            variant = _variant(store, edit)
            store.delete_variant(variant)
            return _shown(variant)
        case "create", "product":
            return _shown(_create_product(store, fields))
        case "create", "variant":
            return _shown(store.add_variant(_product(store, edit), _new_variant(fields)))
    raise EditError(f"There is no edit {action!r} of {kind!r}.")


def _update_product(store: Store, product: Product, fields: dict[str, Any]) -> Product:
    store.update_product(product, **_product_fields(fields))
    return product


def _product_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    known = _known(fields, PRODUCT)
    if "tags" in known:
        known["tags"] = tags_of(known["tags"])
    if known.get("published_at"):
        known["published_at"] = datetime.fromisoformat(known["published_at"])
    return known


def _update_level(store: Store, edit: Mapping[str, Any], fields: Mapping[str, Any]) -> InventoryLevel:
    item_id, location_id = _number(edit.get("item")), _number(edit.get("location"))
    if item_id not in store.items or location_id not in store.locations:
        raise EditError(f"There is no item {edit.get('item')!r} or no location {edit.get('location')!r}.")
    return store.set_level(item_id, location_id, **_known(fields, LEVEL))


def _create_product(store: Store, fields: dict[str, Any]) -> Product:
    title = fields.pop("title", None)
    if not title:
        raise EditError("A new product needs a title.")
    variants = [_new_variant(one) for one in fields.pop("variants", [])]
    options = [(one["name"], one["values"]) for one in fields.pop("options", [])]
    handle = fields.pop("handle", None) or store.free_handle(handle_of(title) or "product")
    return store.add_product(title=title, handle=handle, options=options, variants=variants, **_product_fields(fields))


def _new_variant(fields: Mapping[str, Any]) -> NewVariant:
    known = _decimals(_known(fields, NEW_VARIANT))
    known["quantities"] = {_number(place): count for place, count in (known.get("quantities") or {}).items()}
    return NewVariant(**known)


def _known(fields: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    strange = sorted(set(fields) - names)
    if strange:
        raise EditError(f"There is no field {strange[0]!r} to edit; there are {', '.join(sorted(names))}.")
    return dict(fields)


def _decimals(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: Decimal(str(value)) if name == "weight" else value for name, value in fields.items()}


def _number(given: Any) -> int:
    found = parse_gid(given) if isinstance(given, str) else None
    if found is not None:
        return found.number
    try:
        return int(given)
    except (TypeError, ValueError):
        return 0


def _product(store: Store, edit: Mapping[str, Any]) -> Product:
    given = edit.get("id", edit.get("handle"))
    product = store.products.get(_number(given)) or store.find_product_by_handle(str(given))
    if product is None:
        raise EditError(f"There is no product {given!r}.")
    return product


def _variant(store: Store, edit: Mapping[str, Any]) -> Variant:
    variant = store.variants.get(_number(edit.get("id")))
    if variant is None:
        raise EditError(f"There is no variant {edit.get('id')!r}.")
    return variant


def _item(store: Store, edit: Mapping[str, Any]) -> InventoryItem:
    item = store.items.get(_number(edit.get("id")))
    if item is None:
        raise EditError(f"There is no inventory item {edit.get('id')!r}.")
    return item


def _shown(entity: Product | Variant | InventoryItem | InventoryLevel) -> dict[str, Any]:
    return {"kind": type(entity).__name__, "id": entity.id, "updatedAt": moment(entity.updated_at)}
