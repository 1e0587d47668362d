from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, case, func, insert, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.commerce.contract import ChangeStatus
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.push.models import push_run, push_unit, push_worker
from syncline.apps.commerce.push.repository import LIVE, PushRow
from syncline.apps.commerce.push_contract import Wanted, WorkerState
from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.staging.repository import ChangeRow, change_row
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import Session, WriteSession

OPEN, CLAIMED, DONE = "open", "claimed", "done"
COLLECTION, PRODUCT = "collection", "product"
_MOST_WORKERS_SHOWN = 200
_UNFINISHED = (ChangeStatus.APPROVED, ChangeStatus.SENDING)


class PushLeaseLost(Exception):
    """This worker was silent for too long and others have its claims; what was in hand is rolled back."""


Unit = tuple[str, int]
"""A product or a collection, by its number."""


@dataclass(frozen=True, slots=True)
class Look:
    """Where a push stands. `lively` workers are those that have been heard of lately, of all processes."""

    is_live: bool
    wanted: Wanted
    open: int
    claimed: int
    lively: int


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker says of itself once a second."""

    id: UUID
    state: str
    doing: str
    since: datetime
    done: int
    failed: int


def _unit_of_change() -> tuple[ColumnElement[str], ColumnElement[int]]:
    is_collection = staged_change.c.kind == Owner.COLLECTION
    return (
        case((is_collection, literal(COLLECTION)), else_=literal(PRODUCT)),
        case((is_collection, staged_change.c.resource_id), else_=staged_change.c.product_id),
    )


def _left(session: Session, run: PushRow) -> ColumnElement[bool]:
    return and_(
        staged_change.c.tenant_id == session.tenant_id,
        staged_change.c.store_id == run.store_id,
        staged_change.c.push_run_id == run.id,
        staged_change.c.status.in_(_UNFINISHED),
    )


async def ensure_units(session: WriteSession, run: PushRow) -> None:
    """What a run has left, cut into what can be claimed. Adds nothing that is there."""
    kind, number = _unit_of_change()
    left = (
        select(literal(run.id), kind, number, literal(session.tenant), literal(OPEN))
        .where(_left(session, run))
        .distinct()
    )
    names = ["run_id", "kind", "number", "tenant_id", "state"]
    await session.execute(upsert(push_unit).from_select(names, left).on_conflict_do_nothing())


async def has_units(session: Session, run_id: UUID) -> bool:
    query = select(push_unit.c.run_id).where(push_unit.c.tenant_id == session.tenant_id, push_unit.c.run_id == run_id)
    return (await session.execute(query.limit(1))).first() is not None


async def look(session: Session, run_id: UUID, lease: timedelta) -> Look | None:
    run = select(push_run.c.status, push_run.c.wanted).where(
        push_run.c.tenant_id == session.tenant_id, push_run.c.id == run_id
    )
    found = (await session.execute(run)).one_or_none()
    if found is None:
        return None
    units = (
        select(push_unit.c.state, func.count())
        .where(
            push_unit.c.tenant_id == session.tenant_id,
            push_unit.c.run_id == run_id,
            push_unit.c.state.in_((OPEN, CLAIMED)),
        )
        .group_by(push_unit.c.state)
    )
    counts: dict[str, int] = dict((await session.execute(units)).all())
    alive = select(func.count()).where(
        push_worker.c.tenant_id == session.tenant_id,
        push_worker.c.run_id == run_id,
        push_worker.c.ended_at.is_(None),
        push_worker.c.seen_at > func.clock_timestamp() - lease,
    )
    return Look(
        is_live=found.status in LIVE,
        wanted=Wanted(found.wanted),
        open=counts.get(OPEN, 0),
        claimed=counts.get(CLAIMED, 0),
        lively=int((await session.execute(alive)).scalar_one()),
    )


async def join(session: WriteSession, run_id: UUID, process: str) -> tuple[UUID, int] | None:
    """A new worker of the run, as its id and number; None when the run is over or has as many as it may have."""
    run = (
        select(push_run.c.max_workers)
        .where(push_run.c.tenant_id == session.tenant_id, push_run.c.id == run_id, push_run.c.status.in_(LIVE))
        .with_for_update()
    )
    most = (await session.execute(run)).scalar_one_or_none()
    mine = [push_worker.c.tenant_id == session.tenant_id, push_worker.c.run_id == run_id]
    query = select(func.count(), func.count().filter(push_worker.c.ended_at.is_(None))).where(*mine)
    ever, present = (await session.execute(query)).one()
    if most is None or present >= most:
        return None
    worker_id, now = new_id(), func.clock_timestamp()
    await session.execute(
        insert(push_worker).values(
            id=worker_id,
            tenant_id=session.tenant_id,
            run_id=run_id,
            number=ever + 1,
            process=process,
            state="idle",
            doing="has just come",
            since=now,
            done=0,
            failed=0,
            started_at=now,
            seen_at=now,
        )
    )
    return worker_id, int(ever) + 1


async def hold(session: WriteSession, worker_id: UUID) -> None:
    """Share-lock the worker for this transaction. Raises `PushLeaseLost` when its claims are no longer its own:
    whoever takes them waits for us, and after that nothing of ours is written any more."""
    query = (
        select(push_worker.c.id)
        .where(
            push_worker.c.tenant_id == session.tenant_id,
            push_worker.c.id == worker_id,
            push_worker.c.ended_at.is_(None),
        )
        .with_for_update(read=True)
    )
    if (await session.execute(query)).one_or_none() is None:
        raise PushLeaseLost(f"push worker {worker_id} has lost its claims")


async def claim(session: WriteSession, run_id: UUID, worker_id: UUID, count: int) -> Sequence[Unit]:
    """The next units that nobody has, which are this worker's from now on; what others are about to take is passed
    over."""
    keys = (push_unit.c.run_id, push_unit.c.kind, push_unit.c.number)
    chosen = (
        select(*keys)
        .where(push_unit.c.tenant_id == session.tenant_id, push_unit.c.run_id == run_id, push_unit.c.state == OPEN)
        .order_by(push_unit.c.number)
        .limit(count)
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    query = (
        update(push_unit)
        .where(
            push_unit.c.tenant_id == session.tenant_id,
            push_unit.c.run_id == chosen.c.run_id,
            push_unit.c.kind == chosen.c.kind,
            push_unit.c.number == chosen.c.number,
        )
        .values(state=CLAIMED, worker_id=worker_id)
        .returning(push_unit.c.kind, push_unit.c.number)
    )
    return sorted((await session.execute(query)).all())


def _of_units(units: Iterable[Unit]) -> ColumnElement[bool]:
    products = [number for kind, number in units if kind == PRODUCT]
    collections = [number for kind, number in units if kind == COLLECTION]
    is_collection = staged_change.c.kind == Owner.COLLECTION
    return or_(
        and_(~is_collection, staged_change.c.product_id.in_(products)),
        and_(is_collection, staged_change.c.resource_id.in_(collections)),
    )


async def list_changes(
    session: Session, run: PushRow, units: Sequence[Unit], status: ChangeStatus
) -> Sequence[ChangeRow]:
    """In the order of product and age."""
    query = (
        select(staged_change)
        .where(_left(session, run), staged_change.c.status == status, _of_units(units))
        .order_by(staged_change.c.product_id, staged_change.c.id)
    )
    return [change_row(row) for row in (await session.execute(query)).mappings()]


async def release(session: WriteSession, run: PushRow, worker_id: UUID, units: Sequence[Unit]) -> None:
    """The worker's units: done, or to be claimed again when something of them is left."""
    kind, number = _unit_of_change()
    left = select(kind, number).where(_left(session, run), _of_units(units)).distinct()
    unfinished = (await session.execute(left)).all()
    mine = _claimed_by(session, [worker_id])
    named = tuple_(push_unit.c.kind, push_unit.c.number)
    if unfinished:
        again = update(push_unit).where(*mine, named.in_(unfinished)).values(state=OPEN, worker_id=None)
        await session.execute(again)
    await session.execute(update(push_unit).where(*mine).values(state=DONE, worker_id=None))


