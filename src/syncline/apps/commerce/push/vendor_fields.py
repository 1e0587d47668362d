"""Our field values as the connector's write actions take them, under Shopify's names, and back from its answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from syncline.apps.commerce.fields import AnyValue, canonical

State = Mapping[str, AnyValue]

_PRODUCT = {
    "title": "title",
    "description_html": "descriptionHtml",
    "vendor": "vendor",
    "product_type": "productType",
    "tags": "tags",
    "template_suffix": "templateSuffix",
}
_VARIANT = {
    "price": "price",
    "compare_at_price": "compareAtPrice",
    "barcode": "barcode",
    "taxable": "taxable",
    "sku": "sku",
    "cost": "unitCost",
    "requires_shipping": "requiresShipping",
    "tracked": "tracked",
}


def product_input(after: State, now: State) -> dict[str, Any]:
    """`now` fills in the half of an SEO pair that is not changed: Shopify takes both together."""
    given: dict[str, Any] = {theirs: after[ours] for ours, theirs in _PRODUCT.items() if ours in after}
    if "status" in after:
        given["status"] = str(after["status"]).upper()
    if "seo_title" in after or "seo_description" in after:
        given["seo"] = {
            "title": after.get("seo_title", now.get("seo_title")),
            "description": after.get("seo_description", now.get("seo_description")),
        }
    return given


def variant_input(after: State, now: State) -> dict[str, Any]:
    """`now` fills in the half of a weight that is not changed."""
    given: dict[str, Any] = {theirs: after[ours] for ours, theirs in _VARIANT.items() if ours in after}
    if "inventory_policy" in after:
        given["inventoryPolicy"] = str(after["inventory_policy"]).upper()
    if "weight" in after or "weight_unit" in after:
        weight = after.get("weight", now.get("weight"))
        unit = after.get("weight_unit", now.get("weight_unit")) or "kilograms"
        given["weight"] = {"value": float(str(weight or 0)), "unit": str(unit).upper()}
    return given


_COLLECTION = {
    "collection_title": "title",
    "collection_handle": "handle",
    "collection_description": "descriptionHtml",
}


def collection_input(after: State, now: State) -> dict[str, Any]:
    """`now` fills in the half of an SEO pair that is not changed."""
    given: dict[str, Any] = {theirs: after[ours] for ours, theirs in _COLLECTION.items() if ours in after}
    if "collection_sort_order" in after:
        given["sortOrder"] = str(after["collection_sort_order"]).upper()
    if "collection_seo_title" in after or "collection_seo_description" in after:
        given["seo"] = {
            name: after.get(f"collection_seo_{name}", now.get(f"collection_seo_{name}"))
            for name in ("title", "description")
        }
    return given


_ITEM = "inventoryItem"
_WEIGHT = (_ITEM, "measurement", "weight")
_ANSWERED: Mapping[str, tuple[str, ...]] = {
    **{ours: (theirs,) for ours, theirs in _PRODUCT.items()},
    **{ours: (theirs,) for ours, theirs in _VARIANT.items()},
    **{ours: (theirs,) for ours, theirs in _COLLECTION.items()},
    "collection_sort_order": ("sortOrder",),
    "image_alt": ("alt",),
    "collection_seo_title": ("seo", "title"),
    "collection_seo_description": ("seo", "description"),
    "status": ("status",),
    "seo_title": ("seo", "title"),
    "seo_description": ("seo", "description"),
    "inventory_policy": ("inventoryPolicy",),
    "cost": (_ITEM, "unitCost", "amount"),
    "requires_shipping": (_ITEM, "requiresShipping"),
    "tracked": (_ITEM, "tracked"),
    "weight": (*_WEIGHT, "value"),
    "weight_unit": (*_WEIGHT, "unit"),
    "available": ("available",),
}


_PAIRS = (
    frozenset({"seo_title", "seo_description"}),
    frozenset({"collection_seo_title", "collection_seo_description"}),
    frozenset({"weight", "weight_unit"}),
)
"""Shopify takes both of a pair together, so the half that is not changed is sent as it was read."""


def to_compare(changes: Iterable[tuple[State, State]]) -> frozenset[str]:
    """The fields that must be read before these changes (before, after) are made."""
    named = {name for before, after in changes for name in (*before, *after)}
    return frozenset(named.union(*(pair for pair in _PAIRS if pair & named)))


def paths_of(names: Iterable[str]) -> frozenset[tuple[str, ...]]:
    """Where the fields stand in Shopify's record."""
    return frozenset(_ANSWERED[name] for name in names)


def state_of(names: Iterable[str], node: Mapping[str, Any], currency: str) -> dict[str, AnyValue]:
    """The fields as a record holds them that was read by their paths."""
    return {name: _answered(name, None, node, currency) for name in names}


def answered(after: State, values: Mapping[str, Any], currency: str) -> dict[str, AnyValue]:
    """The fields of `after` as the store has them now: it sorts tags and tidies texts. A field the answer does not
    carry is as it was asked for."""
    return {name: _answered(name, wanted, values, currency) for name, wanted in after.items()}


def _answered(name: str, wanted: AnyValue, values: Mapping[str, Any], currency: str) -> AnyValue:
    found: Any = values
    for step in _ANSWERED[name]:
        if found is None:
            return None
        if step not in found:
            return wanted
        found = found[step]
    return canonical(name, found, currency)
