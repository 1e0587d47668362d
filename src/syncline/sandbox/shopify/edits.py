"""A merchant's edits: changes made in the admin, not through the API, so they are in no ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from syncline.sandbox.shopify import edits_content, edits_sales, edits_shop
from syncline.sandbox.shopify.edit_input import Apply, Edit, EditError, found, known, number, shown
from syncline.sandbox.shopify.product_input import handle_of, tags_of
from syncline.sandbox.shopify.state import NewVariant, Product, Store

__all__ = ["EditError", "apply_edit"]

PRODUCT = frozenset({
    "title", "handle", "description_html", "vendor", "product_type", "status", "tags", "published_at",
    "template_suffix", "seo_title", "seo_description", "is_gift_card",
})  # fmt: skip
VARIANT = frozenset({
    "price", "sku", "barcode", "compare_at_price", "taxable", "inventory_policy", "option_values",
})  # fmt: skip
NEW_ITEM = frozenset({"tracked", "requires_shipping", "unit_cost", "weight", "weight_unit"})
ITEM = NEW_ITEM | {"country_code_of_origin", "province_code_of_origin", "harmonized_system_code"}
LEVEL = frozenset({"available", "committed", "incoming"})
NEW_VARIANT = VARIANT | NEW_ITEM | {"quantities"}


def apply_edit(store: Store, edit: Edit) -> dict[str, Any]:
    """Applies one edit and says what it touched.

        {"action": "update", "kind": "product" | "variant" | "item", "id": 7 or a gid or a handle, "set": {...}}
        {"action": "update", "kind": "level", "item": 43, "location": 61, "set": {"available": 5}}
        {"action": "delete", "kind": "product" | "variant", "id": ...}
        {"action": "create", "kind": "product", "set": {"title": ..., "variants": [{"price": "9.00"}]}}
        {"action": "create", "kind": "variant", "id": <its product>, "set": {"option_values": [...]}}

    Without an action it is an update, without a kind it is a product's. Orders and customers: see `edits_sales`;
    collections, media and metafields: see `edits_content`; the shop and locations: see `edits_shop`. Fields are those
    of the entities, in snake case. Raises `EditError`.
    """
    action, kind = edit.get("action", "update"), edit.get("kind", "product")
    apply = EDITS.get((action, kind))
    if apply is None:
        raise EditError(f"There is no edit {action!r} of {kind!r}.")
    return apply(store, edit, dict(edit.get("set") or {}))


def _update_product(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    product = _product(store, edit)
    store.update_product(product, **_product_fields(fields))
    return shown(product)


def _product_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    chosen = known(fields, PRODUCT)
    if "tags" in chosen:
        chosen["tags"] = tags_of(chosen["tags"])
    if chosen.get("published_at"):
        chosen["published_at"] = datetime.fromisoformat(chosen["published_at"])
    return chosen


def _delete_product(store: Store, edit: Edit, _: dict[str, Any]) -> dict[str, Any]:
    product = _product(store, edit)
    store.delete_product(product)
    return shown(product)


def _create_product(store: Store, _: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    title = fields.pop("title", None)
    if not title:
        raise EditError("A new product needs a title.")
    variants = [_new_variant(one) for one in fields.pop("variants", [])]
    options = [(one["name"], one["values"]) for one in fields.pop("options", [])]
    handle = fields.pop("handle", None) or store.free_handle(handle_of(title) or "product")
    chosen = _product_fields(fields)
    return shown(store.add_product(title=title, handle=handle, options=options, variants=variants, **chosen))


def _update_variant(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    variant = found(store.variants, edit.get("id"), "variant")
    store.update_variant(variant, **known(fields, VARIANT))
    return shown(variant)


def _delete_variant(store: Store, edit: Edit, _: dict[str, Any]) -> dict[str, Any]:
    variant = found(store.variants, edit.get("id"), "variant")
    store.delete_variant(variant)
    return shown(variant)


def _create_variant(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    return shown(store.add_variant(_product(store, edit), _new_variant(fields)))


def _new_variant(fields: Mapping[str, Any]) -> NewVariant:
    chosen = _decimals(known(fields, NEW_VARIANT))
    chosen["quantities"] = {number(place): count for place, count in (chosen.get("quantities") or {}).items()}
    return NewVariant(**chosen)


def _update_item(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    item = found(store.items, edit.get("id"), "inventory item")
    store.update_item(item, **_decimals(known(fields, ITEM)))
    return shown(item)


def _update_level(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    item_id, location_id = number(edit.get("item")), number(edit.get("location"))
    if item_id not in store.items or location_id not in store.locations:
        raise EditError(f"There is no item {edit.get('item')!r} or no location {edit.get('location')!r}.")
    return shown(store.set_level(item_id, location_id, **known(fields, LEVEL)))


def _decimals(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: Decimal(str(value)) if name == "weight" else value for name, value in fields.items()}


def _product(store: Store, edit: Edit) -> Product:
    given = edit.get("id", edit.get("handle"))
    product = store.products.get(number(given)) or store.find_product_by_handle(str(given))
    if product is None:
        raise EditError(f"There is no product {given!r}.")
    return product


EDITS: dict[tuple[str, str], Apply] = {
    ("create", "product"): _create_product,
    ("update", "product"): _update_product,
    ("delete", "product"): _delete_product,
    ("create", "variant"): _create_variant,
    ("update", "variant"): _update_variant,
    ("delete", "variant"): _delete_variant,
    ("update", "item"): _update_item,
    ("update", "level"): _update_level,
    **edits_sales.EDITS,
    **edits_content.EDITS,
    **edits_shop.EDITS,
}
