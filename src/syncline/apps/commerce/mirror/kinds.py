"""Every kind of record the mirror keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncline.apps.commerce.mirror.catalog_kinds import (
    COLLECTION,
    INVENTORY_ITEM,
    INVENTORY_LEVEL,
    LOCATION,
    MEDIA,
    MEMBERSHIP,
    METAFIELD,
    PRODUCT,
    VARIANT,
)
from syncline.apps.commerce.mirror.kind import Content, Kind, compared_hash, content_hash, signed64, sorted_json
from syncline.apps.commerce.mirror.metafield_kinds import (
    COLLECTION_METAFIELD,
    CUSTOMER_METAFIELD,
    ORDER_METAFIELD,
)
from syncline.apps.commerce.mirror.sales_kinds import CUSTOMER, ORDER, ORDER_LINE, REFUND_LINE

__all__ = [
    "INVENTORY_LEVEL",
    "KINDS",
    "LOCATION",
    "PRODUCT",
    "VARIANT",
    "Content",
    "Kind",
    "compared_hash",
    "content_hash",
    "content_of_row",
    "kinds_of",
    "signed64",
]


def content_of_row(kind: Kind, row: Mapping[str, Any]) -> Content:
    """What `Kind.content` gives, from a row of the mirror: equal content, equal hash."""
    values = (row[name] for name in kind.columns)
    return tuple(
        sorted_json(value) if name in _JSON_COLUMNS and value is not None else value
        for name, value in zip(kind.columns, values, strict=True)
    )


_JSON_COLUMNS = frozenset({"options", "selected_options", "rule_set"})
KINDS = {
    kind.name: kind
    for kind in (
        *(PRODUCT, VARIANT, LOCATION, INVENTORY_LEVEL, INVENTORY_ITEM),
        *(COLLECTION, MEMBERSHIP, MEDIA, METAFIELD, ORDER, ORDER_LINE, REFUND_LINE, CUSTOMER),
        *(COLLECTION_METAFIELD, ORDER_METAFIELD, CUSTOMER_METAFIELD),
    )
}
"""Parents before their children, and products before all that hangs on them."""


def kinds_of(stream: str) -> list[Kind]:
    return [kind for kind in KINDS.values() if kind.stream == stream]
