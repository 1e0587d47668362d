from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.commerce.contract import ChangeStatus, Json, Receipt, RunStatus
from syncline.apps.commerce.push.models import push_run, receipt
from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.staging.repository import ChangeRow, change_row
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.paging import Page, PageRequest
from syncline.runtime.db.session import Session, WriteSession

LIVE = (RunStatus.QUEUED, RunStatus.RUNNING)


class PushLeaseLost(Exception):
    """Another worker has taken this push up; what was in hand is rolled back and the other goes on."""


@dataclass(frozen=True, slots=True)
class PushRow:
    id: UUID
    store_id: UUID
    batch_id: UUID | None
    status: RunStatus
    requested_by: str
    total: int
    epoch: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """The end of one attempt at one change. One that `is_overtaken` was applied and then changed in the store by
    somebody else, so the mirror has it, or will have it, from a pull."""

    change_id: UUID
    status: ChangeStatus
    outcome: str
    after: Json
    verified_by: str
    vendor_code: str | None = None
    sentence: str | None = None
    store_updated_at: datetime | None = None
    theirs: Json | None = None
    is_overtaken: bool = False


def _run(row: RowMapping) -> PushRow:
    values = {name: row[name] for name in PushRow.__dataclass_fields__}
    return PushRow(**{**values, "status": RunStatus(row["status"])})


async def _one(session: Session, *conditions: Any) -> PushRow | None:
    query = (
        select(push_run)
        .where(push_run.c.tenant_id == session.tenant_id, *conditions)
        .order_by(push_run.c.created_at.desc())
        .limit(1)
    )
    row = (await session.execute(query)).mappings().one_or_none()
    return _run(row) if row else None


async def find_run(session: Session, run_id: UUID) -> PushRow | None:
    return await _one(session, push_run.c.id == run_id)


async def find_live(session: Session, store_id: UUID) -> PushRow | None:
    return await _one(session, push_run.c.store_id == store_id, push_run.c.status.in_(LIVE))


async def find_last(session: Session, store_id: UUID) -> PushRow | None:
    return await _one(session, push_run.c.store_id == store_id)


async def add_run(session: WriteSession, *, store_id: UUID, batch_id: UUID | None, requested_by: str) -> PushRow:
    """The run with every approved change that waits for this store, and what an earlier run left in the air."""
    run_id = new_id()
    wanted = [
        staged_change.c.tenant_id == session.tenant_id,
        staged_change.c.store_id == store_id,
        staged_change.c.status.in_((ChangeStatus.APPROVED, ChangeStatus.SENDING)),
    ]
    if batch_id is not None:
        wanted.append(staged_change.c.batch_id == batch_id)
    claimed = await session.execute(
        update(staged_change).where(*wanted).values(push_run_id=run_id).returning(staged_change.c.id)
    )
    total = len(claimed.all())
    row = await session.execute(
        insert(push_run)
        .values(
            id=run_id,
            tenant_id=session.tenant_id,
            store_id=store_id,
            batch_id=batch_id,
            status=RunStatus.QUEUED,
            requested_by=requested_by,
            total=total,
            epoch=0,
            created_at=clock.now(),
        )
        .returning(push_run)
    )
    return _run(row.mappings().one())


async def take_run(session: WriteSession, run_id: UUID) -> PushRow | None:
    """Take the run up under a new epoch; None when it is already final."""
    query = (
        update(push_run)
        .where(push_run.c.tenant_id == session.tenant_id, push_run.c.id == run_id, push_run.c.status.in_(LIVE))
        .values(
            epoch=push_run.c.epoch + 1,
            status=RunStatus.RUNNING,
            started_at=func.coalesce(push_run.c.started_at, clock.now()),
        )
        .returning(push_run)
    )
    row = (await session.execute(query)).mappings().one_or_none()
    return _run(row) if row else None


async def hold(session: WriteSession, held: PushRow) -> None:
    """Share-lock the run for this transaction. Raises `PushLeaseLost` when it is no longer ours: the next holder's
    `take_run` waits for us, and after it nothing of ours is written any more."""
    query = (
        select(push_run.c.id)
        .where(
            push_run.c.tenant_id == session.tenant_id,
            push_run.c.id == held.id,
            push_run.c.epoch == held.epoch,
            push_run.c.status.in_(LIVE),
        )
        .with_for_update(read=True)
    )
    if (await session.execute(query)).one_or_none() is None:
        msg = f"push {held.id} is no longer ours"
        raise PushLeaseLost(msg)


