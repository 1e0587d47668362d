"""Columns of metafields: what their titles say, and what their cells mean.

| title                                          | published by                                                  |
|------------------------------------------------|---------------------------------------------------------------|
| `Material (product.metafields.custom.material)` | Shopify's product CSV; `variant.metafields` in the same way    |
| `product.metafields.custom.material`            | the same without a name before it                             |
| `Metafield: custom.material [number_integer]`   | Matrixify; `Variant Metafield: ` for variants, type optional   |
| `metafield.custom.material`                     | our own name, `variant_metafield.` for variants                |

Sources: help.shopify.com/en/manual/products/import-export/using-csv and matrixify.app/documentation/metafields, read
November 2026. Namespace and key are told apart by their case.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from syncline.apps.commerce.field_text import shortened
from syncline.apps.commerce.metafield_text import parse_metafield
from syncline.apps.commerce.metafields import TYPES, Metafield, MetafieldName, find_name

_SHOPIFY = re.compile(r"(?:.+\()?(product|variant)\.metafields\.([^()\s]+)\)?", re.IGNORECASE)
_MATRIXIFY = re.compile(r"(variant )?metafield: ?([^\[\]\s]+)(?: ?\[([^\[\]]*)\])?", re.IGNORECASE)
_CATEGORY = "shopify"
"""The namespace of a category's attributes. Shopify's own sheets show the names of the objects that they refer to,
which is not what the API takes, so these columns are left; ours hold what the API takes, under our own name."""
_PREFIXES = {"product": "metafield.", "variant": "variant_metafield."}


@dataclass(frozen=True, slots=True)
class MetafieldTitle:
    """`type` is what the title says; None when the store has to know."""

    name: MetafieldName
    type: str | None = None


def find_title(title: str) -> MetafieldTitle | None:
    """None for a title that names no metafield, or one of a type that Shopify does not know."""
    found = _SHOPIFY.fullmatch(title)
    if found is not None:
        name = find_name(_PREFIXES[found[1].lower()] + found[2])
        return None if name is None or name.namespace == _CATEGORY else MetafieldTitle(name)
    found = _MATRIXIFY.fullmatch(title)
    if found is not None:
        # Without a namespace it is the one that the oldest metafields have.
        dotted = found[2] if "." in found[2] else f"global.{found[2]}"
        name = find_name(_PREFIXES["variant" if found[1] else "product"] + dotted)
        known = not found[3] or found[3] in TYPES
        return None if name is None or not known else MetafieldTitle(name, found[3] or None)
    name = find_name(title)
    return None if name is None else MetafieldTitle(name)


def title_of(name: MetafieldName) -> str:
    """As Shopify's product CSV has it; the mirror does not hold what people call a metafield, so its key stands for
    it."""
    if name.namespace == _CATEGORY:
        return name.field
    words = name.key.replace("_", " ").replace("-", " ").strip()
    return f"{words[:1].upper()}{words[1:]} ({name.owner}.metafields.{name.dotted})"


def parse_cell(kind: str, text: str) -> Metafield:
    """A cell in the type of its metafield. Members of a list stand in JSON or, as in Shopify's own sheets, with
    semicolons between them. Raises `ValueError` with a sentence that says what to write."""
    if kind.startswith("list.") and not text.lstrip().startswith("["):
        text = json.dumps([part.strip() for part in text.split(";") if part.strip()], ensure_ascii=False)
    return {"type": kind, "value": parse_metafield(kind, text)}


def unknown_type(name: MetafieldName, text: str) -> str:
    """What to do about a metafield of which nobody knows the type."""
    owner = "variant" if name.owner == "variant" else "product"
    prefix = "Variant Metafield" if owner == "variant" else "Metafield"
    return (
        f"No {owner} of the store has the metafield {name.dotted}, so its type is not known. Say it in the column's "
        f"name, like {prefix}: {name.dotted} [single_line_text_field], for {shortened(text, 20)!r}."
    )
