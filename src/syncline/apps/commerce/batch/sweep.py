"""What an operation makes of some products, each of them whole: staged with all its records, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from syncline.apps.commerce.batch_contract import BatchRefusal
from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.fields import Owner, same_value
from syncline.apps.commerce.mirror.listing import Listed, list_product_ids
from syncline.apps.commerce.mirror.models import product
from syncline.apps.commerce.staging.edits import Edit, edits_for
from syncline.apps.commerce.staging.proposing import propose
from syncline.apps.commerce.staging.repository import Proposal, list_waiting
from syncline.apps.commerce.staging.search import Search
from syncline.apps.commerce.staging.selection import mirror_condition
from syncline.kernel.errors import InvalidInput
from syncline.runtime.db.session import Session

CHUNK = 250
"""Products at once: with 2,048 variants each, as many as Shopify allows, memory stays in the hundreds of MB."""

_GONE = "This product is not in the mirror; pull the store first, or leave it out."


@dataclass(frozen=True, slots=True)
class Plan:
    """One operation, understood: what is edited, where it is looked for, and in which products alone, if any were
    named."""

    store: Store
    edits: Sequence[Edit]
    search: Search
    product_ids: Sequence[int]
    limit: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """What comes of some products: the changes to stage, and how many products there is nothing to stage for."""

    products: int
    proposals: Sequence[Proposal]
    refusals: Sequence[BatchRefusal]
    unchanged: int
    waiting: int


@dataclass(slots=True)
class _Found:
    proposals: list[Proposal] = field(default_factory=list)
    refusals: dict[int, BatchRefusal] = field(default_factory=dict)

    def refuse(self, record: Listed, error: InvalidInput) -> None:
        name = error.fields[0].field if error.fields else None
        refusal = BatchRefusal(record.product_id, record.label, name, error.sentence)
        self.refusals.setdefault(record.product_id, refusal)


async def list_products(session: Session, plan: Plan) -> tuple[list[int], list[BatchRefusal]]:
    """The products the operation is for, in the order of their ids, and those that were named and are not there."""
    found: set[int] = set()
    named = [product.c.id.in_(plan.product_ids)] if plan.product_ids else []
    for owner in Owner:
        if edits_for(owner, plan.edits):
            condition = mirror_condition(owner, plan.search)
            for one in named:
                condition &= one
            found.update(await list_product_ids(session, plan.store.id, owner, condition))
    gone: list[BatchRefusal] = []
    if plan.product_ids:
        known = set(await list_product_ids(session, plan.store.id, Owner.PRODUCT, named[0]))
        missing = sorted(set(plan.product_ids) - known)
        gone = [BatchRefusal(one, f"Product {one}", "product_ids", _GONE) for one in missing]
    return sorted(found), gone


def cut(products: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Slices of at most `size`."""
    return (products[start : start + size] for start in range(0, len(products), size))


async def sweep(session: Session, plan: Plan, products: Sequence[int]) -> AsyncIterator[Chunk]:
    """In the order of the products. A product that was named and has none of the records to be changed is unchanged."""
    for some in cut(products, CHUNK):
        found = _Found()
        within = product.c.id.in_(some)
        async for _, proposals in propose(
            session, plan.store, plan.search, plan.edits, within=within, refused=found.refuse
        ):
            found.proposals.extend(proposals)
        yield await _chunk(session, plan.store.id, some, found)


async def _chunk(session: Session, store_id: UUID, products: Sequence[int], found: _Found) -> Chunk:
    waiting = _by_record(await list_waiting(session, store_id, products))
    good = [one for one in found.proposals if one.product_id not in found.refusals]
    fresh = [one for one in good if not _waits(one, waiting)]
    touched, staged = {one.product_id for one in good}, {one.product_id for one in fresh}
    return Chunk(
        products=len(products),
        proposals=sorted(fresh, key=lambda one: one.product_id),
        refusals=list(found.refusals.values()),
        unchanged=len(products) - len(touched) - len(found.refusals),
        waiting=len(touched - staged),
    )


_Record = tuple[str, int, int | None, int]


def _record(one: Proposal) -> _Record:
    return (one.kind, one.resource_id, one.location_id, one.product_id)


def _by_record(waiting: Sequence[Proposal]) -> Mapping[_Record, list[Proposal]]:
    found: dict[_Record, list[Proposal]] = {}
    for one in waiting:
        found.setdefault(_record(one), []).append(one)
    return found


def _waits(proposal: Proposal, waiting: Mapping[_Record, list[Proposal]]) -> bool:
    """Whether a change that was not sent yet makes the same of the record already."""
    return any(
        all(name in one.after and same_value(name, value, one.after[name]) for name, value in proposal.after.items())
        for one in waiting.get(_record(proposal), ())
    )
