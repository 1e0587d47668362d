from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.commerce.batch.models import batch_part, batch_refusal, batch_run
from syncline.apps.commerce.batch_contract import (
    BatchOperation,
    BatchPart,
    BatchRefusal,
    BatchRequest,
    BatchRun,
    BatchStatus,
)
from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.stores.models import store
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.db.session import Session, WriteSession

LIVE = (BatchStatus.QUEUED, BatchStatus.RUNNING)
_COUNTS = ("processed", "staged", "unchanged", "waiting", "refused", "parts")


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A run as its worker sees it. `author` is for whose changes they are: a name and a person, no rights."""

    id: UUID
    store_id: UUID
    request: BatchRequest
    status: BatchStatus
    author: Actor
    epoch: int
    created_at: datetime


@dataclass(slots=True)
class Tally:
    """How far a run is. Products, but for `staged`, which counts changes, and `parts`."""

    total: int = 0
    processed: int = 0
    staged: int = 0
    unchanged: int = 0
    waiting: int = 0
    refused: int = 0
    parts: int = 0

    @property
    def values(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("total", *_COUNTS)}


async def add_run(
    session: WriteSession,
    *,
    store_id: UUID,
    request: BatchRequest,
    summary: str,
    requested_by: Actor,
    retries_id: UUID | None = None,
) -> UUID | None:
    """None when there is a run of this key already, or one that repeats the same."""
    run_id = new_id()
    made = (
        upsert(batch_run)
        .values(
            id=run_id,
            tenant_id=session.tenant_id,
            store_id=store_id,
            operation=request.operation,
            updates=dict(request.updates),
            summary=summary,
            search=request.where,
            product_ids=list(request.product_ids),
            note=request.note,
            job_key=request.key,
            status=BatchStatus.QUEUED,
            requested_by=requested_by.name,
            requested_by_id=requested_by.user_id,
            epoch=0,
            retries_id=retries_id,
            created_at=clock.now(),
            **dict.fromkeys(_COUNTS, 0),
        )
        .on_conflict_do_nothing()
        .returning(batch_run.c.id)
    )
    return run_id if (await session.execute(made)).one_or_none() is not None else None


async def find_by_key(session: Session, key: str) -> UUID | None:
    query = select(batch_run.c.id).where(batch_run.c.tenant_id == session.tenant_id, batch_run.c.job_key == key)
    row = (await session.execute(query)).one_or_none()
    return row[0] if row else None


def _views(session: Session) -> Select[Any]:
    again = batch_run.alias("again")
    repeated = (
        select(again.c.id)
        .where(again.c.tenant_id == batch_run.c.tenant_id, again.c.retries_id == batch_run.c.id)
        .scalar_subquery()
    )
    return (
        select(
            batch_run,
            store.c.name.label("store"),
            batch_run.c.search.label("where"),
            batch_run.c.retries_id.label("retries"),
            repeated.label("retried_by"),
        )
        .join(store, store.c.id == batch_run.c.store_id)
        .where(batch_run.c.tenant_id == session.tenant_id)
    )


def _view(row: RowMapping) -> BatchRun:
    values = {name: row[name] for name in BatchRun.__dataclass_fields__}
    named = {"operation": BatchOperation(row["operation"]), "status": BatchStatus(row["status"])}
    return BatchRun(**{**values, **named})


async def find_view(session: Session, run_id: UUID) -> BatchRun | None:
    row = (await session.execute(_views(session).where(batch_run.c.id == run_id))).mappings().one_or_none()
    return _view(row) if row else None


async def list_views(session: Session, store_id: UUID | None, page: PageRequest) -> Page[BatchRun]:
    mine = [batch_run.c.tenant_id == session.tenant_id]
    if store_id is not None:
        mine.append(batch_run.c.store_id == store_id)
    total = int((await session.execute(select(func.count()).select_from(batch_run).where(*mine))).scalar_one())
    query = _views(session).where(*mine).order_by(batch_run.c.id.desc()).offset(page.offset).limit(page.limit)
    rows = (await session.execute(query)).mappings()
    return Page([_view(row) for row in rows], total, page.page, page.limit)


def _row(row: RowMapping) -> BatchRow:
    request = BatchRequest(
        store=row["store"],
        operation=BatchOperation(row["operation"]),
        updates=row["updates"],
        where=row["search"],
        product_ids=row["product_ids"],
        note=row["note"],
        key=row["job_key"],
    )
    return BatchRow(
        id=row["id"],
        store_id=row["store_id"],
        request=request,
        status=BatchStatus(row["status"]),
        author=Actor(TenantId(row["tenant_id"]), row["requested_by"], "", user_id=row["requested_by_id"]),
        epoch=row["epoch"],
        created_at=row["created_at"],
    )


async def find_row(session: Session, run_id: UUID) -> BatchRow | None:
    row = (await session.execute(_views(session).where(batch_run.c.id == run_id))).mappings().one_or_none()
    return _row(row) if row else None


async def take_run(session: WriteSession, run_id: UUID) -> BatchRow | None:
    """Take the run up under a new epoch, from its beginning; None when it is final."""
    taken = (
        update(batch_run)
        .where(batch_run.c.tenant_id == session.tenant_id, batch_run.c.id == run_id, batch_run.c.status.in_(LIVE))
        .values(
            epoch=batch_run.c.epoch + 1,
            status=BatchStatus.RUNNING,
            started_at=func.coalesce(batch_run.c.started_at, clock.now()),
            **dict.fromkeys(_COUNTS, 0),
        )
    )
    await session.execute(taken)
    row = await find_row(session, run_id)
    return row if row is not None and row.status is BatchStatus.RUNNING else None


async def note_progress(session: WriteSession, held: BatchRow, tally: Tally) -> bool:
    """False when the run was cancelled, or another worker has it."""
    return await _change_held(session, held, tally.values)


async def finish_run(
    session: WriteSession, held: BatchRow, status: BatchStatus, tally: Tally, error: str | None = None
) -> bool:
    """False when the run was cancelled, or another worker has it: then nothing of it may be kept."""
    values = {**tally.values, "status": status, "error": error, "finished_at": clock.now()}
    return await _change_held(session, held, values)


async def _change_held(session: WriteSession, held: BatchRow, values: Mapping[str, Any]) -> bool:
    changed = (
        update(batch_run)
        .where(
            batch_run.c.tenant_id == session.tenant_id,
            batch_run.c.id == held.id,
            batch_run.c.epoch == held.epoch,
            batch_run.c.status == BatchStatus.RUNNING,
        )
        .values(**values)
        .returning(batch_run.c.id)
    )
    return (await session.execute(changed)).one_or_none() is not None


async def cancel_run(session: WriteSession, run_id: UUID) -> bool:
    """False when it had ended."""
    changed = (
        update(batch_run)
        .where(batch_run.c.tenant_id == session.tenant_id, batch_run.c.id == run_id, batch_run.c.status.in_(LIVE))
        .values(status=BatchStatus.CANCELLED, finished_at=clock.now(), **dict.fromkeys(_COUNTS, 0))
        .returning(batch_run.c.id)
    )
    return (await session.execute(changed)).one_or_none() is not None


async def add_part(session: WriteSession, held: BatchRow, number: int, batch_id: UUID | None, tally: Tally) -> None:
    await session.execute(
        insert(batch_part).values(
            run_id=held.id,
            number=number,
            tenant_id=session.tenant_id,
            store_id=held.store_id,
            batch_id=batch_id,
            products=tally.processed,
            staged=tally.staged,
            unchanged=tally.unchanged,
            waiting=tally.waiting,
            refused=tally.refused,
        )
    )


async def add_refusals(session: WriteSession, held: BatchRow, refusals: Sequence[BatchRefusal]) -> None:
    rows = [
        {
            "run_id": held.id,
            "tenant_id": session.tenant_id,
            "store_id": held.store_id,
            "product_id": one.product_id,
            "label": one.label,
            "field": one.field,
            "sentence": one.sentence,
        }
        for one in refusals
    ]
    if rows:
        await session.execute(insert(batch_refusal), rows)


async def list_parts(session: Session, run_id: UUID) -> Sequence[BatchPart]:
    """Each with what became of its changes."""
    mine = (batch_part.c.tenant_id == session.tenant_id) & (batch_part.c.run_id == run_id)
    rows = (await session.execute(select(batch_part).where(mine).order_by(batch_part.c.number))).mappings().all()
    counted = (
        select(staged_change.c.batch_id, staged_change.c.status, func.count())
        .where(
            staged_change.c.tenant_id == session.tenant_id,
            staged_change.c.batch_id.in_(select(batch_part.c.batch_id).where(mine)),
        )
        .group_by(staged_change.c.batch_id, staged_change.c.status)
    )
    counts: dict[UUID, dict[str, int]] = {}
    for batch_id, status, count in (await session.execute(counted)).all():
        counts.setdefault(batch_id, {})[status] = count
    names = [name for name in BatchPart.__dataclass_fields__ if name != "counts"]
    return [BatchPart(**{name: row[name] for name in names}, counts=counts.get(row["batch_id"], {})) for row in rows]


async def list_refusals(session: Session, run_id: UUID, page: PageRequest) -> Page[BatchRefusal]:
    mine = (batch_refusal.c.tenant_id == session.tenant_id) & (batch_refusal.c.run_id == run_id)
    total = int((await session.execute(select(func.count()).select_from(batch_refusal).where(mine))).scalar_one())
    names = BatchRefusal.__dataclass_fields__
    query = (
        select(*(batch_refusal.c[name] for name in names))
        .where(mine)
        .order_by(batch_refusal.c.product_id)
        .offset(page.offset)
        .limit(page.limit)
    )
    rows = (await session.execute(query)).mappings()
    return Page([BatchRefusal(**dict(row)) for row in rows], total, page.page, page.limit)


async def list_refused_ids(session: Session, run_id: UUID) -> Sequence[int]:
    query = select(batch_refusal.c.product_id).where(
        batch_refusal.c.tenant_id == session.tenant_id, batch_refusal.c.run_id == run_id
    )
    return (await session.execute(query.order_by(batch_refusal.c.product_id))).scalars().all()
