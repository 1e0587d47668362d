from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, RowMapping, and_, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.commerce.contract import ChangeStatus, Json, Receipt, RunStatus
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.mirror.models import product
from syncline.apps.commerce.push.models import push_run, receipt
from syncline.apps.commerce.push.moving import Moved, move
from syncline.apps.commerce.push_contract import EngineConfig, Priority, PushCost, Strategy, Wanted
from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.staging.repository import ChangeRow, change_row
from syncline.apps.commerce.staging.tally import fold
from syncline.apps.commerce.whole_product import FIELD
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.paging import Page, PageRequest
from syncline.runtime.db.session import Session, WriteSession

LIVE = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED)


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
    priority: Priority
    strategy: Strategy
    min_workers: int
    max_workers: int
    batch_size: int | None
    wanted: Wanted
    workers: int
    requests: int
    requested: float
    charged: float
    naive_requests: int
    naive_points: float
    note: str | None

    @property
    def config(self) -> EngineConfig:
        return EngineConfig(self.min_workers, self.max_workers, self.batch_size, self.priority, self.strategy)

    @property
    def cost(self) -> PushCost:
        return PushCost(self.requests, self.requested, self.charged, self.naive_requests, self.naive_points)


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
    words = {
        "status": RunStatus(row["status"]),
        "priority": Priority(row["priority"]),
        "strategy": Strategy(row["strategy"]),
        "wanted": Wanted(row["wanted"]),
    }
    return PushRow(**{**values, **words})


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


def waiting(session: Session, store_id: UUID, batch_id: UUID | None) -> ColumnElement[bool]:
    """What a push of the store, or of one batch, would take: what is approved, and what was left in the air."""
    condition = and_(
        staged_change.c.tenant_id == session.tenant_id,
        staged_change.c.store_id == store_id,
        staged_change.c.status.in_((ChangeStatus.APPROVED, ChangeStatus.SENDING)),
    )
    return condition if batch_id is None else and_(condition, staged_change.c.batch_id == batch_id)


async def add_run(
    session: WriteSession, *, store_id: UUID, batch_id: UUID | None, requested_by: str, config: EngineConfig
) -> PushRow:
    """The run with every approved change that waits for this store, and what an earlier run left in the air."""
    run_id = new_id()
    claimed = await session.execute(
        update(staged_change).where(waiting(session, store_id, batch_id)).values(push_run_id=run_id)
    )
    total = int(getattr(claimed, "rowcount", 0))
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
            **asdict(config),
            wanted=Wanted.RUN,
            workers=0,
            requests=0,
            requested=0.0,
            charged=0.0,
            naive_requests=0,
            naive_points=0.0,
        )
        .returning(push_run)
    )
    return _run(row.mappings().one())


async def take_run(session: WriteSession, run_id: UUID) -> PushRow | None:
    """The run, which is running from now on; None when it is already final. Somebody else may be at it too: what may
    not be done twice is claimed piece by piece."""
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


async def change_run(session: WriteSession, run_id: UUID, **values: Any) -> PushRow | None:
    """A run that is not over, with these columns set; None when it is."""
    query = (
        update(push_run)
        .where(push_run.c.tenant_id == session.tenant_id, push_run.c.id == run_id, push_run.c.status.in_(LIVE))
        .values(**values)
        .returning(push_run)
    )
    row = (await session.execute(query)).mappings().one_or_none()
    return _run(row) if row else None


async def pause_run(session: WriteSession, run_id: UUID) -> bool:
    """The run waits, if that is still what people want of it; False when it is not."""
    query = (
        update(push_run)
        .where(
            push_run.c.tenant_id == session.tenant_id,
            push_run.c.id == run_id,
            push_run.c.status.in_(LIVE),
            push_run.c.wanted == Wanted.PAUSE,
        )
        .values(status=RunStatus.PAUSED)
        .returning(push_run.c.id)
    )
    return (await session.execute(query)).one_or_none() is not None


async def list_runs(session: Session, *, store_id: UUID | None, live_only: bool, limit: int) -> Sequence[PushRow]:
    """Newest first."""
    query = select(push_run).where(push_run.c.tenant_id == session.tenant_id)
    if store_id is not None:
        query = query.where(push_run.c.store_id == store_id)
    if live_only:
        query = query.where(push_run.c.status.in_(LIVE))
    rows = await session.execute(query.order_by(push_run.c.created_at.desc(), push_run.c.id.desc()).limit(limit))
    return [_run(row) for row in rows.mappings()]


async def add_cost(session: WriteSession, run_id: UUID, cost: PushCost) -> None:
    table = push_run.c
    query = (
        update(push_run)
        .where(table.tenant_id == session.tenant_id, table.id == run_id)
        .values({name: table[name] + value for name, value in asdict(cost).items()})
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


async def mark_sending(
    session: WriteSession, held: PushRow, sending: Sequence[tuple[ChangeRow, Json]]
) -> frozenset[UUID]:
    """Write down what will be sent, over which values, before it is sent; answers which. What was rejected since it was
    read is left out. `attempt` of the rows is the one that begins."""
    still = await _lock_approved(session, [change.id for change, _ in sending])
    sending = [(change, before) for change, before in sending if change.id in still]
    if not sending:
        return still
    now = clock.now()
    await move(session, [Moved(change.id, ChangeStatus.SENDING, change.attempt) for change, _ in sending])
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
    return still


async def _lock_approved(session: WriteSession, ids: Sequence[UUID]) -> frozenset[UUID]:
    query = (
        select(staged_change.c.id)
        .where(
            staged_change.c.tenant_id == session.tenant_id,
            staged_change.c.id.in_(ids),
            staged_change.c.status == ChangeStatus.APPROVED,
        )
        .order_by(staged_change.c.id)
        .with_for_update()
    )
    return frozenset((await session.execute(query)).scalars())


def _receipt_key(session: WriteSession, held: PushRow, change: ChangeRow) -> dict[str, Any]:
    return {
        "change_id": change.id,
        "attempt": change.attempt,
        "tenant_id": session.tenant_id,
        "batch_id": change.batch_id,
        "push_run_id": held.id,
    }


# Run for many rows in one round trip.
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
    await move(
        session,
        [
            Moved(end.change.id, end.settled.status, end.change.attempt, end.settled.theirs, end.settled.sentence)
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
    await fold(session)


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


async def list_unmirrored(session: Session, held: PushRow) -> Sequence[int]:
    """Products that the run made and the mirror has never had: whoever made them ended before it could read them."""
    number = receipt.c.after[FIELD]["id"].as_string().cast(BigInteger)
    query = (
        select(number)
        .select_from(staged_change)
        .join(receipt, (receipt.c.change_id == staged_change.c.id) & (receipt.c.attempt == staged_change.c.attempt))
        .where(
            staged_change.c.tenant_id == session.tenant_id,
            staged_change.c.push_run_id == held.id,
            staged_change.c.kind == Owner.WHOLE_PRODUCT,
            staged_change.c.status == ChangeStatus.APPLIED,
            number.is_not(None),
            ~exists().where(product.c.store_id == held.store_id, product.c.id == number),
        )
    )
    return (await session.execute(query)).scalars().all()
