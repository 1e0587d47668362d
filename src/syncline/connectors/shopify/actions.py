"""Writing to a store. Every row gets its own answer; nothing is sent twice that might have been carried out once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

import msgspec

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
from syncline.connectors.shopify.metafields import delete_metafields, read_metafields, set_metafields
from syncline.connectors.shopify.reads import read_levels, read_products, read_variants
from syncline.connectors.shopify.results import InventoryResult, UserError, WriteResult, by_row, silent, user_errors
from syncline.kernel.errors import Fatal, Retriable
from syncline.runtime.connect.connector import Action

__all__ = [
    "ACTIONS",
    "PRODUCT_FIELDS",
    "VARIANT_FIELDS",
    "LevelChange",
    "add_members",
    "delete_metafields",
    "read_collections",
    "read_images",
    "read_levels",
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

LevelChange: TypeAlias = tuple[int, int, int, int | None]
"""(item, location, quantity, the quantity it is expected to have now). None for the last means: whatever it is."""

# The first version with @idempotent and changeFromQuantity. Names of versions sort by time.
_KEYED_SINCE: Final = "2026-01"
_GENERATIONS: Final = 5
_PAUSES: Final = (0.2, 0.5, 1.0, 2.0)


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


async def set_inventory(
    client: ShopifyClient,
    changes: Sequence[LevelChange],
    *,
    idempotency_key: str,
    reason: str = "correction",
    reference: str | None = None,
) -> list[InventoryResult]:
    """Sets what is available, in the order given; a row whose expected quantity is out of date is refused as stale.

    Shopify writes all rows of a call or none. When some are refused, the others are sent again without them, under a
    key made from the given one and the rows. A stale row whose level already is what was asked for counts as written:
    so it does when the same call is made again after a crash. `reference` is a `gid://` shown in Shopify's inventory
    history.
    """
    results: dict[int, InventoryResult] = {}
    for batch in _batches(client, changes):
        pending = batch
        while pending:
            rows = [changes[i] for i in pending]
            answers = await _set_levels(client, rows, idempotency_key, reason, reference)
            done = {i: answer for i, answer in zip(pending, answers, strict=True) if answer is not None}
            results |= done
            pending = [i for i in pending if i not in done]
    return await _settled(client, changes, [results[i] for i in range(len(changes))])


async def _settled(
    client: ShopifyClient, changes: Sequence[LevelChange], results: Sequence[InventoryResult]
) -> list[InventoryResult]:
    """Looks at the levels of stale rows, and takes those for written that are as they should be."""
    stale = [result.key for result in results if result.is_stale]
    levels = await read_levels(client, stale) if stale else {}

    def settle(change: LevelChange, result: InventoryResult) -> InventoryResult:
        level = levels.get(result.key) if result.is_stale else None
        if level is None or level.quantity("available") != change[2]:
            return result
        return InventoryResult(result.key, ok=True, updated_at=level.updatedAt, values={"available": change[2]})

    return [settle(change, result) for change, result in zip(changes, results, strict=True)]


def _batches(client: ShopifyClient, changes: Sequence[LevelChange]) -> list[list[int]]:
    """Indexes of rows that go in one call. On 2025-10 leaving out the comparison holds for a whole call, so rows with
    and without one are kept apart."""
    groups = [list(range(len(changes)))]
    if _is_old(client):
        groups = [[i for i in groups[0] if (changes[i][3] is None) is bare] for bare in (False, True)]
    return [group[start : start + MAX_INPUT] for group in groups for start in range(0, len(group), MAX_INPUT)]


async def _set_levels(
    client: ShopifyClient, rows: Sequence[LevelChange], key: str, reason: str, reference: str | None
) -> list[InventoryResult | None]:
    """One atomic call. None for a row that was fine but not written because of another's error."""
    input_: dict[str, Any] = {"name": "available", "reason": reason}
    if reference is not None:
        input_["referenceDocumentUri"] = reference
    send = _send_compared if _is_old(client) else _send_keyed
    payload = await send(client, input_, rows, key)
    refused, whole = by_row(payload["userErrors"], ["input", "quantities"])
    if refused:
        return [_refused(row, refused[i]) if i in refused else None for i, row in enumerate(rows)]
    if whole:
        return [_refused(row, whole) for row in rows]
    return _written(rows, payload["inventoryAdjustmentGroup"])


