"""What the store says now of the records that changes are about: of exactly the fields that have to be compared."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias
from uuid import UUID

import msgspec

from syncline.apps.commerce.fields import AnyValue, Owner, canonical
from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.mirror.values import metafield_of
from syncline.apps.commerce.push.gallery_states import gallery_states
from syncline.apps.commerce.push.vendor_fields import paths_of, state_of, to_compare
from syncline.apps.commerce.push.whole_products import read_wholes
from syncline.apps.commerce.staging.repository import ChangeRow
from syncline.connectors.shopify import actions, comparing, ids
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.metafields import MetafieldKey

State = dict[str, AnyValue]
States = dict[UUID, State | None]
"""By change: the field values of its record; None where the record is no longer in the store."""

_Reader: TypeAlias = Callable[[ShopifyClient, str, Sequence[ChangeRow]], Awaitable[States]]


async def read_now(client: ShopifyClient, currency: str, changes: Sequence[ChangeRow]) -> States:
    """One reading per kind of record, however many changes ask for it, at the same time: where calls are packed they
    are one request."""
    asked = {reader: [change for change in changes if change.kind in kinds] for reader, kinds in _READERS.items()}
    found = await asyncio.gather(*(reader(client, currency, mine) for reader, mine in asked.items() if mine))
    return {change: state for states in found for change, state in states.items()}


def _reader_of(type_name: str) -> _Reader:
    async def read(client: ShopifyClient, currency: str, changes: Sequence[ChangeRow]) -> States:
        names = to_compare((change.before, change.after) for change in changes)
        numbers = sorted({change.resource_id for change in changes})
        nodes = await comparing.read_fields(client, type_name, numbers, paths_of(names))
        states: States = {}
        for change in changes:
            node = nodes[change.resource_id]
            states[change.id] = None if node is None else state_of(names, node, currency)
        return states

    return read


async def _levels(client: ShopifyClient, _currency: str, changes: Sequence[ChangeRow]) -> States:
    found = await comparing.read_available(client, sorted({_level(change) for change in changes}))
    return {
        change.id: None if (quantity := found[_level(change)]) is None else {"available": quantity}
        for change in changes
    }


def _level(change: ChangeRow) -> tuple[int, int]:
    return (change.resource_id, change.location_id or 0)


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


async def _memberships(client: ShopifyClient, _currency: str, changes: Sequence[ChangeRow]) -> States:
    pairs = [(change.resource_id, change.product_id) for change in changes]
    found = await actions.read_members(client, pairs)
    return {
        change.id: None if (is_in := found[pair]) is None else {"collections": is_in}
        for change, pair in zip(changes, pairs, strict=True)
    }


async def _wholes(client: ShopifyClient, currency: str, changes: Sequence[ChangeRow]) -> States:
    return dict(await read_wholes(client, currency, changes))


async def _images(client: ShopifyClient, currency: str, changes: Sequence[ChangeRow]) -> States:
    found = await actions.read_images(client, sorted({change.resource_id for change in changes}))
    states: States = {}
    for change in changes:
        node = found[change.resource_id]
        states[change.id] = None if node is None else {"image_alt": canonical("image_alt", node["alt"], currency)}
    return states


async def _galleries(client: ShopifyClient, _currency: str, changes: Sequence[ChangeRow]) -> States:
    nodes = await actions.read_galleries(client, sorted({change.product_id for change in changes}))
    return {
        change: state
        for product, shown in nodes.items()
        for change, state in gallery_states(shown, [one for one in changes if one.product_id == product]).items()
    }


_READERS: Mapping[_Reader, frozenset[Owner]] = {
    _reader_of(ids.PRODUCT): frozenset({Owner.PRODUCT}),
    _reader_of(ids.VARIANT): frozenset({Owner.VARIANT}),
    _levels: frozenset({Owner.INVENTORY_LEVEL}),
    _metafields: frozenset({Owner.PRODUCT_METAFIELD, Owner.VARIANT_METAFIELD}),
    _images: frozenset({Owner.PRODUCT_MEDIA}),
    _galleries: frozenset({Owner.PRODUCT_IMAGE, Owner.PRODUCT_GALLERY}),
    _wholes: frozenset({Owner.WHOLE_PRODUCT}),
    _reader_of(ids.COLLECTION): frozenset({Owner.COLLECTION}),
    _memberships: frozenset({Owner.COLLECTION_MEMBERSHIP}),
}
