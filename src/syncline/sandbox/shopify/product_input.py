"""Reads the product part of mutation input: what each field becomes in the store, and what is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from syncline.sandbox.shopify.mutations import UserError, user_error
from syncline.sandbox.shopify.state import Product, Store

PRODUCT_FIELDS = frozenset({
    "id", "title", "handle", "descriptionHtml", "vendor", "productType", "status", "tags", "templateSuffix", "seo",
    "giftCard", "redirectNewHandle", "productOptions",
})  # fmt: skip
LONGEST = 255
MOST_TAGS = 250
PLAIN = {
    "title": "title",
    "descriptionHtml": "description_html",
    "vendor": "vendor",
    "productType": "product_type",
    "status": "status",
    "templateSuffix": "template_suffix",
    "giftCard": "is_gift_card",
}
NULLABLE = frozenset({"template_suffix"})

_APART = re.compile(r"[^\w]+|_+")


def handle_of(text: str) -> str:
    """`Café "Noir"` to `cafe-noir`; letters of other scripts stay."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(one for one in plain if not unicodedata.combining(one))
    return unicodedata.normalize("NFC", _APART.sub("-", bare)).strip("-")


def tags_of(given: Iterable[str]) -> list[str]:
    """Tags as the store keeps them: split at commas, trimmed, without doubles in any case, in alphabetical order."""
    found: dict[str, str] = {}
    for text in given:
        for tag in (part.strip() for part in text.split(",")):
            if tag:
                found.setdefault(tag.casefold(), tag)
    return [found[name] for name in sorted(found)]


def product_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """The store's fields for the input fields that were given, but for the handle, which may have to be made unique."""
    fields: dict[str, Any] = {}
    for name, own in PLAIN.items():
        if name in given:
            value = given[name]
            fields[own] = "" if value is None and own not in NULLABLE else value
    if "tags" in given:
        fields["tags"] = tags_of(given["tags"] or ())
    seo = given.get("seo") or {}
    for name in ("title", "description"):
        if name in seo:
            fields[f"seo_{name}"] = seo[name] or None
    return fields


def complaints(store: Store, given: Mapping[str, Any], product: Product | None, at: list[str]) -> list[UserError]:
    """User errors of the product's own fields; `at` is where the input stands in the arguments."""
    errors: list[UserError] = []
    title = given.get("title")
    if (product is None or "title" in given) and not (title or "").strip():
        errors.append(user_error([*at, "title"], "Title can't be blank", "INVALID_PRODUCT"))
    for name, words in (
        ("title", "Title"),
        ("vendor", "Vendor"),
        ("productType", "Product type"),
        ("handle", "Handle"),
    ):
        if len(given.get(name) or "") > LONGEST:
            message = f"{words} is too long (maximum is {LONGEST} characters)"
            errors.append(user_error([*at, name], message, "INVALID_PRODUCT"))
    if any(len(tag) > LONGEST for tag in tags_of(given.get("tags") or ())):
        message = f"Tags cannot contain a tag longer than {LONGEST} characters"
        errors.append(user_error([*at, "tags"], message, "INVALID_PRODUCT"))
    if len(tags_of(given.get("tags") or ())) > MOST_TAGS:
        message = f"Tags cannot have more than {MOST_TAGS} tags"
        errors.append(user_error([*at, "tags"], message, "INVALID_PRODUCT"))
    if product is not None and given.get("giftCard") not in (None, product.is_gift_card):
        message = "The product gift_card attribute cannot be changed after creation."
        errors.append(user_error([*at, "giftCard"], message, "GIFT_CARD_ATTRIBUTE_CANNOT_BE_CHANGED"))
    handle = handle_of(given.get("handle") or "")
    holder = store.find_product_by_handle(handle) if handle else None
    if holder is not None and holder is not product:
        message = f"Handle '{handle}' already in use. Please provide a new handle."
        errors.append(user_error([*at, "handle"], message, "HANDLE_NOT_UNIQUE"))
    return errors


def new_handle(store: Store, given: Mapping[str, Any]) -> str:
    """The handle of a product about to be created: the given one, or one made from the title that is free."""
    asked = handle_of(given.get("handle") or "")
    return asked or store.free_handle(handle_of(given["title"]) or "product")


def write_product(store: Store, product: Product, given: Mapping[str, Any]) -> None:
    """Sets what differs; a write of the same values leaves `updatedAt` alone."""
    fields = product_fields(given)
    if given.get("handle"):
        fields["handle"] = handle_of(given["handle"])
    changed = {name: value for name, value in fields.items() if getattr(product, name) != value}
    if changed:
        store.update_product(product, **changed)
