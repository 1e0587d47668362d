"""What a batch has in common with what waits already: the same is not staged again, and rivals are named.

Looked at once all of a batch is staged. Whoever is at it holds the store's turn until he commits, so of two who stage
the same at once the second sees what the first has staged; nobody waits while a long sheet is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    and_,
    any_,
    delete,
    distinct,
    exists,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from syncline.apps.commerce.contract import ChangeBatch, ChangeStatus, Json, NothingToDo, Overlap
from syncline.apps.commerce.fields import same_value
from syncline.apps.commerce.staging.expiry import in_time
from syncline.apps.commerce.staging.models import change_batch, change_expiry, staged_change
from syncline.apps.commerce.staging.notes import among
from syncline.apps.commerce.staging.repository import OUTBOUND, find_batch
from syncline.apps.commerce.staging.superseding import give_up, is_addition, same_source
from syncline.runtime.db.planning import joined_by_hash
from syncline.runtime.db.session import Session, WriteSession

WAITING = (ChangeStatus.PENDING, ChangeStatus.APPROVED, ChangeStatus.SENDING)
NAMED = 5
"""Batches named in an answer, those with the most first."""
_AT_ONCE = 5_000

_RECORD = ("product_id", "kind", "resource_id", "location_id")
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('commerce.staging ' || :store, 0))")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change of the same record in another batch."""

    id: UUID
    batch_id: UUID
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Met:
    """Of one change: the fields that wait already, each with the batch, and the batches that want others."""

    known: dict[str, UUID]
    rivals: frozenset[UUID]


def meet(before: Json, after: Json, others: Sequence[Waiting]) -> Met:
    """The same step from the same value is known. Another value, or the same from a value that the store no longer has,
    is a rival. Pure."""
    known: dict[str, UUID] = {}
    rivals: set[UUID] = set()
    for name, value in after.items():
        mine = [one for one in others if name in one.after]
        same = [
            one.batch_id
            for one in mine
            if same_value(name, one.after[name], value) and same_value(name, one.before.get(name), before.get(name))
        ]
        if same:
            known[name] = same[0]
        else:
            rivals.update(one.batch_id for one in mine)
    return Met(known, frozenset(rivals))


async def take_turn(session: WriteSession, store_id: UUID) -> None:
    """Who stages for the store and looks at what waits there comes after whoever is at it, until the transaction
    ends."""
    await session.execute(_TURN, {"store": str(store_id)})


async def settle(session: WriteSession, *, store_id: UUID, batch_id: UUID) -> Overlap:
    """What waits already is taken out of the batch. It may be empty then."""
    await take_turn(session, store_id)
    if not await _waits(session, store_id, batch_id):
        return Overlap()
    async with joined_by_hash(session):
        return await _settle(session, store_id=store_id, batch_id=batch_id)


async def _settle(session: WriteSession, *, store_id: UUID, batch_id: UUID) -> Overlap:
    known, rivals, contested, replaced = Counter[UUID](), Counter[UUID](), 0, 0
    after: UUID | None = None
    while ids := await _list_ids(session, batch_id, after):
        after = ids[-1]
        gone: list[UUID] = []
        for row, others in await _list_overlapping(session, store_id, batch_id, ids):
            met = meet(row["before"], row["after"], others)
            known.update(met.known.values())
            if is_addition(row["kind"], row["resource_id"]):
                # Pictures of several addresses are no rivals of each other, and of those of one address the last stays.
                older = [] if met.known else [one for one in others if same_source(one.after, row["after"])]
                gone_elsewhere, left = await _give_up(session, older, author=row["author"], batch_id=batch_id)
                replaced += gone_elsewhere
                met = Met(met.known, left)
            rivals.update(met.rivals)
            contested += bool(met.rivals)
            if len(met.known) == len(row["after"]):
                gone.append(row["id"])
            elif met.known:
                await _keep_only(session, row, [name for name in row["after"] if name not in met.known])
        await _remove(session, gone)
    return Overlap(known.total(), _named(known), contested, _named(rivals), replaced)


async def _give_up(
    session: WriteSession, older: Sequence[Waiting], *, author: str, batch_id: UUID
) -> tuple[int, frozenset[UUID]]:
    """How many were given up, and the batches of those that were not."""
    if not older:
        return 0, frozenset()
    given_up = await give_up(session, [one.id for one in older], author=author, batch_id=batch_id)
    return len(given_up), frozenset(one.batch_id for one in older if one.id not in given_up)


def _named(batches: Counter[UUID]) -> tuple[UUID, ...]:
    return tuple(batch_id for batch_id, _ in batches.most_common(NAMED))


