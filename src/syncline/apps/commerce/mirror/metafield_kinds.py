"""Metafields of collections, orders and customers: like those of products, in tables of their owners."""

from __future__ import annotations

from typing import LiteralString

from sqlalchemy import Table

from syncline.apps.commerce.mirror.kind import Content, Kind, Parent, Personal, moment, updated_at
from syncline.apps.commerce.mirror.models import collection_metafield, customer_metafield, order_metafield
from syncline.connectors.shopify.catalog_nodes import MetafieldNode
from syncline.connectors.shopify.ids import number_of

# What is said of somebody may be anything; the digest would tell whether a guess at it is right.
_PERSONAL: Personal = (("value", "null"), ("compare_digest", "null"))


def _content(node: MetafieldNode) -> Content:
    return (
        number_of(node.id),
        number_of(node.parent_id),
        node.namespace,
        node.key,
        node.type,
        node.value,
        node.compareDigest,
        moment(node.createdAt),
    )


def _kind(owner: str, table: Table, *, is_personal: bool) -> Kind:
    column = f"{owner}_id"
    return Kind(
        name=f"{owner}_metafield",
        stream=f"{owner}_metafields",
        table=table,
        key=("id",),
        columns=("id", column, "namespace", "key", "type", "value", "compare_digest", "created_at"),
        content=_content,
        version=updated_at,
        parents=(Parent(owner, column, seen_as=f"{owner}_ref"),),
        personal=_PERSONAL if is_personal else (),
        whose=(column, owner, "created_at") if is_personal else None,
        root=_ROOTS[owner],
    )


_ROOTS: dict[str, LiteralString] = {
    "collection": "m.collection_id",
    "order": "m.order_id",
    "customer": "m.customer_id",
}

COLLECTION_METAFIELD = _kind("collection", collection_metafield, is_personal=False)
ORDER_METAFIELD = _kind("order", order_metafield, is_personal=True)
CUSTOMER_METAFIELD = _kind("customer", customer_metafield, is_personal=True)