async def note_error(session: WriteSession, held: PushRow, sentence: str) -> None:
    """What keeps a run that is still going; its end writes over it."""
    query = (
        update(push_run)
        .where(push_run.c.tenant_id == session.tenant_id, push_run.c.id == held.id, push_run.c.epoch == held.epoch)
        .values(error=sentence)
    )
    await session.execute(query)


async def finish_run(session: WriteSession, run_id: UUID, *, status: RunStatus, error: str | None = None) -> bool:
    query = (
        update(push_run)
        .where(push_run.c.tenant_id == session.tenant_id, push_run.c.id == run_id, push_run.c.status.in_(LIVE))
        .values(status=status, error=error, finished_at=clock.now())
        .returning(push_run.c.id)
    )
    return (await session.execute(query)).one_or_none() is not None


async def count_changes(session: Session, run_id: UUID) -> dict[str, int]:
    query = (
        select(staged_change.c.status, func.count())
        .where(staged_change.c.tenant_id == session.tenant_id, staged_change.c.push_run_id == run_id)
        .group_by(staged_change.c.status)
    )
    return dict((await session.execute(query)).all())


async def list_next(
    session: Session, run_id: UUID, *, kinds: Sequence[str], status: ChangeStatus, after_product: int, products: int
) -> Sequence[ChangeRow]:
    """The run's changes of `kinds` in `status` of the next few products, in the order of product and age."""
    mine = [
        staged_change.c.tenant_id == session.tenant_id,
        staged_change.c.push_run_id == run_id,
        staged_change.c.status == status,
        staged_change.c.kind.in_(kinds),
        staged_change.c.product_id > after_product,
    ]
    chosen = select(staged_change.c.product_id).where(*mine).distinct().order_by(staged_change.c.product_id)
    query = (
        select(staged_change)
        .where(*mine, staged_change.c.product_id.in_(chosen.limit(products).scalar_subquery()))
        .order_by(staged_change.c.product_id, staged_change.c.id)
    )
    return [change_row(row) for row in (await session.execute(query)).mappings()]


async def mark_sending(session: WriteSession, held: PushRow, sending: Sequence[tuple[ChangeRow, Json]]) -> None:
    """Write down what will be sent, over which values, before it is sent. `attempt` of the rows is the one that
    begins."""
    if not sending:
        return
    now = clock.now()
    await session.execute(
        _MOVE, [{"b_id": change.id, "status": ChangeStatus.SENDING, **_moved(change)} for change, _ in sending]
    )
    await session.execute(
        _RECEIPT,
        [
            {
                **_receipt_key(session, held, change),
                "outcome": "sent",
                "before": before,
                "after": change.after,
                "verified_by": "nothing yet",
                "vendor_code": None,
                "sentence": None,
                "store_updated_at": None,
                "sent_at": now,
                "finished_at": None,
            }
            for change, before in sending
        ],
    )


def _moved(change: ChangeRow) -> dict[str, Any]:
    return {"attempt": change.attempt, "theirs": None, "sentence": None}


def _receipt_key(session: WriteSession, held: PushRow, change: ChangeRow) -> dict[str, Any]:
    return {
        "change_id": change.id,
        "attempt": change.attempt,
        "tenant_id": session.tenant_id,
        "batch_id": change.batch_id,
        "push_run_id": held.id,
    }


# Both are run for many rows in one round trip; row-level security adds the tenant to the first.
_MOVE = (
    update(staged_change)
    .where(staged_change.c.id == bindparam("b_id"))
    .values({name: bindparam(name) for name in ("status", "attempt", "theirs", "sentence")})
)
_RECEIPT = upsert(receipt)
_RECEIPT = _RECEIPT.on_conflict_do_update(
    index_elements=["change_id", "attempt"],
    set_={
        name: _RECEIPT.excluded[name]
        for name in (
            *("push_run_id", "outcome", "before", "after", "verified_by", "vendor_code", "sentence"),
            *("store_updated_at", "finished_at"),
        )
    },
)