async def finish(session: WriteSession, *, store_id: UUID, batch_id: UUID) -> ChangeBatch:
    """The batch without what waits already. Raises `NothingToDo` when nothing is left of it."""
    overlap = await settle(session, store_id=store_id, batch_id=batch_id)
    batch = await find_batch(session, batch_id)
    assert batch is not None
    if not batch.counts and overlap.waiting:
        raise NothingToDo(f"{said(overlap)}; nothing was staged.")
    return replace(batch, overlap=overlap)


def said(overlap: Overlap) -> str:
    """`12 already waiting with the same value, in batch …`."""
    batches = ", ".join(map(str, overlap.waiting_in))
    more = " and others" if len(overlap.waiting_in) == NAMED else ""
    return f"{overlap.waiting:,} already waiting with the same value, in batch {batches}{more}"


async def count_products(session: Session, batch_id: UUID) -> int:
    table = staged_change.c
    query = select(func.count(distinct(table.product_id)))
    mine = (table.tenant_id == session.tenant_id, table.batch_id == batch_id)
    return int((await session.execute(query.where(*mine))).scalar_one())


async def drop_batch(session: WriteSession, batch_id: UUID) -> None:
    """One that holds no change leaves nothing behind."""
    mine = (change_batch.c.tenant_id == session.tenant_id, change_batch.c.id == batch_id)
    await session.execute(delete(change_batch).where(*mine))
    await session.execute(delete(change_expiry).where(change_expiry.c.batch_id == batch_id))


async def _list_ids(session: Session, batch_id: UUID, after: UUID | None) -> list[UUID]:
    table = staged_change.c
    query = select(table.id).where(table.tenant_id == session.tenant_id, table.batch_id == batch_id)
    if after is not None:
        query = query.where(table.id > after)
    return list((await session.execute(query.order_by(table.id).limit(_AT_ONCE))).scalars())


def _others(session: Session, store_id: UUID, batch_id: UUID) -> tuple[ColumnElement[bool], ...]:
    table = staged_change.c
    return (
        table.tenant_id == session.tenant_id,
        table.store_id == store_id,
        table.status == any_(literal(list(WAITING), ARRAY(TEXT))),
        table.direction == OUTBOUND,
        table.batch_id != batch_id,
        in_time(),
    )


async def _waits(session: Session, store_id: UUID, batch_id: UUID) -> bool:
    """Whether anything of another batch does."""
    found = select(exists(select(literal(1)).where(*_others(session, store_id, batch_id))))
    return bool((await session.execute(found)).scalar_one())


async def _list_overlapping(
    session: Session, store_id: UUID, batch_id: UUID, ids: Sequence[UUID]
) -> list[tuple[RowMapping, list[Waiting]]]:
    """Those of the changes whose records others change too, each with these, first staged first."""
    table: Any = staged_change.c
    own = (
        select(*(table[name] for name in ("id", "author", *_RECORD, "before", "after")))
        .where(table.tenant_id == session.tenant_id, among(table.id, ids))
        .cte("own")
        .prefix_with("MATERIALIZED")
    )
    other = (
        select(*(table[name] for name in ("id", "batch_id", "before", "after", *_RECORD)))
        .where(*_others(session, store_id, batch_id))
        .cte("other")
        .prefix_with("MATERIALIZED")
    )
    same = and_(
        *(other.c[name] == own.c[name] for name in _RECORD if name != "location_id"),
        other.c.location_id.is_not_distinct_from(own.c.location_id),
    )
    theirs = (other.c[name].label(f"their_{name}") for name in ("id", "batch_id", "before", "after"))
    query = select(own, *theirs).select_from(own.join(other, same)).order_by(own.c.id, other.c.id)
    found: dict[UUID, tuple[RowMapping, list[Waiting]]] = {}
    for row in (await session.execute(query)).mappings():
        _, others = found.setdefault(row["id"], (row, []))
        others.append(Waiting(row["their_id"], row["their_batch_id"], row["their_before"], row["their_after"]))
    return list(found.values())


async def _keep_only(session: WriteSession, row: RowMapping, names: Sequence[str]) -> None:
    table = staged_change.c
    before, after = ({name: row[side].get(name) for name in names} for side in ("before", "after"))
    mine = (table.tenant_id == session.tenant_id, table.id == row["id"])
    await session.execute(update(staged_change).where(*mine).values(before=before, after=after))


async def _remove(session: WriteSession, ids: Sequence[UUID]) -> None:
    table = staged_change.c
    if ids:
        await session.execute(delete(staged_change).where(table.tenant_id == session.tenant_id, among(table.id, ids)))