def _claimed_by(session: Session, workers: Sequence[UUID]) -> list[ColumnElement[bool]]:
    return [
        push_unit.c.tenant_id == session.tenant_id,
        push_unit.c.state == CLAIMED,
        push_unit.c.worker_id.in_(workers),
    ]


async def leave(session: WriteSession, beats: Sequence[Beat]) -> None:
    """These workers are gone, and say so; what they had claimed is there for others."""
    now = func.clock_timestamp()
    gone = (
        update(push_worker)
        .where(push_worker.c.id == bindparam("b_id"), push_worker.c.ended_at.is_(None))
        .values(
            state="left",
            doing="",
            since=now,
            seen_at=now,
            ended_at=now,
            done=bindparam("done"),
            failed=bindparam("failed"),
        )
    )
    await session.execute(gone, [{"b_id": one.id, "done": one.done, "failed": one.failed} for one in beats])
    await _give_back(session, [one.id for one in beats])


async def _give_back(session: WriteSession, workers: Sequence[UUID]) -> None:
    await session.execute(update(push_unit).where(*_claimed_by(session, workers)).values(state=OPEN, worker_id=None))


_BEAT = (
    update(push_worker)
    .where(push_worker.c.id == bindparam("b_id"), push_worker.c.ended_at.is_(None))
    .values(
        {
            **{name: bindparam(name) for name in ("state", "doing", "since", "done", "failed")},
            "seen_at": func.clock_timestamp(),
        }
    )
)


