from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.commerce.pull.models import pull_run
from syncline.apps.commerce.schedule_contract import ScheduledAction
from syncline.apps.commerce.schedules.models import schedule, schedule_due
from syncline.apps.commerce.stores.models import store
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session, WriteSession


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule with what is known elsewhere: its store's name, and how the pull it started last ended."""

    id: UUID
    store_id: UUID
    store: str
    source_id: UUID | None
    source: str | None
    alignment: Mapping[str, Any] | None
    action: ScheduledAction
    timing: str
    zone: str
    created_by: str
    created_at: datetime
    due_at: datetime | None
    last_at: datetime | None
    last_status: str | None
    last_run_id: UUID | None
    last_sentence: str | None
    failures: int
    run_status: str | None
    run_error: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """What the tick sees of a schedule, across tenants."""

    schedule_id: UUID
    tenant: TenantId


_SOURCE = store.alias("source_store")


def _row(row: RowMapping) -> ScheduleRow:
    values = {name: row[name] for name in ScheduleRow.__dataclass_fields__}
    return ScheduleRow(**{**values, "action": ScheduledAction(row["action"])})


def _select(session: Session) -> Any:
    return (
        select(
            schedule,
            store.c.name.label("store"),
            _SOURCE.c.name.label("source"),
            schedule_due.c.due_at,
            pull_run.c.status.label("run_status"),
            pull_run.c.error.label("run_error"),
        )
        .join(store, store.c.id == schedule.c.store_id)
        .outerjoin(_SOURCE, _SOURCE.c.id == schedule.c.source_id)
        .outerjoin(schedule_due, schedule_due.c.schedule_id == schedule.c.id)
        .outerjoin(pull_run, pull_run.c.id == schedule.c.last_run_id)
        .where(schedule.c.tenant_id == session.tenant_id)
    )


async def find(session: Session, schedule_id: UUID) -> ScheduleRow | None:
    row = (await session.execute(_select(session).where(schedule.c.id == schedule_id))).mappings().one_or_none()
    return _row(row) if row else None


async def list_all(session: Session, store_id: UUID | None) -> Sequence[ScheduleRow]:
    query = _select(session).order_by(store.c.name, schedule_due.c.due_at.nulls_last(), schedule.c.id)
    if store_id is not None:
        query = query.where(schedule.c.store_id == store_id)
    return [_row(row) for row in (await session.execute(query)).mappings()]


async def lock(session: WriteSession, schedule_id: UUID) -> bool:
    """Hold the schedule until the transaction ends. False when there is none."""
    query = select(schedule.c.id).where(schedule.c.tenant_id == session.tenant_id, schedule.c.id == schedule_id)
    return (await session.execute(query.with_for_update())).one_or_none() is not None


async def lock_due(session: WriteSession, schedule_id: UUID, now: datetime) -> bool:
    """The same if it is due and nobody else holds it. Both rows are locked, so that whoever comes second sees the time
    that the first one wrote."""
    query = (
        select(schedule.c.id)
        .join(schedule_due, schedule_due.c.schedule_id == schedule.c.id)
        .where(schedule.c.tenant_id == session.tenant_id, schedule.c.id == schedule_id, schedule_due.c.due_at <= now)
        .with_for_update(skip_locked=True)
    )
    return (await session.execute(query)).one_or_none() is not None


async def add(session: WriteSession, *, store_id: UUID, values: dict[str, Any], due_at: datetime) -> UUID:
    schedule_id = new_id()
    row = {"id": schedule_id, "tenant_id": session.tenant_id, "store_id": store_id, "created_at": clock.now()}
    await session.execute(insert(schedule).values(**row, **values, failures=0))
    await set_due(session, schedule_id, due_at)
    return schedule_id


async def change(session: WriteSession, schedule_id: UUID, **values: Any) -> None:
    query = update(schedule).where(schedule.c.tenant_id == session.tenant_id, schedule.c.id == schedule_id)
    await session.execute(query.values(**values))


async def set_due(session: WriteSession, schedule_id: UUID, due_at: datetime | None) -> None:
    """When it comes round next; None pauses it."""
    if due_at is None:
        query = delete(schedule_due).where(
            schedule_due.c.tenant == session.tenant_id, schedule_due.c.schedule_id == schedule_id
        )
        await session.execute(query)
        return
    values = {"schedule_id": schedule_id, "tenant": session.tenant_id, "due_at": due_at}
    added = upsert(schedule_due).values(**values)
    await session.execute(added.on_conflict_do_update(index_elements=["schedule_id"], set_={"due_at": due_at}))


async def remove(session: WriteSession, schedule_id: UUID) -> bool:
    query = delete(schedule).where(schedule.c.tenant_id == session.tenant_id, schedule.c.id == schedule_id)
    return (await session.execute(query.returning(schedule.c.id))).one_or_none() is not None


async def take_due(session: WriteSession, now: datetime, limit: int) -> Sequence[Due]:
    """Of all tenants, longest due first; held until the transaction ends. What somebody else holds is passed by."""
    query = (
        select(schedule_due.c.schedule_id, schedule_due.c.tenant)
        .where(schedule_due.c.due_at <= now)
        .order_by(schedule_due.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Due(row.schedule_id, TenantId(row.tenant)) for row in await session.execute(query)]


async def find_lag(session: Session, now: datetime) -> timedelta:
    """How long the schedule that waits longest has been due; zero when none is."""
    first = (await session.execute(select(func.min(schedule_due.c.due_at)))).scalar_one()
    return timedelta(0) if first is None else max(timedelta(0), now - first)
