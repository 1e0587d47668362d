"""Which changes are read and compared together, and which go to the store in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.push.ends import Ready
from syncline.apps.commerce.push.sending_memberships import is_adding
from syncline.apps.commerce.staging.repository import ChangeRow
from syncline.connectors.shopify.cost import MAX_INPUT
from syncline.connectors.shopify.metafields import MAX_AT_ONCE


@dataclass(frozen=True, slots=True)
class Lane:
    """`ahead` is how many products' changes of these kinds are read together before their writes: fewer make more
    readings, more leave a longer moment between reading and writing. `batches` cuts what is left to be written."""

    kinds: tuple[Owner, ...]
    ahead: int
    batches: Callable[[Sequence[Ready]], Iterator[list[Ready]]]


def by_product(ready: Sequence[Ready]) -> Iterator[list[Ready]]:
    for _, group in groupby(ready, key=lambda one: one.change.product_id):
        yield list(group)


def by_call(ready: Sequence[Ready]) -> Iterator[list[Ready]]:
    """As many metafields as one call takes, whoever has them; what is set apart from what is deleted."""
    setting = [one for one in ready if None not in one.change.after.values()]
    deleting = [one for one in ready if None in one.change.after.values()]
    for members, size in ((setting, MAX_AT_ONCE), (deleting, MAX_INPUT)):
        yield from (members[start : start + size] for start in range(0, len(members), size))


def one_by_one(ready: Sequence[Ready]) -> Iterator[list[Ready]]:
    return ([one] for one in ready)


def by_collection(ready: Sequence[Ready]) -> Iterator[list[Ready]]:
    """As many products as one call takes, into one collection or out of it."""
    calls: dict[tuple[int, bool], list[Ready]] = {}
    for one in ready:
        calls.setdefault((one.change.resource_id, is_adding(one)), []).append(one)
    for members in calls.values():
        yield from (members[start : start + MAX_INPUT] for start in range(0, len(members), MAX_INPUT))


LANES = (
    Lane((Owner.PRODUCT, Owner.VARIANT, Owner.INVENTORY_LEVEL, Owner.PRODUCT_MEDIA), 25, by_product),
    Lane((Owner.PRODUCT_METAFIELD, Owner.VARIANT_METAFIELD), 100, by_call),
    Lane((Owner.COLLECTION,), 25, one_by_one),
    Lane((Owner.COLLECTION_MEMBERSHIP,), MAX_INPUT, by_collection),
)
"""Every kind of change is in one of them."""


def first_of_each_record(changes: Sequence[ChangeRow]) -> list[ChangeRow]:
    """One change of a record at a time: the next one has to be compared with what the first one leaves."""
    records: dict[tuple[object, ...], ChangeRow] = {}
    for change in changes:
        records.setdefault(_record(change), change)
    return list(records.values())


def _record(change: ChangeRow) -> tuple[object, ...]:
    owner = Owner(change.kind)
    name = next(iter(change.after), None) if owner.is_metafield else None
    member = change.product_id if owner is Owner.COLLECTION_MEMBERSHIP else None
    return (change.kind, change.resource_id, change.location_id, member, name)
