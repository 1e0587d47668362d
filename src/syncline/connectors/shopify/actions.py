"""Writing to a store. Every row gets its own answer; nothing is sent twice that might have been carried out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from syncline.connectors.shopify import ids, queries
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.collections import (
    add_members,
    read_collections,
    read_members,
    remove_members,
    update_collection,
)
from syncline.connectors.shopify.cost import MAX_INPUT
from syncline.connectors.shopify.images import read_images, set_image_alts
from syncline.connectors.shopify.inventory import LevelChange, set_inventory
from syncline.connectors.shopify.media import delete_media, order_media, read_galleries, read_media
from syncline.connectors.shopify.media_adding import NewMedium, add_media
from syncline.connectors.shopify.metafields import delete_metafields, read_metafields, set_metafields
from syncline.connectors.shopify.reads import read_levels, read_products, read_variants
from syncline.connectors.shopify.results import UserError, WriteResult, by_row, silent, user_errors
from syncline.runtime.connect.connector import Action

__all__ = [
    "ACTIONS",
    "PRODUCT_FIELDS",
    "VARIANT_FIELDS",
    "LevelChange",
    "NewMedium",
    "add_media",
    "add_members",
    "delete_media",
    "delete_metafields",
    "order_media",
    "read_collections",
    "read_galleries",
    "read_images",
    "read_levels",
    "read_media",
    "read_members",
    "read_metafields",
    "read_products",
    "read_variants",
    "remove_members",
    "set_image_alts",
    "set_inventory",
    "set_metafields",
    "update_collection",
    "update_product",
    "update_variants",
]

ACTIONS: Final = (
    Action("update_product", "product id; values are absolute, so read back after OutcomeUnknown", ("write_products",)),
    Action(
        "update_variants", "variant id; values are absolute, so read back after OutcomeUnknown", ("write_products",)
    ),
    Action(
        "set_inventory",
        "the caller's key, sent as @idempotent and kept 24 h by Shopify; on 2025-10 read back after OutcomeUnknown",
        ("write_inventory",),
    ),
    Action(
        "set_metafields",
        "the digest of the value it goes over; a repeat is refused as stale, and read back after OutcomeUnknown",
        ("write_products",),
    ),
    Action(
        "update_collection",
        "collection id; values are absolute, so read back after OutcomeUnknown",
        ("write_products",),
    ),
    Action(
        "add_members",
        "collection and product; Shopify refuses one that is in it already, so read back after OutcomeUnknown",
        ("write_products",),
    ),
    Action("remove_members", "collection and product; a repeat removes nothing more", ("write_products",)),
    Action(
        "set_image_alts",
        "product and image; values are absolute, so read back after OutcomeUnknown",
        ("write_products",),
    ),
    Action(
        "add_media",
        "none: after OutcomeUnknown, an image that was not shown before is looked for by its name and its text",
        ("write_products",),
    ),
    Action(
        "delete_media",
        "product and medium; a repeat deletes nothing more, and nothing can be brought back",
        ("write_products",),
    ),
    Action(
        "order_media",
        "product; the whole order is given, so a repeat moves nothing; read back after OutcomeUnknown",
        ("write_products",),
    ),
    Action(
        "create_product",
        "handle; Shopify refuses one that is taken, so look for it after OutcomeUnknown",
        ("write_products", "write_inventory"),
    ),
    Action(
        "delete_product", "product id; a repeat finds nothing, and nothing can be brought back", ("write_products",)
    ),
    Action("delete_metafields", "owner, namespace and key; a repeat deletes nothing more", ("write_products",)),
)

PRODUCT_FIELDS: Final = frozenset(
    {"title", "handle", "descriptionHtml", "vendor", "productType", "status", "tags", "templateSuffix", "seo"}
)
"""What `update_product` may be given, with Shopify's names. `tags` replaces the whole list."""