async def put_back(session: WriteSession, changes: Sequence[ChangeRow]) -> None:
    """Sent, and known not to have arrived: the same attempt is made again, with the same idempotency key. Until then
    there is no receipt of it."""
    ids = [row.id for row in changes]
    query = (
        update(staged_change)
        .where(staged_change.c.tenant_id == session.tenant_id, staged_change.c.id.in_(ids))
        .values(status=ChangeStatus.APPROVED, attempt=staged_change.c.attempt - 1)
    )
    await session.execute(query)
    unfinished = (receipt.c.tenant_id == session.tenant_id) & receipt.c.finished_at.is_(None)
    await session.execute(delete(receipt).where(unfinished, receipt.c.change_id.in_(ids)))


@dataclass(frozen=True, slots=True)
class End:
    """One settled change, and the values it was written over or compared with."""

    change: ChangeRow
    settled: Settled
    before: Json


async def settle(session: WriteSession, held: PushRow, ends: Sequence[End]) -> None:
    """The ends of attempts: each change's state and its receipt, together."""
    if not ends:
        return
    now = clock.now()
    await session.execute(
        _MOVE,
        [
            {
                "b_id": end.change.id,
                "status": end.settled.status,
                "attempt": end.change.attempt,
                "theirs": end.settled.theirs,
                "sentence": end.settled.sentence,
            }
            for end in ends
        ],
    )
    await session.execute(
        _RECEIPT,
        [
            {
                **_receipt_key(session, held, end.change),
                "outcome": end.settled.outcome,
                "before": end.before,
                "after": end.settled.after,
                "verified_by": end.settled.verified_by,
                "vendor_code": end.settled.vendor_code,
                "sentence": end.settled.sentence,
                "store_updated_at": end.settled.store_updated_at,
                "sent_at": now,
                "finished_at": now,
            }
            for end in ends
        ],
    )


async def find_sent_over(session: Session, changes: Sequence[ChangeRow]) -> Mapping[UUID, Json]:
    """The values read just before the present attempt of each change."""
    query = (
        select(receipt.c.change_id, receipt.c.before)
        .join(
            staged_change,
            (staged_change.c.id == receipt.c.change_id) & (staged_change.c.attempt == receipt.c.attempt),
        )
        .where(receipt.c.tenant_id == session.tenant_id, receipt.c.change_id.in_([row.id for row in changes]))
    )
    return dict((await session.execute(query)).all())


async def list_receipts(session: Session, batch_id: UUID, page: PageRequest) -> Page[Receipt]:
    mine = (
        (receipt.c.tenant_id == session.tenant_id)
        & (receipt.c.batch_id == batch_id)
        & receipt.c.finished_at.is_not(None)
    )
    total = int((await session.execute(select(func.count()).select_from(receipt).where(mine))).scalar_one())
    query = (
        select(receipt)
        .where(mine)
        .order_by(receipt.c.change_id, receipt.c.attempt)
        .offset(page.offset)
        .limit(page.limit)
    )
    names = Receipt.__dataclass_fields__
    rows = (await session.execute(query)).mappings()
    return Page([Receipt(**{name: row[name] for name in names}) for row in rows], total, page.page, page.limit)


@dataclass(frozen=True, slots=True)
class AppliedRow:
    """An applied change with the values its write went over: what a rollback needs."""

    change: ChangeRow
    restored: Json
    written: Json


async def list_applied(session: Session, batch_id: UUID, change_ids: Sequence[UUID]) -> Sequence[AppliedRow]:
    query = (
        select(staged_change, receipt.c.before.label("receipt_before"), receipt.c.after.label("receipt_after"))
        .join(receipt, (receipt.c.change_id == staged_change.c.id) & (receipt.c.attempt == staged_change.c.attempt))
        .where(
            staged_change.c.tenant_id == session.tenant_id,
            staged_change.c.batch_id == batch_id,
            staged_change.c.status == ChangeStatus.APPLIED,
            receipt.c.outcome == "applied",
        )
        .order_by(staged_change.c.id)
    )
    if change_ids:
        query = query.where(staged_change.c.id.in_(change_ids))
    rows = (await session.execute(query)).mappings()
    return [AppliedRow(change_row(row), row["receipt_before"], row["receipt_after"]) for row in rows]