async def beat(session: WriteSession, run_id: UUID, beats: Sequence[Beat], lease: timedelta) -> int:
    """Say that these workers live and what they do, and take the claims of those that have been silent for longer than
    `lease`; answers how many those were. Row-level security adds the tenant."""
    if beats:
        rows = [
            {
                "b_id": one.id,
                "state": one.state,
                "doing": one.doing,
                "since": one.since,
                "done": one.done,
                "failed": one.failed,
            }
            for one in beats
        ]
        await session.execute(_BEAT, rows)
    silent = select(push_worker.c.id).where(
        push_worker.c.tenant_id == session.tenant_id,
        push_worker.c.run_id == run_id,
        push_worker.c.ended_at.is_(None),
        push_worker.c.seen_at < func.clock_timestamp() - lease,
    )
    lost = (await session.execute(silent.with_for_update(skip_locked=True))).scalars().all()
    if lost:
        now = func.clock_timestamp()
        gone = update(push_worker).where(push_worker.c.tenant_id == session.tenant_id, push_worker.c.id.in_(lost))
        await session.execute(gone.values(state="lost", doing="", since=now, ended_at=now))
        await _give_back(session, lost)
    return len(lost)


async def list_workers(session: Session, run_id: UUID) -> Sequence[WorkerState]:
    """Those that are there, then those that have gone, each in the order in which they came; at most 200."""
    query = (
        select(push_worker)
        .where(push_worker.c.tenant_id == session.tenant_id, push_worker.c.run_id == run_id)
        .order_by(push_worker.c.ended_at.is_not(None), push_worker.c.number)
        .limit(_MOST_WORKERS_SHOWN)
    )
    names = WorkerState.__dataclass_fields__
    rows = (await session.execute(query)).mappings()
    return [WorkerState(**{name: row[name] for name in names}) for row in rows]


async def count_open(session: Session, run_id: UUID) -> int:
    query = select(func.count()).where(
        push_unit.c.tenant_id == session.tenant_id, push_unit.c.run_id == run_id, push_unit.c.state == OPEN
    )
    return int((await session.execute(query)).scalar_one())
