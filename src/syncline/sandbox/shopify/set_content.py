"""Files, metafields and collections inside productSet: lists, so that what is not named is deleted (schema text of the
mutation)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from syncline.sandbox.shopify.compiler import Call
from syncline.sandbox.shopify.ids import number_of, parse_gid
from syncline.sandbox.shopify.metafield_values import is_type, suits
from syncline.sandbox.shopify.mutations import UserError, refuse_unserved, user_error
from syncline.sandbox.shopify.resolvers_metafields import APP_NAMESPACE
from syncline.sandbox.shopify.state import Product, Store, Variant

FILE_FIELDS = frozenset({"id", "originalSource", "alt", "contentType", "duplicateResolutionMode"})
"""The last says what to do about a file of the same name; files have no names here."""
METAFIELD_FIELDS = frozenset({"namespace", "key", "type", "value"})
MOST_FILES = 250
LONGEST_ALT = 512


def check_content(call: Call, given: Mapping[str, Any]) -> None:
    for file in given.get("files") or ():
        refuse_unserved(call, "FileSetInput", file, FILE_FIELDS)
    for holder in (given, *(given.get("variants") or ())):
        for metafield in holder.get("metafields") or ():
            refuse_unserved(call, "MetafieldInput", metafield, METAFIELD_FIELDS)


def content_complaints(store: Store, given: Mapping[str, Any], product: Product | None) -> list[UserError]:
    errors = _file_complaints(store, given.get("files") or (), product)
    errors += _metafield_complaints(given, ["input"])
    for number, one in enumerate(given.get("collections") or ()):
        found = store.collections.by_id.get(number_of(one, "Collection") or 0)
        if found is None or found.rules is not None:
            at = ["input", "collections", str(number)]
            errors.append(user_error(at, f"Collection {one} does not exist or is not a manual one", "INVALID_INPUT"))
    for number, variant in enumerate(given.get("variants") or ()):
        errors += _metafield_complaints(variant, ["input", "variants", str(number)])
    return errors


def _file_complaints(store: Store, files: Sequence[Mapping[str, Any]], product: Product | None) -> list[UserError]:
    errors: list[UserError] = []
    shown = {one.id for one in store.media.shown_by(product.id)} if product is not None else set()
    if len(files) > MOST_FILES:
        message = f"Exceeded the limit of {MOST_FILES} media per product"
        errors.append(user_error(["input", "files"], message, "INVALID_INPUT"))
    for number, file in enumerate(files):
        at = ["input", "files", str(number)]
        if len(file.get("alt") or "") > LONGEST_ALT:
            message = f"The alt value exceeds the maximum limit of {LONGEST_ALT} characters."
            errors.append(user_error([*at, "alt"], message, "INVALID_INPUT"))
        if file.get("id") is not None:
            held = parse_gid(file["id"])
            if held is None or held.number not in shown:
                errors.append(user_error([*at, "id"], f"File id {file['id']} does not exist", "INVALID_INPUT"))
        elif not (file.get("originalSource") or "").startswith(("https://", "http://")):
            errors.append(user_error([*at, "originalSource"], "Image URL is invalid", "INVALID_INPUT"))
    return errors


def _metafield_complaints(given: Mapping[str, Any], at: list[str]) -> list[UserError]:
    errors: list[UserError] = []
    for number, one in enumerate(given.get("metafields") or ()):
        where = [*at, "metafields", str(number)]
        kind, value = one.get("type") or "", one.get("value") or ""
        if not one.get("key"):
            errors.append(user_error([*where, "key"], "Key can't be blank", "INVALID_METAFIELD"))
        elif not is_type(kind):
            message = f"Type must be one of the supported types; {kind!r} is none of them."
            errors.append(user_error([*where, "type"], message, "INVALID_METAFIELD"))
        elif not value or not suits(kind, value):
            message = f"Value does not suit the type {kind}."
            errors.append(user_error([*where, "value"], message, "INVALID_METAFIELD"))
    return errors


def write_content(store: Store, product: Product, given: Mapping[str, Any], variants: Sequence[Variant]) -> None:
    if given.get("files") is not None:
        _write_files(store, product, given["files"])
    if given.get("collections") is not None:
        _write_collections(store, product, [number_of(one, "Collection") or 0 for one in given["collections"]])
    _write_metafields(store, "Product", product.id, given)
    for variant, one in zip(variants, given.get("variants") or (), strict=False):
        _write_metafields(store, "ProductVariant", variant.id, one)


def _write_files(store: Store, product: Product, files: Sequence[Mapping[str, Any]]) -> None:
    order: list[int] = []
    for file in files:
        held = parse_gid(file["id"]) if file.get("id") is not None else None
        if held is not None:
            order.append(held.number)
            continue
        kind, url = file.get("contentType") or "IMAGE", file["originalSource"]
        order.append(store.media.add(product.id, content_type=kind, url=url, alt=file.get("alt") or None).id)
    if [one.id for one in store.media.shown_by(product.id)] != order:
        store.media.arrange(product.id, order)


def _write_collections(store: Store, product: Product, wanted: Sequence[int]) -> None:
    """A list like the others: of the manual collections it is in exactly these."""
    for collection in list(store.collections.by_id.values()):
        is_in = product.id in store.collections.members[collection.id]
        if collection.rules is not None or is_in is (collection.id in wanted):
            continue
        (store.collections.remove_products if is_in else store.collections.add_products)(collection, [product.id])


def _write_metafields(store: Store, owner_type: str, owner_id: int, given: Mapping[str, Any]) -> None:
    if given.get("metafields") is None:
        return
    named: set[tuple[str, str]] = set()
    for one in given["metafields"]:
        namespace = one.get("namespace") or APP_NAMESPACE
        named.add((namespace, one["key"]))
        store.metafields.set(owner_type, owner_id, namespace, one["key"], one["type"], one["value"])
    for held in store.metafields.of(owner_type, owner_id):
        if (held.namespace, held.key) not in named:
            store.metafields.delete(held)
