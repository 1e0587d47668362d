from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import ColumnElement, RowMapping, Select, and_, case, func, insert, literal, select, update

from syncline.apps.commerce.contract import ChangeBatch, ChangeQuery, ChangeStatus, Json, Resolution, StagedChange
from syncline.apps.commerce.staging import tally
from syncline.apps.commerce.staging.expiry import begin_batch, in_time
from syncline.apps.commerce.staging.merge import merged
from syncline.apps.commerce.staging.models import change_batch, staged_change
from syncline.apps.commerce.staging.notes import add_notes, among, keep_first_words
from syncline.apps.commerce.staging.selected import ids_of
from syncline.apps.commerce.staging.selection import change_condition
from syncline.apps.commerce.stores.models import store
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.db.copy import copy_rows
from syncline.runtime.db.planning import joined_by_hash
from syncline.runtime.db.session import Session, WriteSession

INBOUND, OUTBOUND = "inbound", "outbound"
"""Changed in the store by somebody else; wanted in the store by us."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change before it is stored: which record, which fields, from what to what."""

    kind: str
    resource_id: int
    product_id: int
    label: str
    before: Json
    after: Json
    location_id: int | None = None
    reverts_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A staged change as the push sees it."""

    id: UUID
    batch_id: UUID
    store_id: UUID
    kind: str
    resource_id: int
    location_id: int | None
    product_id: int
    label: str
    before: Json
    after: Json
    theirs: Json | None
    status: ChangeStatus
    attempt: int
    author: str


def change_row(row: RowMapping) -> ChangeRow:
    values = {name: row[name] for name in ChangeRow.__dataclass_fields__}
    return ChangeRow(**{**values, "status": ChangeStatus(row["status"])})


def _staged(row: RowMapping) -> StagedChange:
    values = {name: row[name] for name in StagedChange.__dataclass_fields__}
    return StagedChange(**{**values, "status": ChangeStatus(row["status"])})


async def add_batch(
    session: WriteSession, *, store_id: UUID, kind: str, summary: str, author: Actor, reverts_id: UUID | None = None
) -> UUID:
    batch_id = new_id()
    await session.execute(
        insert(change_batch).values(
            id=batch_id,
            tenant_id=session.tenant_id,
            store_id=store_id,
            kind=kind,
            summary=summary,
            author=author.name,
            author_id=author.user_id,
            reverts_id=reverts_id,
            created_at=clock.now(),
        )
    )
    await begin_batch(session, batch_id)
    return batch_id


_STAGED_COLUMNS = (
    *("id", "kind", "resource_id", "location_id", "product_id", "label", "before", "after", "reverts_id"),
)


async def add_changes(
    session: WriteSession,
    *,
    batch_id: UUID,
    store_id: UUID,
    author: str,
    note: str | None,
    proposals: Iterable[Proposal],
    direction: str = OUTBOUND,
) -> int:
    """Store proposals as pending changes; returns how many. Streams: the proposals may be a generator."""
    driver = await session.driver()
    names = sql.SQL(", ").join(map(sql.Identifier, _STAGED_COLUMNS))
    await driver.execute(
        sql.SQL(
            "create temporary table if not exists incoming_change on commit drop as"
            " select {names} from commerce.staged_change with no data"
        ).format(names=names)
    )
    rows = (
        (
            new_id(),
            proposal.kind,
            proposal.resource_id,
            proposal.location_id,
            proposal.product_id,
            proposal.label,
            proposal.before,
            proposal.after,
            proposal.reverts_id,
        )
        for proposal in proposals
    )
    await copy_rows(session, "incoming_change", _STAGED_COLUMNS, rows)
    async with joined_by_hash(session):
        cursor = await _insert_incoming(
            driver,
            {
                "tenant": session.tenant_id,
                "store": store_id,
                "batch": batch_id,
                "author": author,
                "note": note,
                "at": clock.now(),
                "direction": direction,
            },
        )
    await driver.execute("truncate incoming_change")
    await tally.fold(session)
    return cursor.rowcount


async def _insert_incoming(driver: psycopg.AsyncConnection, values: Mapping[str, Any]) -> psycopg.AsyncCursor:
    """Gives the rows of incoming_change what they have in common, and each the vendor of its product. Where the planner
    takes the store for one of a few products it would look through all of them once more for each row, so they are
    looked up at once and joined by hash, whatever it knows."""
    return await driver.execute(
        sql.SQL(
            "with vendors as materialized ("
            "select id, vendor from commerce.product where tenant_id = %(tenant)s and store_id = %(store)s"
            " and id = any (array(select distinct product_id from incoming_change)))"
            " insert into commerce.staged_change"
            " ({names}, tenant_id, batch_id, store_id, author, note, status, attempt, created_at, direction, vendor,"
            " expires_at)"
            " select {incoming}, %(tenant)s, %(batch)s, %(store)s, %(author)s, %(note)s, 'pending', 0, %(at)s,"
            " %(direction)s, coalesce(vendors.vendor, ''),"
            " (select due_at from commerce.change_expiry where change_expiry.batch_id = %(batch)s)"
            " from incoming_change left join vendors on vendors.id = incoming_change.product_id"
        ).format(
            names=sql.SQL(", ").join(map(sql.Identifier, _STAGED_COLUMNS)),
            incoming=sql.SQL(", ").join(sql.Identifier("incoming_change", name) for name in _STAGED_COLUMNS),
        ),
        values,
    )


def matching(session: Session, query: ChangeQuery) -> ColumnElement[bool]:
    table = staged_change.c
    parts: list[ColumnElement[bool]] = [table.tenant_id == session.tenant_id]
    connected = select(store.c.id).where(store.c.tenant_id == session.tenant_id)
    if query.store is not None:
        connected = connected.where(store.c.name == query.store)
    # What a removed store leaves behind until a job has come to it is nobody's any more.
    parts.append(table.store_id.in_(connected))
    if query.batch_id is not None:
        parts.append(table.batch_id == query.batch_id)
    if query.ids:
        parts.append(table.id.in_(query.ids))
    if query.statuses:
        parts.append(table.status.in_(query.statuses))
    if query.search.strip():
        parts.append(change_condition(query.search))
    if query.selection_id is not None:
        parts.append(table.id.in_(ids_of(session, query.selection_id)))
    return and_(*parts)


def is_counted(query: ChangeQuery) -> bool:
    """Whether how many it finds is known without looking at them."""
    return not (query.batch_id or query.ids or query.search.strip() or query.selection_id)


async def list_changes(session: Session, query: ChangeQuery, page: PageRequest) -> Page[StagedChange]:
    found = matching(session, query)
    total = await count_changes(session, query)
    rows = await session.execute(
        select(staged_change).where(found).order_by(staged_change.c.id).offset(page.offset).limit(page.limit)
    )
    return Page([_staged(row) for row in rows.mappings()], total, page.page, page.limit)


async def count_changes(session: Session, query: ChangeQuery) -> int:
    if is_counted(query):
        return sum((await count_by_status(session, query)).values())
    counted = select(func.count()).select_from(staged_change).where(matching(session, query))
    return int((await session.execute(counted)).scalar_one())


async def find_change(session: Session, change_id: UUID) -> StagedChange | None:
    query = select(staged_change).where(matching(session, ChangeQuery(ids=(change_id,))))
    row = (await session.execute(query)).mappings().one_or_none()
    return _staged(row) if row else None


async def count_by_status(session: Session, query: ChangeQuery) -> dict[str, int]:
    if is_counted(query):
        return await tally.count_by_status(session, query.store, query.statuses)
    counts = (
        select(staged_change.c.status, func.count()).where(matching(session, query)).group_by(staged_change.c.status)
    )
    return dict((await session.execute(counts)).all())


async def count_late(session: Session, query: ChangeQuery) -> int:
    """Those that are pending and past their date."""
    late = (staged_change.c.status == ChangeStatus.PENDING, ~in_time())
    counted = select(func.count()).select_from(staged_change).where(matching(session, query), *late)
    return int((await session.execute(counted)).scalar_one())


async def hold(session: WriteSession, *conditions: ColumnElement[bool], skips_locked: bool = False) -> list[UUID]:
    """Lock the changes that these hold for until the transaction ends; answers which. In the order of ids: two who
    move many of the same at once wait for each other, and never in a circle. Whoever comes second finds what the first
    has left for him, for the conditions are looked at again once the lock is his."""
    table = staged_change.c
    chosen = select(table.id).where(table.tenant_id == session.tenant_id, *conditions)
    return list(
        (
            await session.execute(chosen.order_by(table.id).with_for_update(of=staged_change, skip_locked=skips_locked))
        ).scalars()
    )


async def change_held(session: WriteSession, ids: Sequence[UUID], **values: Any) -> None:
    table = staged_change.c
    moved = update(staged_change).where(table.tenant_id == session.tenant_id, among(table.id, ids))
    await session.execute(moved.values(**values))


async def review(
    session: WriteSession,
    query: ChangeQuery,
    *,
    frm: Sequence[ChangeStatus],
    to: ChangeStatus,
    reviewer: str,
    note: str | None,
    not_by: Actor | None = None,
    skips_locked: bool = False,
) -> Sequence[UUID]:
    """Move what matches and is in one of `frm` to `to`; answers which they were. Rows another reviewer has moved
    meanwhile are left as they are, and so is what is to be approved and past its date. `skips_locked`: also what
    somebody is just moving."""
    conditions = [matching(session, query), staged_change.c.status.in_(frm)]
    if not_by is not None:
        conditions += not_staged_by(session, not_by)
    moved: Any = to
    if to is ChangeStatus.APPROVED:
        conditions.append(in_time())
        # What the store has already is not sent.
        moved = case((staged_change.c.direction == INBOUND, ChangeStatus.ACCEPTED), else_=to)
    ids = await hold(session, *conditions, skips_locked=skips_locked)
    if not ids:
        return ids
    values: dict[str, Any] = {"status": moved, "reviewer": reviewer, "reviewed_at": clock.now()}
    if note is not None:
        values["note"] = note
        await keep_first_words(session, ids)
        await add_notes(session, ids, author=reviewer, text=note)
    await change_held(session, ids, **values)
    await tally.fold(session)
    return ids


async def count_inbound(session: Session, ids: Sequence[UUID]) -> int:
    """How many of them were made in the store itself."""
    table = staged_change.c
    mine = (table.tenant_id == session.tenant_id, among(table.id, ids), table.direction == INBOUND)
    return int((await session.execute(select(func.count()).select_from(staged_change).where(*mine))).scalar_one())


def not_staged_by(session: Session, actor: Actor) -> list[ColumnElement[bool]]:
    """What somebody of another name staged and, for a person, somebody else, whatever he called himself then."""
    others = staged_change.c.author != actor.name
    if actor.user_id is None:
        return [others]
    his = (change_batch.c.tenant_id == session.tenant_id, change_batch.c.author_id == actor.user_id)
    return [others, staged_change.c.batch_id.not_in(select(change_batch.c.id).where(*his))]


def _batches(session: Session) -> Select[Any]:
    counts = (
        select(staged_change.c.batch_id, staged_change.c.status, func.count().label("n"))
        .where(staged_change.c.tenant_id == session.tenant_id)
        .group_by(staged_change.c.batch_id, staged_change.c.status)
        .subquery()
    )
    summed = (
        select(func.coalesce(func.jsonb_object_agg(counts.c.status, counts.c.n), func.jsonb_build_object()))
        .where(counts.c.batch_id == change_batch.c.id)
        .scalar_subquery()
    )
    return (
        select(
            change_batch.c.id,
            store.c.name.label("store"),
            change_batch.c.kind,
            change_batch.c.summary,
            change_batch.c.author,
            change_batch.c.created_at,
            change_batch.c.reverts_id.label("reverts"),
            summed.label("counts"),
        )
        .join(store, store.c.id == change_batch.c.store_id)
        .where(change_batch.c.tenant_id == session.tenant_id)
    )


async def list_batches(session: Session, *, store_id: UUID | None, page: PageRequest) -> Page[ChangeBatch]:
    belongs = literal(True) if store_id is None else change_batch.c.store_id == store_id
    counted = (
        select(func.count())
        .select_from(change_batch)
        .join(store, store.c.id == change_batch.c.store_id)
        .where(change_batch.c.tenant_id == session.tenant_id, belongs)
    )
    total = int((await session.execute(counted)).scalar_one())
    query = _batches(session).where(belongs).order_by(change_batch.c.id.desc()).offset(page.offset).limit(page.limit)
    rows = (await session.execute(query)).mappings()
    return Page([ChangeBatch(**dict(row)) for row in rows], total, page.page, page.limit)


async def find_batch(session: Session, batch_id: UUID) -> ChangeBatch | None:
    row = (await session.execute(_batches(session).where(change_batch.c.id == batch_id))).mappings().one_or_none()
    return ChangeBatch(**dict(row)) if row else None


async def resolve_conflicts(
    session: WriteSession, query: ChangeQuery, *, actor: str, resolution: Resolution, not_by: Actor | None = None
) -> int:
    """Skip gives up. Overwrite takes the store's present values as the new base. Merge does the same for the fields
    that did not move and drops the others; with none left it is a skip."""
    table = staged_change.c
    wanted = select(staged_change).where(matching(session, query), table.status == ChangeStatus.CONFLICT)
    if not_by is not None:
        wanted = wanted.where(*not_staged_by(session, not_by))
    found = await session.execute(wanted.order_by(table.id).with_for_update())
    changes = [change_row(row) for row in found.mappings()]
    for change in changes:
        values: dict[str, Any] = {"reviewer": actor, "reviewed_at": clock.now()}
        theirs = change.theirs or {}
        kept = change.after if resolution is Resolution.OVERWRITE else merged(change.before, change.after, theirs)
        if resolution is Resolution.SKIP or not kept:
            values["status"] = ChangeStatus.SKIPPED
        else:
            before = {name: theirs.get(name) for name in kept}
            values |= {
                "status": ChangeStatus.APPROVED,
                "before": before,
                "after": kept,
                "theirs": None,
                "sentence": None,
            }
        await session.execute(
            update(staged_change).where(table.tenant_id == session.tenant_id, table.id == change.id).values(**values)
        )
    await tally.fold(session)
    return len(changes)


_OPEN = (ChangeStatus.PENDING, ChangeStatus.APPROVED, ChangeStatus.SENDING)


async def list_waiting(session: Session, store_id: UUID, products: Sequence[int]) -> Sequence[Proposal]:
    """What is staged for these products and not yet at its end."""
    table: Any = staged_change.c
    names = ("kind", "resource_id", "product_id", "label", "before", "after", "location_id", "reverts_id")
    query = select(*(table[name] for name in names)).where(
        table.tenant_id == session.tenant_id,
        table.store_id == store_id,
        table.status.in_(_OPEN),
        table.direction == OUTBOUND,
        table.product_id.in_(products),
    )
    return [Proposal(**dict(row)) for row in (await session.execute(query)).mappings()]
