"""What the store says now of the records that changes are about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from syncline.apps.commerce.fields import AnyValue, Owner, canonical
from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.mirror.values import metafield_of, values_of_node
from syncline.apps.commerce.staging.repository import ChangeRow
from syncline.connectors.shopify import actions, ids
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.metafields import MetafieldKey

State = dict[str, AnyValue]
States = dict[UUID, State | None]
"""By change: the field values of its record; None where the record is no longer in the store."""

_Reader: TypeAlias = Callable[[ShopifyClient, str, Sequence[ChangeRow]], Awaitable[States]]


async def read_now(client: ShopifyClient, currency: str, changes: Sequence[ChangeRow]) -> States:
    """One reading per kind of record, however many changes ask for it."""
    states: States = {}
    for reader, kinds in _READERS.items():
        asked = [change for change in changes if change.kind in kinds]
        if asked:
            states |= await reader(client, currency, asked)
    return states


async def _products(client: ShopifyClient, currency: str, changes: Sequence[ChangeRow]) -> States:
    nodes = await actions.read_products(client, sorted({change.resource_id for change in changes}))
    return {change.id: _state(change, nodes, change.resource_id, currency) for change in changes}


async def _variants(client: ShopifyClient, currency: str, changes: Sequence[ChangeRow]) -> States:
    nodes = await actions.read_variants(client, sorted({change.resource_id for change in changes}))
    return {change.id: _state(change, nodes, change.resource_id, currency) for change in changes}


async def _levels(client: ShopifyClient, currency: str, changes: Sequence[ChangeRow]) -> States:
    nodes = await actions.read_levels(client, sorted({_level(change) for change in changes}))
    return {change.id: _state(change, nodes, _level(change), currency) for change in changes}


def _level(change: ChangeRow) -> tuple[int, int]:
    return (change.resource_id, change.location_id or 0)


def _state(change: ChangeRow, nodes: Mapping[Any, Any], key: Hashable, currency: str) -> State | None:
    node = nodes.get(key)
    return None if node is None else {**values_of_node(Owner(change.kind), node, currency)}


async def _metafields(client: ShopifyClient, _currency: str, changes: Sequence[ChangeRow]) -> States:
    """A change of a metafield is about this one metafield, with the digest that it has now."""
    keys = {change.id: metafield_key(change) for change in changes}
    nodes = await actions.read_metafields(client, keys.values())
    states: States = {}
    for change in changes:
        key = keys[change.id]
        node = nodes.get(key)
        held = metafield_of(msgspec.structs.asdict(node)) if node is not None else None
        states[change.id] = dict.fromkeys(change.after, held) if key in nodes else None
    return states


_OWNER_TYPES = {"product": ids.PRODUCT, "variant": ids.VARIANT}


def metafield_key(change: ChangeRow) -> MetafieldKey:
    """The metafield that a change is about: its only field names it."""
    (field,) = change.after
    name = find_name(field)
    assert name is not None
    return MetafieldKey(_OWNER_TYPES[name.owner], change.resource_id, name.namespace, name.key)


async def _collections(client: ShopifyClient, currency: str, changes: Sequence[ChangeRow]) -> States:
    nodes = await actions.read_collections(client, sorted({change.resource_id for change in changes}))
    return {change.id: _state(change, nodes, change.resource_id, currency) for change in changes}


async def _memberships(client: ShopifyClient, _currency: str, changes: Sequence[ChangeRow]) -> States:
    pairs = [(change.resource_id, change.product_id) for change in changes]
    found = await actions.read_members(client, pairs)
    return {
        change.id: None if (is_in := found[pair]) is None else {"collections": is_in}
        for change, pair in zip(changes, pairs, strict=True)
    }


async def _images(client: ShopifyClient, currency: str, changes: Sequence[ChangeRow]) -> States:
    found = await actions.read_images(client, sorted({change.resource_id for change in changes}))
    states: States = {}
    for change in changes:
        node = found[change.resource_id]
        states[change.id] = None if node is None else {"image_alt": canonical("image_alt", node["alt"], currency)}
    return states


_READERS: Mapping[_Reader, frozenset[Owner]] = {
    _products: frozenset({Owner.PRODUCT}),
    _variants: frozenset({Owner.VARIANT}),
    _levels: frozenset({Owner.INVENTORY_LEVEL}),
    _metafields: frozenset({Owner.PRODUCT_METAFIELD, Owner.VARIANT_METAFIELD}),
    _images: frozenset({Owner.PRODUCT_MEDIA}),
    _collections: frozenset({Owner.COLLECTION}),
    _memberships: frozenset({Owner.COLLECTION_MEMBERSHIP}),
}
