"""A product as one value: what is staged when one is made or deleted.

An object with the catalogue's product fields and `options` (`{"name", "values"}` in order), `variants` (each its
`options` by place, the catalogue's variant fields, `levels` as `{"location_id", "location", "available"}` and
`metafields`), `media` (`{"url", "alt"}` in order), `metafields` (`{"type", "value"}` by `namespace.key`) and
`collections`, the numbers of those that are filled by hand and that it is in. One that is in a store has `id`, and so
have its variants. Null is a product that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import xxhash

WholeProduct = dict[str, Any]

FIELD: Final = "whole_product"
_APART: Final = frozenset({"id", "options", "variants", "media", "metafields", "levels", "ids_change", "collections"})
"""What is compared otherwise, or of which only our own side knows anything."""
_BLANK_IS_NULL: Final = frozenset({"template_suffix", "seo_title", "seo_description", "sku", "barcode"})


def draft_number(handle: str) -> int:
    """The number of a product that is not there yet: below zero, and the same for one handle, so that two changes that
    would make it never run side by side."""
    return -1 - (xxhash.xxh3_64_intdigest(handle.encode()) >> 2)


def same_product(one: WholeProduct | None, other: WholeProduct | None) -> bool:
    """Whether both say the same, as far as both say anything: of pictures, stock and metafields a fresh reading does
    not."""
    if one is None or other is None:
        return one is other
    if not _same_fields(one, other) or _option_names(one) != _option_names(other):
        return False
    mine, theirs = _by_options(one), _by_options(other)
    return mine.keys() == theirs.keys() and all(_same_fields(variant, theirs[key]) for key, variant in mine.items())


def same_making(wanted: WholeProduct, found: WholeProduct) -> bool:
    """Whether `found`, which was not there a moment ago and has the handle of `wanted`, is what came of making it. The
    store tidies texts and fills in what was not said, so only what it leaves alone counts."""
    return (
        wanted["title"].strip() == found["title"].strip()
        and _option_names(wanted) == _option_names(found)
        and {key: variant.get("sku") or "" for key, variant in _by_options(wanted).items()}
        == {key: variant.get("sku") or "" for key, variant in _by_options(found).items()}
    )


def described(product: WholeProduct) -> str:
    """`Linen Shirt: draft, 3 variants, 2 images`."""
    variants, images = len(product.get("variants") or ()), len(product.get("media") or ())
    parts = [str(product["status"])] if product.get("status") else []
    parts.append(f"{variants:,} variant{'' if variants == 1 else 's'}")
    parts += [f"{images:,} image{'' if images == 1 else 's'}"] if images else []
    return f"{product['title']}: {', '.join(parts)}"


def without_ids(product: WholeProduct) -> WholeProduct:
    """The product as one to be made: the store gives it and its variants new numbers."""
    variants = [{name: value for name, value in one.items() if name != "id"} for one in product.get("variants") or ()]
    return {**{name: value for name, value in product.items() if name != "id"}, "variants": variants}


def _same_fields(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(_plain(name, one[name]) == _plain(name, other[name]) for name in (one.keys() & other.keys()) - _APART)


def _plain(name: str, value: Any) -> Any:
    if name == "tags":
        return frozenset(value or ())
    return None if name in _BLANK_IS_NULL and not value else value


def _option_names(product: WholeProduct) -> Sequence[str]:
    return [option["name"] for option in product.get("options") or ()] or ["Title"]


def _by_options(product: WholeProduct) -> dict[tuple[str, ...], Mapping[str, Any]]:
    return {tuple(one.get("options") or ("Default Title",)): one for one in product.get("variants") or ()}
