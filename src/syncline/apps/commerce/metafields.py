"""Metafields as fields of their owner: what one is called, what types there are, when two values mean the same.

A metafield of a product is called `metafield.custom.material`, one of a variant `variant_metafield.custom.size`:
namespace and key as in the store, whose case counts. Its value in staged changes and receipts is null where the owner
has none, else an object with `type` and `value` (text, as Shopify keeps all of them) and, where the store said it,
`id`, `digest` (Shopify's name for exactly this value), `created_at` and `updated_at`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

Metafield = dict[str, str]

PRODUCT_PREFIX = "metafield."
VARIANT_PREFIX = "variant_metafield."
_OWNERS = {PRODUCT_PREFIX: "product", VARIANT_PREFIX: "variant"}
_PREFIXES = {owner: prefix for prefix, owner in _OWNERS.items()}

# Letters, digits, hyphens and underscores; 3 to 255 of them in a namespace, 2 to 64 in a key (schema text of
# MetafieldsSetInput, 2026-10). Old namespaces are as short as one, and are only read.
_NAME = re.compile(r"((?:variant_)?metafield[.:])([A-Za-z0-9_-]{1,255})\.([A-Za-z0-9_-]{1,64})", re.ASCII)

TEXTS = frozenset({"single_line_text_field", "multi_line_text_field"})
MEASURES = {
    "dimension": ("in", "ft", "yd", "mm", "cm", "m"),
    "volume": (
        *("ml", "cl", "l", "m3", "us_fl_oz", "us_pt", "us_qt", "us_gal"),
        *("imp_fl_oz", "imp_pt", "imp_qt", "imp_gal"),
    ),
    "weight": ("oz", "lb", "g", "kg"),
}
"""Types of a number with a unit, and the units that Shopify knows."""

OBJECTS = frozenset({"json", "rich_text_field", "link", "money", "rating", *MEASURES})
"""Types whose value is written as JSON."""

REFERENCES = frozenset({
    "article_reference", "collection_reference", "customer_reference", "file_reference", "metaobject_reference",
    "mixed_reference", "order_reference", "page_reference", "product_reference", "product_taxonomy_value_reference",
    "variant_reference",
})  # fmt: skip
"""Types whose value is a `gid://shopify/...`."""

_SINGLE = TEXTS | OBJECTS | REFERENCES | {"boolean", "color", "date", "date_time", "id", "number_decimal"}
_NOT_LISTED = frozenset({"boolean", "id", "json", "money", "multi_line_text_field", "rich_text_field"})
TYPES = frozenset(
    {"number_integer", "url", *_SINGLE}
    | {f"list.{name}" for name in ({"number_integer", "url", *_SINGLE} - _NOT_LISTED)}
)
"""What a metafield can be (shopify.dev, list of data types, read November 2026)."""


@dataclass(frozen=True, slots=True)
class MetafieldName:
    """`owner` is product or variant."""

    owner: str
    namespace: str
    key: str

    @property
    def dotted(self) -> str:
        """As Shopify writes it: `custom.material`."""
        return f"{self.namespace}.{self.key}"

    @property
    def field(self) -> str:
        return f"{_PREFIXES[self.owner]}{self.dotted}"


def find_name(text: str) -> MetafieldName | None:
    """The metafield that a field's name stands for; None for any other field. A colon may stand after the first
    word."""
    found = _NAME.fullmatch(text)
    return MetafieldName(_OWNERS[found[1].replace(":", ".")], found[2], found[3]) if found else None


def same_metafield(one: Metafield | None, other: Metafield | None) -> bool:
    """Whether both are of one type and mean the same. What only the store says of a metafield, its digest and times,
    counts for nothing."""
    if one is None or other is None:
        return one is other
    return one["type"] == other["type"] and meaning(one["type"], one["value"]) == meaning(other["type"], other["value"])


def meaning(kind: str, value: str) -> Any:
    """`value` such that two ways to write the same are equal: `1.0` and `1`, JSON with and without blanks. A value that
    does not suit its type, which only a store can have, stands for itself."""
    try:
        return _meaning(kind, value)
    except (ValueError, InvalidOperation, TypeError):
        return value


def _meaning(kind: str, value: str) -> Any:
    if kind.startswith("list."):
        inner = kind.removeprefix("list.")
        return [_member(inner, member) for member in json.loads(value)]
    match kind:
        case "number_integer" | "number_decimal":
            return Decimal(value)
        case "date_time":
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        case "color":
            return value.lower()
        case _ if kind in OBJECTS:
            return json.loads(value, parse_float=Decimal, parse_int=Decimal)
        case _:
            return value


def _member(inner: str, member: Any) -> Any:
    """Members of lists are texts, numbers or objects; Shopify writes some of the numbers as texts."""
    return meaning(inner, member if isinstance(member, str) else json.dumps(member))