# Name to where it stands in ProductVariantsBulkInput.
_VARIANT_PATHS: Final[dict[str, tuple[str, ...]]] = {
    "barcode": ("barcode",),
    "price": ("price",),
    "compareAtPrice": ("compareAtPrice",),
    "taxable": ("taxable",),
    "inventoryPolicy": ("inventoryPolicy",),
    "optionValues": ("optionValues",),
    "sku": ("inventoryItem", "sku"),
    "tracked": ("inventoryItem", "tracked"),
    "requiresShipping": ("inventoryItem", "requiresShipping"),
    "unitCost": ("inventoryItem", "cost"),
    "weight": ("inventoryItem", "measurement", "weight"),
}
VARIANT_FIELDS: Final = frozenset(_VARIANT_PATHS)
"""What `update_variants` may be given. `unitCost` is an amount, `weight` is {value, unit}, `optionValues` is
[{optionName, name}]."""

# Fields that show in objects of the answer; without them the answer is asked for without objects and costs less.
_IN_OBJECTS: Final = frozenset({"optionValues", "tracked", "requiresShipping", "unitCost", "weight"})


async def update_product(client: ShopifyClient, product_id: int, fields: Mapping[str, Any]) -> WriteResult:
    """Patches the given fields of a product. Raises `OutcomeUnknown` when it may or may not have been written.

    Raises `ValueError` for a field that is not in `PRODUCT_FIELDS`.
    """
    _known(fields, PRODUCT_FIELDS)
    query = queries.update_product(with_seo="seo" in fields)
    product = {"id": ids.gid(ids.PRODUCT, product_id), **fields}
    answer = await client.execute(query, {"product": product}, idempotent=False)
    payload = answer.data["productUpdate"]
    errors = user_errors(payload["userErrors"], "product")
    node = payload["product"]
    if errors or node is None:
        return WriteResult(product_id, ok=False, errors=errors or (silent(),))
    return WriteResult(product_id, ok=True, updated_at=node["updatedAt"], values=node)


async def update_variants(
    client: ShopifyClient, product_id: int, rows: Sequence[tuple[int, Mapping[str, Any]]]
) -> list[WriteResult]:
    """Patches variants of one product, in the order given; a wrong row does not hinder the others.

    More than 250 rows go in several calls. Raises `OutcomeUnknown` if any of these may or may not have been written,
    `ValueError` for a field that is not in `VARIANT_FIELDS`.
    """
    for _, fields in rows:
        _known(fields, VARIANT_FIELDS)
    results: list[WriteResult] = []
    for start in range(0, len(rows), MAX_INPUT):
        results += await _update_variants(client, product_id, rows[start : start + MAX_INPUT])
    return results


async def _update_variants(
    client: ShopifyClient, product_id: int, rows: Sequence[tuple[int, Mapping[str, Any]]]
) -> list[WriteResult]:
    query = queries.update_variants(with_objects=any(_IN_OBJECTS & fields.keys() for _, fields in rows))
    variables = {
        "productId": ids.gid(ids.PRODUCT, product_id),
        "variants": [_variant_input(variant, fields) for variant, fields in rows],
    }
    answer = await client.execute(query, variables, idempotent=False)
    payload = answer.data["productVariantsBulkUpdate"]
    refused, whole = by_row(payload["userErrors"], ["variants"])
    nodes = {ids.number_of(node["id"]): node for node in payload["productVariants"] or ()}
    return [
        _variant_result(number, refused.get(index, []), whole, nodes.get(number))
        for index, (number, _) in enumerate(rows)
    ]


def _variant_result(
    number: int, own: Sequence[UserError], whole: Sequence[UserError], node: Mapping[str, Any] | None
) -> WriteResult:
    """Ok only if Shopify both names the variant as written and has nothing against it."""
    errors = tuple(own) or (() if node else tuple(whole))
    if errors or node is None:
        return WriteResult(number, ok=False, errors=errors or (silent(),))
    return WriteResult(number, ok=True, updated_at=node["updatedAt"], values=node)


def _variant_input(variant: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"id": ids.gid(ids.VARIANT, variant)}
    for name, value in fields.items():
        *outer, last = _VARIANT_PATHS[name]
        place = row
        for step in outer:
            place = place.setdefault(step, {})
        place[last] = value
    return row


def _known(fields: Mapping[str, Any], allowed: frozenset[str]) -> None:
    if unknown := sorted(fields.keys() - allowed):
        msg = f"cannot write {', '.join(unknown)}; can write {', '.join(sorted(allowed))}"
        raise ValueError(msg)
