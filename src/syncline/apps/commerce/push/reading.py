"""What the store says now of the records that changes are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from syncline.apps.commerce.fields import Owner, Value
from syncline.apps.commerce.mirror.values import values_of_node
from syncline.apps.commerce.staging.repository import ChangeRow
from syncline.connectors.shopify import actions
from syncline.connectors.shopify.client import ShopifyClient

State = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Reading:
    """All field values of the records, by change; None where the record is no longer in the store."""

    states: dict[UUID, State | None]


async def read_now(client: ShopifyClient, currency: str, changes: Sequence[ChangeRow]) -> dict[UUID, State | None]:
    """One reading per kind of record, however many changes ask for it."""
    products = sorted({row.resource_id for row in changes if row.kind == Owner.PRODUCT})
    variants = sorted({row.resource_id for row in changes if row.kind == Owner.VARIANT})
    levels = sorted({_level(row) for row in changes if row.kind == Owner.INVENTORY_LEVEL})
    nodes: dict[tuple[str, Any], Any] = {}
    if products:
        found = await actions.read_products(client, products)
        nodes |= {(Owner.PRODUCT.value, number): node for number, node in found.items()}
    if variants:
        found_variants = await actions.read_variants(client, variants)
        nodes |= {(Owner.VARIANT.value, number): node for number, node in found_variants.items()}
    if levels:
        found_levels = await actions.read_levels(client, levels)
        nodes |= {(Owner.INVENTORY_LEVEL.value, pair): node for pair, node in found_levels.items()}
    return {row.id: _state(row, nodes, currency) for row in changes}


def _level(row: ChangeRow) -> tuple[int, int]:
    return (row.resource_id, row.location_id or 0)


def _state(row: ChangeRow, nodes: dict[tuple[str, Any], Any], currency: str) -> State | None:
    key = _level(row) if row.kind == Owner.INVENTORY_LEVEL else row.resource_id
    node = nodes.get((row.kind, key))
    return None if node is None else values_of_node(Owner(row.kind), node, currency)
