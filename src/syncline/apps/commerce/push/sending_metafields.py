"""Metafields to the store: set over the digest that was just read, or deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from syncline.apps.commerce.metafields import Metafield
from syncline.apps.commerce.mirror.values import metafield_of
from syncline.apps.commerce.push import ends
from syncline.apps.commerce.push.ends import Ready
from syncline.apps.commerce.push.reading import metafield_key, read_now
from syncline.apps.commerce.push.repository import Settled
from syncline.apps.commerce.push.verdict import Outcome, judge_read_back
from syncline.connectors.shopify import actions
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.metafields import MetafieldWrite
from syncline.connectors.shopify.results import RowResult


async def send_metafields(client: ShopifyClient, currency: str, members: Sequence[Ready]) -> list[Settled]:
    """Compare-and-swap at Shopify itself for what is set. What is deleted was compared when it was read: Shopify takes
    no digest there."""
    setting = [one for one in members if _wanted(one) is not None]
    deleting = [one for one in members if _wanted(one) is None]
    results: dict[UUID, RowResult[Any]] = {}
    if setting:
        made = await actions.set_metafields(client, [_write(one) for one in setting])
        results |= {one.change.id: result for one, result in zip(setting, made, strict=True)}
    if deleting:
        deleted = await actions.delete_metafields(client, [metafield_key(one.change) for one in deleting])
        results |= {one.change.id: result for one, result in zip(deleting, deleted, strict=True)}
    found = {one.change.id: _end(one, results[one.change.id]) for one in members}
    found |= await _stale(client, currency, [one for one in members if results[one.change.id].is_stale])
    return [found[one.change.id] for one in members]


async def _stale(client: ShopifyClient, currency: str, members: Sequence[Ready]) -> dict[UUID, Settled]:
    """What the store has now decides: the wanted value itself, another one, or the old one, whose refusal stands."""
    if not members:
        return {}
    now = await read_now(client, currency, [one.change for one in members])
    found: dict[UUID, Settled] = {}
    for one in members:
        state = now[one.change.id]
        if state is None or judge_read_back(one.before, one.change.after, state) is Outcome.MOVED:
            found[one.change.id] = ends.moved(one.change, state)
        elif (arrived := ends.read_back(one.change, one.before, state)) is not None:
            found[one.change.id] = arrived
    return found


def _field(one: Ready) -> str:
    (name,) = one.change.after
    return name


def _wanted(one: Ready) -> Metafield | None:
    wanted: Metafield | None = one.change.after[_field(one)]
    return wanted


def _write(one: Ready) -> MetafieldWrite:
    wanted, held = _wanted(one), one.now.get(_field(one))
    assert wanted is not None
    digest = held["digest"] if isinstance(held, dict) else None
    return MetafieldWrite(metafield_key(one.change), wanted["type"], wanted["value"], digest)


def _end(one: Ready, result: RowResult[Any]) -> Settled:
    if not result.ok:
        return ends.refused(one.change, result)
    after = metafield_of(result.values) if _wanted(one) is not None else None
    return ends.written(one.change, result, {_field(one): after})
