"""A line of a bulk file, or of a page made to look like one: which kind of record it is, and the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from syncline.connectors.shopify import ids
from syncline.connectors.shopify.catalog_nodes import (
    CollectionNode,
    InventoryItemNode,
    InventoryLevelNode,
    LocationNode,
    MediaNode,
    MembershipNode,
    MetafieldNode,
    ProductNode,
    Record,
    VariantNode,
)
from syncline.connectors.shopify.sales_nodes import CustomerNode, OrderLineNode, OrderNode, RefundLineNode
from syncline.connectors.shopify.sources import SOURCES
from syncline.kernel.errors import Skippable

Node: TypeAlias = (
    ProductNode
    | VariantNode
    | LocationNode
    | InventoryLevelNode
    | InventoryItemNode
    | CollectionNode
    | MembershipNode
    | MediaNode
    | MetafieldNode
    | OrderNode
    | OrderLineNode
    | RefundLineNode
    | CustomerNode
)

_PREFIX: Final = b'{"id":"gid://shopify/'
KINDS_BY_TYPE: Final[Mapping[str, Mapping[bytes, str]]] = {
    stream: {type_.encode(): kind for type_, kind in source.types.items()} for stream, source in SOURCES.items()
}
"""For each stream, the kind of record that a line is, by the type in its global id."""

MARKERS: Final = frozenset({"product_ref", "variant_ref", "collection_ref", "order_ref", "customer_ref"})
"""Lines that only say whose children were read; nothing of them is kept."""

_TYPES: Final[dict[str, type[Node]]] = {
    "product": ProductNode,
    "variant": VariantNode,
    "location": LocationNode,
    "inventory_level": InventoryLevelNode,
    "inventory_item": InventoryItemNode,
    "collection": CollectionNode,
    "collection_membership": MembershipNode,
    "product_media": MediaNode,
    "metafield": MetafieldNode,
    "order": OrderNode,
    "order_line": OrderLineNode,
    "customer": CustomerNode,
    "refund_line": RefundLineNode,
    "collection_metafield": MetafieldNode,
    "order_metafield": MetafieldNode,
    "customer_metafield": MetafieldNode,
}
_DECODERS: Final = {kind: msgspec.json.Decoder(type_) for kind, type_ in _TYPES.items()}


class _IdOnly(Record, frozen=True, gc=False):
    id: str


_ID: Final = msgspec.json.Decoder(_IdOnly)


def kind_of(line: bytes, stream: str) -> str:
    """The kind of record a line of the stream is, or one of `MARKERS`. Raises `Skippable` for anything else."""
    kinds = KINDS_BY_TYPE[stream]
    if line.startswith(_PREFIX):
        found = kinds.get(line[len(_PREFIX) : line.find(b"/", len(_PREFIX))])
    else:
        # Our queries ask for `id` first and Shopify keeps the order; a line that does not is read, not guessed at.
        try:
            found = kinds.get(ids.type_of(_ID.decode(line).id).encode())
        except (msgspec.DecodeError, ValueError) as error:
            raise _unreadable(line, str(error)) from error
    if found is None:
        raise _unreadable(line, "not a kind this connector reads")
    return found


def decode(line: bytes, kind: str) -> Node:
    """The record of a line. Raises `Skippable` with the start of the line when it is not what Shopify promises."""
    try:
        return _DECODERS[kind].decode(line)
    except msgspec.DecodeError as error:
        raise _unreadable(line, str(error)) from error


def _unreadable(line: bytes, why: str) -> Skippable:
    start = line[:120].decode("utf-8", "replace")
    return Skippable("A record came from Shopify in a form Syncline cannot read.", detail=f"{why}: {start}")
