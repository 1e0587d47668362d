"""What the mirror should hold of a shop's catalogue, from the shop's own memory, under the mirror's names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from syncline.main.testing.shop import Shop

Records = dict[tuple[int, ...], dict[str, Any]]


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


async def catalog_of(shop: Shop) -> dict[str, Records]:
    """Every record by kind and key."""
    items = {item["id"]: item for item in await shop.rows("items")}
    products = {product["id"]: product for product in await shop.rows("products")}
    variants = {variant["id"]: variant for variant in await shop.rows("variants")}
    return {
        "product": {(number,): _product(product) for number, product in products.items()},
        "variant": {
            (number,): _variant(v, items[v["item_id"]], products[v["product_id"]]) for number, v in variants.items()
        },
        "location": {
            (place["id"],): {"name": place["name"], "is_active": place["is_active"]}
            for place in await shop.rows("locations")
        },
        "inventory_level": {(row["item_id"], row["location_id"]): _level(row) for row in await shop.rows("levels")},
        "inventory_item": {(number,): _item(item, variants[item["variant_id"]]) for number, item in items.items()},
        **await _collections(shop),
        **await _content(shop),
    }


async def _collections(shop: Shop) -> dict[str, Records]:
    memberships = [(row["collection_id"], row["product_id"]) for row in await shop.rows("memberships")]
    sizes = Counter(collection for collection, _ in memberships)
    return {
        "collection": {
            (row["id"],): {**_collection(row), "products_count": sizes[row["id"]]}
            for row in await shop.rows("collections")
        },
        "collection_membership": {key: {} for key in memberships},
    }


async def _content(shop: Shop) -> dict[str, Records]:
    """Media and metafields."""
    media = {row["id"]: row for row in await shop.rows("media")}
    owners = {"Product": "product", "ProductVariant": "variant"}
    return {
        "product_media": {
            (row["product_id"], row["media_id"]): {**_media(media[row["media_id"]]), "position": row["position"]}
            for row in await shop.rows("product_media")
        },
        "metafield": {
            (row["id"],): {
                **{name: row[name] for name in ("owner_id", "namespace", "key", "type", "value")},
                "owner_type": owners[row["owner_type"]],
                "created_at": moment(row["created_at"]),
                "source_updated_at": moment(row["updated_at"]),
            }
            for row in await shop.rows("metafields")
            if row["owner_type"] in owners
        },
        **await _owned_metafields(shop),
    }


async def _owned_metafields(shop: Shop) -> dict[str, Records]:
    """Of collections, orders and customers."""
    rows = await shop.rows("metafields")
    return {
        f"{owner}_metafield": {
            (row["id"],): {
                **{name: row[name] for name in ("namespace", "key", "type", "value")},
                f"{owner}_id": row["owner_id"],
                "created_at": moment(row["created_at"]),
                "source_updated_at": moment(row["updated_at"]),
            }
            for row in rows
            if row["owner_type"] == owner.title()
        }
        for owner in ("collection", "order", "customer")
    }


def _product(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("handle", "title", "description_html", "vendor", "product_type", "tags", "template_suffix")
    return {
        **{name: row[name] for name in (*plain, "seo_title", "seo_description", "is_gift_card")},
        "status": row["status"].lower(),
        "options": [{"name": option["name"], "values": option["values"]} for option in row["options"]],
        "variants_count": len(row["variant_ids"]),
        "created_at": moment(row["created_at"]),
        "published_at": moment(row["published_at"]),
        "source_updated_at": moment(row["updated_at"]),
    }


def _variant(row: Mapping[str, Any], item: Mapping[str, Any], product: Mapping[str, Any]) -> dict[str, Any]:
    names = [option["name"] for option in product["options"]]
    return {
        **{name: row[name] for name in ("product_id", "title", "sku", "barcode", "position", "taxable")},
        "price": amount(row["price"]),
        "compare_at_price": amount(row["compare_at_price"]),
        "inventory_policy": row["inventory_policy"].lower(),
        "selected_options": [
            {"name": name, "value": value} for name, value in zip(names, row["option_values"], strict=True)
        ],
        "inventory_item_id": item["id"],
        "tracked": item["tracked"],
        "requires_shipping": item["requires_shipping"],
        "cost": amount(item["unit_cost"]),
        "weight": Decimal(item["weight"]),
        "weight_unit": item["weight_unit"].lower(),
        "created_at": moment(row["created_at"]),
        "source_updated_at": moment(row["updated_at"]),
    }


def _level(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "available": row["available"],
        "on_hand": row["available"] + row["committed"],
        "committed": row["committed"],
        "incoming": row["incoming"],
        "source_updated_at": moment(row["updated_at"]),
    }


def _item(row: Mapping[str, Any], variant: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sku": variant["sku"],
        "tracked": row["tracked"],
        "requires_shipping": row["requires_shipping"],
        "country_of_origin": row["country_code_of_origin"],
        "province_of_origin": row["province_code_of_origin"],
        "harmonized_system_code": row["harmonized_system_code"],
        "cost": amount(row["unit_cost"]),
        "weight": Decimal(row["weight"]),
        "weight_unit": row["weight_unit"].lower(),
        "created_at": moment(row["created_at"]),
        "source_updated_at": moment(row["updated_at"]),
    }


def _collection(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("handle", "title", "description_html", "template_suffix", "seo_title", "seo_description")
    rules = row["rules"]
    return {
        **{name: row[name] for name in plain},
        "sort_order": row["sort_order"].lower(),
        "rule_set": {"appliedDisjunctively": rules["disjunctive"], "rules": rules["rules"]} if rules else None,
        "source_updated_at": moment(row["updated_at"]),
    }


def _media(row: Mapping[str, Any]) -> dict[str, Any]:
    is_image = row["content_type"] == "IMAGE"
    return {
        "type": row["content_type"].lower(),
        "alt": row["alt"],
        "status": row["status"].lower(),
        "width": row["width"] if is_image else None,
        "height": row["height"] if is_image else None,
    }
