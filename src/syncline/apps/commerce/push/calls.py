"""Which changes go to the store in one call, and which of them may be in the air together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.push.ends import Ready
from syncline.apps.commerce.push.sending import SENDERS, Sender
from syncline.apps.commerce.push.sending_galleries import is_new
from syncline.apps.commerce.push.sending_memberships import is_adding
from syncline.apps.commerce.staging.repository import ChangeRow
from syncline.connectors.shopify.cost import MAX_INPUT
from syncline.connectors.shopify.metafields import MAX_AT_ONCE

Cut = Callable[[Sequence[Ready]], Iterator[list[Ready]]]


def calls_of(ready: Sequence[Ready]) -> Iterator[tuple[Sender, list[Ready]]]:
    """Every change in one call, each call as large as Shopify lets it be."""
    by_sender: dict[Sender, list[Ready]] = {}
    cuts: dict[Sender, Cut] = {}
    for one in ready:
        owner = Owner(one.change.kind)
        by_sender.setdefault(SENDERS[owner], []).append(one)
        cuts[SENDERS[owner]] = _CUTS.get(owner, one_by_one)
    for sender, members in by_sender.items():
        for call in cuts[sender](members):
            yield sender, call


def by_product(ready: Sequence[Ready]) -> Iterator[list[Ready]]:
    for _, group in groupby(sorted(ready, key=_product), key=_product):
        yield list(group)


def _product(one: Ready) -> int:
    return one.change.product_id


def by_list(ready: Sequence[Ready]) -> Iterator[list[Ready]]:
    """As many as one list may have, whosever they are."""
    return (list(ready[start : start + MAX_INPUT]) for start in range(0, len(ready), MAX_INPUT))


def by_metafields(ready: Sequence[Ready]) -> Iterator[list[Ready]]:
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
        yield from by_list(members)


def by_gallery(ready: Sequence[Ready]) -> Iterator[list[Ready]]:
    """What one product gets apart from what it loses."""
    calls: dict[tuple[int, bool], list[Ready]] = {}
    for one in ready:
        calls.setdefault((one.change.product_id, is_new(one)), []).append(one)
    for members in calls.values():
        yield from by_list(members)


_CUTS: Mapping[Owner, Cut] = {
    Owner.VARIANT: by_product,
    Owner.PRODUCT_MEDIA: by_product,
    Owner.INVENTORY_LEVEL: by_list,
    Owner.PRODUCT_METAFIELD: by_metafields,
    Owner.VARIANT_METAFIELD: by_metafields,
    Owner.COLLECTION_MEMBERSHIP: by_collection,
    Owner.PRODUCT_IMAGE: by_gallery,
}
"""A kind that is not in it takes one record a call."""


def first_of_each_record(changes: Sequence[ChangeRow]) -> list[ChangeRow]:
    """One change of a record at a time: the next one has to be compared with what the first one leaves. What a product
    shows is put into order when nothing of it comes or goes any more."""
    records: dict[tuple[object, ...], ChangeRow] = {}
    moving = {change.product_id for change in changes if change.kind == Owner.PRODUCT_IMAGE}
    for change in changes:
        if change.kind != Owner.PRODUCT_GALLERY or change.product_id not in moving:
            records.setdefault(_record(change), change)
    return list(records.values())


def _record(change: ChangeRow) -> tuple[object, ...]:
    owner = Owner(change.kind)
    name = next(iter(change.after), None) if owner.is_metafield else None
    if owner is Owner.PRODUCT_IMAGE:
        after = change.after["images"]
        return (change.kind, change.resource_id, change.product_id, after["url"] if after else None)
    member = change.product_id if owner is Owner.COLLECTION_MEMBERSHIP else None
    return (change.kind, change.resource_id, change.location_id, member, name)