def _refused(row: LevelChange, errors: Sequence[UserError]) -> InventoryResult:
    return InventoryResult((row[0], row[1]), ok=False, errors=tuple(errors))


def _written(rows: Sequence[LevelChange], group: Mapping[str, Any] | None) -> list[InventoryResult | None]:
    """Without a group nothing had to change: every level stood at its quantity already."""
    at = group["createdAt"] if group else None
    return [
        InventoryResult((item, place), ok=True, updated_at=at, values={"available": n}) for item, place, n, _ in rows
    ]


def _is_old(client: ShopifyClient) -> bool:
    return client.version < _KEYED_SINCE


def _quantities(rows: Sequence[LevelChange], expectation: str) -> list[dict[str, Any]]:
    """An explicit null skips the comparison; since 2026-04 leaving it out is an error."""
    return [
        {
            "inventoryItemId": ids.gid(ids.INVENTORY_ITEM, item),
            "locationId": ids.gid(ids.LOCATION, place),
            "quantity": quantity,
            expectation: expected,
        }
        for item, place, quantity, expected in rows
    ]


async def _send_compared(
    client: ShopifyClient, input_: dict[str, Any], rows: Sequence[LevelChange], _key: str
) -> dict[str, Any]:
    """2025-10: no idempotency key, so a lost answer is `OutcomeUnknown`."""
    whole = input_ | {
        "quantities": _quantities(rows, "compareQuantity"),
        "ignoreCompareQuantity": rows[0][3] is None,
    }
    answer = await client.execute(queries.SET_INVENTORY_2025_10, {"input": whole}, idempotent=False)
    payload: dict[str, Any] = answer.data["inventorySetQuantities"]
    return payload


async def _send_keyed(
    client: ShopifyClient, input_: dict[str, Any], rows: Sequence[LevelChange], key: str
) -> dict[str, Any]:
    whole = input_ | {"quantities": _quantities(rows, "changeFromQuantity")}
    for generation in range(_GENERATIONS):
        variables = {"input": whole, "key": _derived(key, whole, generation)}
        payload = await _when_settled(client, variables)
        codes = {error.get("code") for error in payload["userErrors"]}
        if "IDEMPOTENCY_KEY_PARAMETER_MISMATCH" in codes:
            raise Fatal("A change was sent under the key of another one; please report this with the log.")
        if "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" not in codes:
            return payload
        # Nothing was written under this key and Shopify wants a new one; it is derived, so that a retry after a
        # crash finds the same.
    raise Retriable(
        "Shopify keeps failing to set the stock of the same items.",
        vendor_code="IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
        wait=timedelta(minutes=1),
    )


async def _when_settled(client: ShopifyClient, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The same key may still be at work for a call whose answer was lost; its result comes once that has ended."""
    for pause in _PAUSES:
        answer = await client.execute(queries.SET_INVENTORY, variables, idempotent=True)
        payload: dict[str, Any] = answer.data["inventorySetQuantities"]
        if all(e.get("code") != "IDEMPOTENCY_CONCURRENT_REQUEST" for e in payload["userErrors"]):
            return payload
        await asyncio.sleep(pause)
    raise Retriable(
        "Shopify is still working on the same change of stock.",
        vendor_code="IDEMPOTENCY_CONCURRENT_REQUEST",
        wait=timedelta(seconds=10),
    )


def _derived(key: str, input_: Mapping[str, Any], generation: int) -> str:
    """32 hex digits that depend on the caller's key and on what is sent under it."""
    text = msgspec.json.encode([key, generation, input_], order="sorted")
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _known(fields: Mapping[str, Any], allowed: frozenset[str]) -> None:
    if unknown := sorted(fields.keys() - allowed):
        msg = f"cannot write {', '.join(unknown)}; can write {', '.join(sorted(allowed))}"
        raise ValueError(msg)
