"""What webhooks carry of the catalog: the REST resource as it is at the moment of the action.

Shapes follow the REST resources as shopify.dev documents them (October 2026). Amounts are text, statuses small letters,
tags one text with commas, times carry the shop's offset.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syncline.sandbox.shopify.entities import InventoryItem, InventoryLevel, Location, Product, Variant
from syncline.sandbox.shopify.entities_content import Collection, Media
from syncline.sandbox.shopify.ids import gid, level_gid
from syncline.sandbox.shopify.state import Store

Payload = dict[str, Any]
MOST_OPTIONS = 3
MOST_VARIANTS = 100
"""A payload carries no more: those changed last; `variant_gids` names them all."""


def rest_moment(value: datetime | None) -> str | None:
    """`2026-11-22T10:00:00+00:00`; the sandbox's shop is in UTC."""
    return None if value is None else value.isoformat(timespec="seconds")


def product(store: Store, one: Product) -> Payload:
    images = [media for media in store.media.shown_by(one.id) if media.content_type == "IMAGE"]
    shown = [_image(one, media, place) for place, media in enumerate(images, start=1)]
    variants = store.variants_of(one)
    latest = sorted(variants, key=lambda variant: variant.updated_at, reverse=True)[:MOST_VARIANTS]
    return {
        "admin_graphql_api_id": gid("Product", one.id),
        "body_html": one.description_html or None,
        "created_at": rest_moment(one.created_at),
        "handle": one.handle,
        "id": one.id,
        "product_type": one.product_type,
        "published_at": rest_moment(one.published_at),
        "template_suffix": one.template_suffix,
        "title": one.title,
        "updated_at": rest_moment(one.updated_at),
        "vendor": one.vendor,
        "status": one.status.lower(),
        "published_scope": "global",
        "tags": ", ".join(one.tags),
        "variants": [_variant(store, variant) for variant in sorted(latest, key=lambda variant: variant.position)],
        "options": [
            {
                "name": option.name,
                "id": option.id,
                "product_id": one.id,
                "position": option.position,
                "values": list(option.values),
            }
            for option in one.options
        ],
        "images": shown,
        "image": shown[0] if shown else None,
        "media": [_media(one, media, at) for at, media in enumerate(store.media.shown_by(one.id), start=1)],
        "variant_gids": [
            {
                "admin_graphql_api_id": gid("ProductVariant", variant.id),
                "updated_at": rest_moment(variant.updated_at),
            }
            for variant in variants
        ],
        "has_variants_that_requires_components": False,
        "category": None,
    }


def _variant(store: Store, one: Variant) -> Payload:
    stock = sum(level.available for level in store.levels_of(one.item_id))
    options = [*one.option_values, *[None] * MOST_OPTIONS][:MOST_OPTIONS]
    return {
        "admin_graphql_api_id": gid("ProductVariant", one.id),
        "barcode": one.barcode,
        "compare_at_price": one.compare_at_price,
        "created_at": rest_moment(one.created_at),
        "id": one.id,
        "inventory_policy": one.inventory_policy.lower(),
        "position": one.position,
        "price": one.price,
        "product_id": one.product_id,
        "sku": one.sku,
        "taxable": one.taxable,
        "title": one.title,
        "updated_at": rest_moment(one.updated_at),
        "option1": options[0],
        "option2": options[1],
        "option3": options[2],
        "image_id": None,
        "inventory_item_id": one.item_id,
        "inventory_quantity": stock,
        "old_inventory_quantity": stock,
    }


def _image(owner: Product, media: Media, place: int) -> Payload:
    return {
        "id": media.id,
        "product_id": owner.id,
        "position": place,
        "created_at": rest_moment(media.created_at),
        "updated_at": rest_moment(media.updated_at),
        "alt": media.alt,
        "width": media.width,
        "height": media.height,
        "src": media.url,
        "variant_ids": [],
        "admin_graphql_api_id": gid("ProductImage", media.id),
    }


def _media(owner: Product, media: Media, place: int) -> Payload:
    return {
        "id": media.id,
        "product_id": owner.id,
        "position": place,
        "created_at": rest_moment(media.created_at),
        "updated_at": rest_moment(media.updated_at),
        "alt": media.alt,
        "status": media.status,
        "media_content_type": media.content_type,
        "preview_image": {"width": media.width, "height": media.height, "src": media.preview_url, "status": "READY"},
        "variant_ids": [],
        "admin_graphql_api_id": gid(media.type_name, media.id),
    }


def inventory_item(store: Store, one: InventoryItem) -> Payload:
    return {
        "id": one.id,
        "sku": store.variants[one.variant_id].sku,
        "created_at": rest_moment(one.created_at),
        "updated_at": rest_moment(one.updated_at),
        "requires_shipping": one.requires_shipping,
        "cost": one.unit_cost,
        "country_code_of_origin": one.country_code_of_origin,
        "province_code_of_origin": one.province_code_of_origin,
        "harmonized_system_code": one.harmonized_system_code,
        "tracked": one.tracked,
        "country_harmonized_system_codes": [],
        "weight_value": float(one.weight),
        "weight_unit": one.weight_unit.lower(),
        "admin_graphql_api_id": gid("InventoryItem", one.id),
    }


def inventory_level(_: Store, one: InventoryLevel) -> Payload:
    return {
        "inventory_item_id": one.item_id,
        "location_id": one.location_id,
        "available": one.available,
        "updated_at": rest_moment(one.updated_at),
        "admin_graphql_api_id": level_gid(one.id, one.item_id),
    }


def gone_level(_: Store, one: InventoryLevel) -> Payload:
    return {"inventory_item_id": one.item_id, "location_id": one.location_id}


def collection(_: Store, one: Collection) -> Payload:
    shown: Payload = {
        "id": one.id,
        "handle": one.handle,
        "title": one.title,
        "updated_at": rest_moment(one.updated_at),
        "body_html": one.description_html or None,
        "published_at": rest_moment(one.updated_at),
        "sort_order": one.sort_order.lower().replace("_", "-"),
        "template_suffix": one.template_suffix,
        "published_scope": "global",
        "admin_graphql_api_id": gid("Collection", one.id),
    }
    if one.rules is None:
        return shown
    rules = [
        {"column": rule.column.lower(), "relation": rule.relation.lower(), "condition": rule.condition}
        for rule in one.rules.rules
    ]
    return {**shown, "disjunctive": one.rules.disjunctive, "rules": rules}


def location(_: Store, one: Location) -> Payload:
    return {
        "id": one.id,
        "name": one.name,
        **dict.fromkeys(("address1", "address2", "city", "zip", "province")),
        "country": "US",
        "phone": None,
        "created_at": rest_moment(one.created_at),
        "updated_at": rest_moment(one.updated_at),
        "country_code": "US",
        "country_name": "United States",
        "province_code": None,
        "legacy": False,
        "active": one.is_active,
        "admin_graphql_api_id": gid("Location", one.id),
    }


def gone(_: Store, one: Any) -> Payload:
    """Of what was deleted the number is left."""
    return {"id": one.id}
