from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, case, func, select, update

from syncline.apps.commerce.webhook_contract import WebhookEvent, WebhookOutcome, WebhookState
from syncline.apps.commerce.webhooks.models import webhook_body, webhook_event
from syncline.kernel import clock
from syncline.kernel.paging import Page, PageRequest
from syncline.runtime.db.session import Session, WriteSession

_NAMES = tuple(field.name for field in fields(WebhookEvent))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What is None does not matter. `is_processed` is: settled, whatever came of it."""

    store_id: UUID | None = None
    topic: str | None = None
    state: WebhookState | None = None
    is_processed: bool | None = None
    record: tuple[str, int] | None = None
    """Kind and number."""

    since: datetime | None = None


def event_of(row: RowMapping) -> WebhookEvent:
    values = {name: row[name] for name in _NAMES}
    values["state"] = WebhookState(row["state"])
    values["outcome"] = None if row["outcome"] is None else WebhookOutcome(row["outcome"])
    return WebhookEvent(**values)


def _events(session: Session) -> Select[Any]:
    return select(webhook_event).where(webhook_event.c.tenant_id == session.tenant_id)


def _conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    table = webhook_event.c
    found: list[ColumnElement[bool]] = []
    if wanted.store_id is not None:
        found.append(table.store_id == wanted.store_id)
    if wanted.topic is not None:
        found.append(table.topic == wanted.topic)
    if wanted.state is not None:
        found.append(table.state == wanted.state.value)
    if wanted.is_processed is not None:
        found.append(table.settled_at.is_not(None) if wanted.is_processed else table.settled_at.is_(None))
    if wanted.record is not None:
        found += [table.kind == wanted.record[0], table.number == wanted.record[1]]
    if wanted.since is not None:
        found.append(table.received_at >= wanted.since)
    return found


async def find(session: Session, event_id: UUID) -> WebhookEvent | None:
    row = (await session.execute(_events(session).where(webhook_event.c.id == event_id))).mappings().one_or_none()
    return None if row is None else event_of(row)


async def find_body(session: Session, event_id: UUID) -> bytes | None:
    """None once it is older than bodies are kept."""
    query = select(webhook_body.c.body).where(
        webhook_body.c.tenant_id == session.tenant_id, webhook_body.c.event_id == event_id
    )
    body = await session.scalar(query)
    return None if body is None else bytes(body)


async def list_events(session: Session, wanted: EventFilter, page: PageRequest) -> Page[WebhookEvent]:
    """The latest first."""
    conditions = _conditions(wanted)
    table = webhook_event.c
    query = _events(session).where(*conditions).order_by(table.received_at.desc(), table.id.desc())
    rows = (await session.execute(query.offset(page.offset).limit(page.limit))).mappings()
    counted = select(func.count()).select_from(webhook_event).where(table.tenant_id == session.tenant_id, *conditions)
    total = int(await session.scalar(counted) or 0)
    return Page([event_of(row) for row in rows], total, page.page, page.limit)


async def count_states(session: Session, *, store_id: UUID | None = None) -> dict[WebhookState, int]:
    table = webhook_event.c
    query = select(table.state, func.count()).where(table.tenant_id == session.tenant_id).group_by(table.state)
    if store_id is not None:
        query = query.where(table.store_id == store_id)
    return {WebhookState(state): count for state, count in await session.execute(query)}


async def send_back(session: WriteSession, ids: Sequence[UUID], now: datetime) -> Sequence[WebhookEvent]:
    """Failed and dead ones wait again, as if they had never been tried; others are left alone. Answers those."""
    table = webhook_event.c
    query = (
        update(webhook_event)
        .where(table.tenant_id == session.tenant_id, table.id.in_(ids), table.state.in_(("failed", "dead")))
        .values(state=WebhookState.WAITING, due_at=now, attempts=0, lone_starts=0, settled_at=None, outcome=None)
        .returning(*webhook_event.c)
    )
    return [event_of(row) for row in (await session.execute(query)).mappings()]


async def give_up(session: WriteSession, ids: Sequence[UUID], reason: str) -> Sequence[WebhookEvent]:
    """Waiting and failed ones become dead letters, because somebody says so. Answers those."""
    table, now = webhook_event.c, clock.now()
    query = (
        update(webhook_event)
        .where(table.tenant_id == session.tenant_id, table.id.in_(ids), table.state.in_(("waiting", "failed")))
        .values(
            state=WebhookState.DEAD,
            reason=reason,
            settled_at=now,
            last_failed_at=now,
            first_failed_at=case((table.first_failed_at.is_(None), now), else_=table.first_failed_at),
        )
        .returning(*webhook_event.c)
    )
    return [event_of(row) for row in (await session.execute(query)).mappings()]
