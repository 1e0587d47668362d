"""Products made and deleted: what the store has now, what that means, and the write itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from syncline.apps.commerce.contract import ChangeStatus
from syncline.apps.commerce.fields import AnyValue, Owner
from syncline.apps.commerce.mirror.values import values_of_node
from syncline.apps.commerce.push.repository import Settled
from syncline.apps.commerce.staging.repository import ChangeRow
from syncline.apps.commerce.whole_product import FIELD, WholeProduct, same_making, same_product
from syncline.connectors.shopify import products
from syncline.connectors.shopify.catalog_nodes import ProductNode, VariantNode
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.records import decode, kind_of
from syncline.connectors.shopify.results import RowResult

State = dict[str, AnyValue]


def is_making(change: ChangeRow) -> bool:
    return change.after[FIELD] is not None


async def read_wholes(client: ShopifyClient, currency: str, changes: Sequence[ChangeRow]) -> Mapping[UUID, State]:
    """Of a product to be deleted what it is now, of one to be made what has its handle; null where there is none."""
    making = {change.id: str(_wanted(change)["handle"]) for change in changes if is_making(change)}
    holders = await products.find_by_handles(client, making.values()) if making else {}
    numbers = {
        change.id: holders[making[change.id]] if change.id in making else change.resource_id for change in changes
    }
    return await _states(client, currency, changes, numbers)


async def read_made(client: ShopifyClient, currency: str, change: ChangeRow, number: int) -> State:
    """What was just made, by the number that the store gave it."""
    return (await _states(client, currency, [change], {change.id: number}))[change.id]


async def _states(
    client: ShopifyClient, currency: str, changes: Sequence[ChangeRow], numbers: Mapping[UUID, int | None]
) -> dict[UUID, State]:
    lines = await products.read_whole(client, [number for number in numbers.values() if number is not None])
    states: dict[UUID, State] = {}
    for change in changes:
        number = numbers[change.id]
        found = lines.get(number, []) if number is not None else []
        known = change.after[FIELD] if is_making(change) else change.before[FIELD]
        states[change.id] = {FIELD: _product(found, known, currency)}
    return states


def _wanted(change: ChangeRow) -> WholeProduct:
    wanted: WholeProduct = change.after[FIELD]
    return wanted


def _product(lines: Sequence[bytes], known: WholeProduct, currency: str) -> WholeProduct | None:
    """What the store says now; pictures, stock, metafields and collections, which it was not asked for, as `known`."""
    nodes = [decode(line, kind_of(line, products.STREAM)) for line in lines]
    found = next((node for node in nodes if isinstance(node, ProductNode)), None)
    if found is None:
        return None
    held = {tuple(one.get("options") or ()): one for one in known.get("variants") or ()}
    variants = sorted((node for node in nodes if isinstance(node, VariantNode)), key=lambda node: node.position)
    return {
        "id": found.number,
        **values_of_node(Owner.PRODUCT, found, currency),
        "options": [{"name": option.name, "values": option.values} for option in found.options],
        "variants": [_variant(node, held, currency) for node in variants],
        "media": known.get("media") or [],
        "metafields": known.get("metafields") or {},
        "collections": known.get("collections") or [],
    }


def _variant(node: VariantNode, held: Mapping[tuple[str, ...], Mapping[str, Any]], currency: str) -> dict[str, Any]:
    options = [option.value for option in node.selectedOptions]
    known = held.get(tuple(options)) or {}
    return {
        "id": node.number,
        "options": options,
        **values_of_node(Owner.VARIANT, node, currency),
        "levels": known.get("levels") or [],
        "metafields": known.get("metafields") or {},
    }


def without_write(change: ChangeRow, now: State) -> Settled | None:
    """The end of a change that needs no write, or must have none; None when it is to be sent."""
    found = now[FIELD]
    if is_making(change):
        return None if found is None else _taken(change, now)
    if found is None:
        return Settled(change.id, ChangeStatus.APPLIED, "already", {FIELD: None}, "read before write")
    return None if same_product(change.before[FIELD], _whole(now)) else _moved(change, now)


def read_back(change: ChangeRow, before: State, now: State) -> Settled | None:
    """The end of a change whose answer never came; None when it was not carried out and is to be sent again."""
    found = _whole(now)
    if is_making(change):
        if found is None:
            return None
        if same_making(_wanted(change), found):
            return Settled(change.id, ChangeStatus.APPLIED, "applied", {FIELD: found}, "read-back")
        return _taken(change, now)
    if found is None:
        return Settled(change.id, ChangeStatus.APPLIED, "applied", {FIELD: None}, "read-back")
    return None if same_product(_whole(before), found) else _moved(change, now)


def _whole(now: State) -> WholeProduct | None:
    found = now[FIELD]
    return found if isinstance(found, dict) else None


def _taken(change: ChangeRow, now: State) -> Settled:
    handle = _wanted(change)["handle"]
    sentence = (
        f"The store has a product with the handle {handle} by now; reject this change, and pull the store and import "
        "the sheet again to change that one."
    )
    return Settled(
        change.id, ChangeStatus.FAILED, "taken", now, "read before write", vendor_code=None, sentence=sentence
    )


def _moved(change: ChangeRow, now: State) -> Settled:
    sentence = "The product was changed in the store after its deletion was staged; skip it, or overwrite to delete it."
    return Settled(
        *(change.id, ChangeStatus.CONFLICT, "conflict", now, "read before write"), sentence=sentence, theirs=now
    )


async def write_whole(client: ShopifyClient, change: ChangeRow) -> RowResult[int]:
    """Makes or deletes one product."""
    if not is_making(change):
        return await products.delete_product(client, change.resource_id)
    return await products.create_product(client, set_input(_wanted(change)))


_TEXTS = {
    "title": "title",
    "handle": "handle",
    "description_html": "descriptionHtml",
    "vendor": "vendor",
    "product_type": "productType",
    "tags": "tags",
    "template_suffix": "templateSuffix",
}
_VARIANT = {"price": "price", "compare_at_price": "compareAtPrice", "barcode": "barcode", "taxable": "taxable"}
_ITEM = {"sku": "sku", "cost": "cost", "tracked": "tracked", "requires_shipping": "requiresShipping"}


def set_input(product: WholeProduct) -> dict[str, Any]:
    """Shopify's `ProductSetInput`; what the product does not say is left to the store."""
    given: dict[str, Any] = _picked(product, _TEXTS)
    given["status"] = str(product.get("status") or "draft").upper()
    seo = _picked(product, {"seo_title": "title", "seo_description": "description"})
    if seo:
        given["seo"] = seo
    options = product.get("options") or [{"name": "Title", "values": ["Default Title"]}]
    given["productOptions"] = [
        {"name": option["name"], "position": place, "values": [{"name": value} for value in option["values"]]}
        for place, option in enumerate(options, 1)
    ]
    names = [option["name"] for option in options]
    given["variants"] = [
        _variant_input(variant, names, place) for place, variant in enumerate(product.get("variants") or [{}], 1)
    ]
    files = [
        {"originalSource": one["url"], "alt": one.get("alt") or "", "contentType": "IMAGE"}
        for one in product.get("media") or ()
    ]
    joined = [f"gid://shopify/Collection/{number}" for number in product.get("collections") or ()]
    held = {**({"files": files} if files else {}), **({"collections": joined} if joined else {})}
    return {**given, **held, **_metafields(product)}


