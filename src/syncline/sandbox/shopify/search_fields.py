"""Which filters each connection knows, how each reads its value, and which of Shopify's the sandbox does not serve.

Names and types are those of the tables in the schema's argument descriptions (API 2026-10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from syncline.sandbox.shopify.search_fields_content import CONTENT
from syncline.sandbox.shopify.search_fields_sales import SALES
from syncline.sandbox.shopify.search_resource import CREATED_AT, ID, UPDATED_AT, Filter, Resource
from syncline.sandbox.shopify.state import (
    Event,
    InventoryItem,
    InventoryLevel,
    Location,
    Product,
    Store,
    Variant,
)


def _variants(store: Store, product: Product) -> list[Variant]:
    return store.variants_of(product)


def _product(store: Store, variant: Variant) -> Product:
    return store.products[variant.product_id]


def _is_reduced(store: Store, product: Product) -> bool:
    return any(
        variant.compare_at_price is not None and Decimal(variant.compare_at_price) > Decimal(variant.price)
        for variant in _variants(store, product)
    )


def _is_out_somewhere(store: Store, product: Product) -> bool:
    return any(
        level.available <= 0
        for variant in _variants(store, product)
        if store.items[variant.item_id].tracked
        for level in store.levels_of(variant.item_id)
    )


def _published_words(_: Store, product: Product) -> Iterable[str]:
    return ("unpublished",) if product.published_at is None else ("published", "visible", "online_store_channel")


def _variant_stock(store: Store, variant: Variant) -> int:
    return sum(level.available for level in store.levels_of(variant.item_id))


def _option(position: int) -> Filter:
    def read(_: Store, variant: Variant) -> str | None:
        values = variant.option_values
        return values[position - 1] if len(values) >= position else None

    return Filter("keyword", read)


def _product_texts(store: Store, product: Product) -> Iterable[str | None]:
    yield from (product.title, product.vendor, product.product_type, product.handle.replace("-", " "))
    yield from product.tags
    for variant in _variants(store, product):
        yield variant.sku
        yield variant.barcode
        yield variant.title


def _variant_texts(store: Store, variant: Variant) -> Iterable[str | None]:
    product = _product(store, variant)
    return (variant.title, variant.sku, variant.barcode, product.title, product.vendor, product.product_type)


PRODUCTS = Resource(
    {
        "id": ID,
        "created_at": CREATED_AT,
        "updated_at": UPDATED_AT,
        "published_at": Filter("time", lambda _, p: p.published_at),
        "title": Filter("text", lambda _, p: p.title),
        "handle": Filter("keyword", lambda _, p: p.handle, listed=True),
        "vendor": Filter("keyword", lambda _, p: p.vendor),
        "product_type": Filter("keyword", lambda _, p: p.product_type, listed=True),
        "status": Filter("keyword", lambda _, p: p.status, listed=True),
        "tag": Filter("keyword", lambda _, p: p.tags, many=True),
        "tag_not": Filter("keyword", lambda _, p: p.tags, many=True, negated=True),
        "gift_card": Filter("boolean", lambda _, p: p.is_gift_card),
        "sku": Filter("keyword", lambda s, p: [v.sku for v in _variants(s, p)], many=True),
        "barcode": Filter("keyword", lambda s, p: [v.barcode for v in _variants(s, p)], many=True),
        "price": Filter("decimal", lambda s, p: [v.price for v in _variants(s, p)], many=True),
        "variant_id": Filter("id", lambda _, p: p.variant_ids, many=True),
        "variant_title": Filter("keyword", lambda s, p: [v.title for v in _variants(s, p)], many=True),
        "has_only_default_variant": Filter(
            "boolean", lambda _, p: [o.values for o in p.options] == [["Default Title"]] and len(p.variant_ids) == 1
        ),
        "inventory_total": Filter("integer", lambda s, p: s.total_inventory(p)),
        "is_price_reduced": Filter("boolean", _is_reduced),
        "out_of_stock_somewhere": Filter("boolean", _is_out_somewhere),
        "collection_id": Filter("id", lambda s, p: s.collections.of_product.get(p.id, ()), many=True),
        "published_status": Filter("keyword", _published_words, many=True),
        "tracks_inventory": Filter("boolean", lambda s, p: any(s.items[v.item_id].tracked for v in _variants(s, p))),
    },
    frozenset({
        "bundles", "category_id", "combined_listing_role", "delivery_profile_id", "error_feedback",
        "has_only_composites", "has_variant_with_components", "product_configuration_owner",
        "product_publication_status", "publication_ids", "publishable_status",
    }),
    _product_texts,
)  # fmt: skip

VARIANTS = Resource(
    {
        "id": ID,
        "updated_at": UPDATED_AT,
        "title": Filter("text", lambda _, v: v.title),
        "sku": Filter("keyword", lambda _, v: v.sku),
        "barcode": Filter("keyword", lambda _, v: v.barcode),
        "taxable": Filter("boolean", lambda _, v: v.taxable),
        "option1": _option(1),
        "option2": _option(2),
        "option3": _option(3),
        "product_id": Filter("id", lambda _, v: v.product_id),
        "product_ids": Filter("id", lambda _, v: v.product_id, listed=True),
        "product_status": Filter("keyword", lambda s, v: _product(s, v).status, listed=True),
        "product_type": Filter("keyword", lambda s, v: _product(s, v).product_type, listed=True),
        "vendor": Filter("keyword", lambda s, v: _product(s, v).vendor),
        "tag": Filter("keyword", lambda s, v: _product(s, v).tags, many=True),
        "tag_not": Filter("keyword", lambda s, v: _product(s, v).tags, many=True, negated=True),
        "gift_card": Filter("boolean", lambda s, v: _product(s, v).is_gift_card),
        "inventory_quantity": Filter("integer", _variant_stock),
        "location_id": Filter("id", lambda s, v: s.levels_of_item.get(v.item_id, ()), many=True),
        "managed": Filter("boolean", lambda s, v: s.items[v.item_id].tracked),
    },
    frozenset({
        "collection", "delivery_profile_id", "exclude_composite", "exclude_variants_with_components", "managed_by",
        "product_publication_status", "publishable_status", "published_status", "requires_components",
    }),
    _variant_texts,
)  # fmt: skip


def _item_sku(store: Store, item: InventoryItem) -> str | None:
    return store.variants[item.variant_id].sku


def _level_item(_: Store, level: InventoryLevel) -> int:
    return level.item_id


def _location_name(_: Store, location: Location) -> Iterable[str]:
    return (location.name,)


def _event_subject(_: Store, event: Event) -> str:
    return event.subject_type


RESOURCES: Mapping[str, Resource] = {
    "products": PRODUCTS,
    "variants": VARIANTS,
    "items": Resource(
        {"id": ID, "created_at": CREATED_AT, "updated_at": UPDATED_AT, "sku": Filter("keyword", _item_sku)}
    ),
    "levels": Resource(
        {
            "id": ID,
            "created_at": CREATED_AT,
            "updated_at": UPDATED_AT,
            "inventory_item_id": Filter("id", _level_item),
        },
        frozenset({"inventory_group_id"}),
    ),
    "locations": Resource(
        {
            "id": ID,
            "location_id": ID,
            "created_at": CREATED_AT,
            "active": Filter("boolean", lambda _, at: at.is_active),
        },
        frozenset({
            "address1", "address2", "city", "country", "geolocated", "legacy", "pickup_in_store", "province", "zip",
        }),
        _location_name,
    ),
    "events": Resource(
        {
            "id": ID,
            "created_at": CREATED_AT,
            "action": Filter("keyword", lambda _, event: event.action),
            # Not in the table, yet `verb:destroy` selected deletions on a live store (August 2026).
            "verb": Filter("keyword", lambda _, event: event.action),
            "subject_type": Filter("keyword", _event_subject),
            # The sandbox writes no comment events, so leaving them out changes nothing.
            "comments": Filter("anything", lambda _, _event: None),
        }
    ),
    **SALES,
    **CONTENT,
    "webhook_subscriptions": Resource(
        {
            "id": ID,
            "created_at": CREATED_AT,
            "updated_at": UPDATED_AT,
            "endpoint": Filter("keyword", lambda _, one: one.uri),
            "topic": Filter("keyword", lambda _, one: one.topic),
        }
    ),
    "bulk_operations": Resource(
        {
            "id": ID,
            "created_at": CREATED_AT,
            "operation_type": Filter("keyword", lambda _, operation: operation.type),
            "status": Filter("keyword", lambda _, operation: operation.status),
        }
    ),
}  # fmt: skip