def _picked(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {theirs: values[ours] for ours, theirs in names.items() if values.get(ours) is not None}


def _variant_input(variant: Mapping[str, Any], names: Sequence[str], place: int) -> dict[str, Any]:
    values = variant.get("options") or ["Default Title"]
    given = {"position": place, **_picked(variant, _VARIANT)}
    given["optionValues"] = [{"optionName": name, "name": value} for name, value in zip(names, values, strict=True)]
    if variant.get("inventory_policy"):
        given["inventoryPolicy"] = str(variant["inventory_policy"]).upper()
    item = _picked(variant, _ITEM)
    if variant.get("weight") is not None:
        unit = str(variant.get("weight_unit") or "kilograms").upper()
        item["measurement"] = {"weight": {"value": float(variant["weight"]), "unit": unit}}
    if item:
        given["inventoryItem"] = item
    levels = [
        {
            "locationId": f"gid://shopify/Location/{one['location_id']}",
            "name": "available",
            "quantity": one["available"],
        }
        for one in variant.get("levels") or ()
        if one.get("available") is not None
    ]
    return {**given, **({"inventoryQuantities": levels} if levels else {}), **_metafields(variant)}


def _metafields(holder: Mapping[str, Any]) -> dict[str, Any]:
    made = []
    for name, one in (holder.get("metafields") or {}).items():
        namespace, _, key = name.partition(".")
        made.append({"namespace": namespace, "key": key, "type": one["type"], "value": one["value"]})
    return {"metafields": made} if made else {}
