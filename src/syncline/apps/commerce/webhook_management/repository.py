"""Numbers and neighbours of webhooks; single ones are read in `webhooks.repository`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, String, and_, case, func, select

from syncline.apps.commerce.webhook_contract import WebhookEvent, WebhookState
from syncline.apps.commerce.webhooks.models import webhook_event
from syncline.apps.commerce.webhooks.repository import event_of
from syncline.runtime.db.session import Session

_STATES = tuple(WebhookState)


def _mine(session: Session, store_id: UUID | None, since: datetime, until: datetime | None) -> ColumnElement[bool]:
    table = webhook_event.c
    wanted = [table.tenant_id == session.tenant_id, table.received_at >= since]
    if until is not None:
        wanted.append(table.received_at < until)
    if store_id is not None:
        wanted.append(table.store_id == store_id)
    return and_(*wanted)


def _counted() -> list[ColumnElement[Any]]:
    table = webhook_event.c
    return [func.count().filter(table.state == state.value).label(state.value) for state in _STATES]


async def count_by_topic(
    session: Session, *, store_id: UUID | None, since: datetime, until: datetime | None = None
) -> Sequence[Row[Any]]:
    """Rows of (topic, waiting, applied, ignored, failed, dead)."""
    table = webhook_event.c
    query = select(table.topic, *_counted()).where(_mine(session, store_id, since, until))
    return (await session.execute(query.group_by(table.topic).order_by(table.topic))).all()


async def count_by_day(session: Session, *, store_id: UUID | None, since: datetime) -> Sequence[Row[Any]]:
    """Rows of (day, ...), days in UTC."""
    table = webhook_event.c
    day = func.to_char(func.timezone("UTC", table.received_at), "YYYY-MM-DD", type_=String).label("day")
    query = select(day, *_counted()).where(_mine(session, store_id, since, None))
    return (await session.execute(query.group_by(day).order_by(day))).all()


async def find_seconds(
    session: Session, *, store_id: UUID | None, since: datetime
) -> tuple[float | None, float | None]:
    """From receiving to applied or ignored: the middle one and the one that 95 in 100 stay below."""
    table = webhook_event.c
    took = func.extract("epoch", table.settled_at - table.received_at)
    is_done = table.state.in_((WebhookState.APPLIED.value, WebhookState.IGNORED.value))
    parts = [func.percentile_cont(share).within_group(took) for share in (0.5, 0.95)]
    row = (await session.execute(select(*parts).where(_mine(session, store_id, since, None), is_done))).one()
    return tuple(None if one is None else float(one) for one in row)  # type: ignore[return-value]


async def list_failed(session: Session, *, store_id: UUID | None, limit: int) -> tuple[list[UUID], int]:
    """Failed and dead ones, the oldest first, and how many there are."""
    table = webhook_event.c
    wanted = [
        table.tenant_id == session.tenant_id,
        table.state.in_((WebhookState.FAILED.value, WebhookState.DEAD.value)),
    ]
    if store_id is not None:
        wanted.append(table.store_id == store_id)
    ids = await session.scalars(select(table.id).where(*wanted).order_by(table.received_at, table.id).limit(limit))
    total = await session.scalar(select(func.count()).where(*wanted))
    return list(ids), int(total or 0)


async def find_before(session: Session, event: WebhookEvent) -> WebhookEvent | None:
    """The webhook of the same record that came before, whichever its topic."""
    table = webhook_event.c
    query = (
        select(webhook_event)
        .where(
            table.tenant_id == session.tenant_id,
            table.store_id == event.store_id,
            table.kind == event.kind,
            table.number == event.number,
            table.received_at < event.received_at,
        )
        .order_by(table.received_at.desc(), case((table.topic == event.topic, 0), else_=1))
    )
    row = (await session.execute(query.limit(1))).mappings().one_or_none()
    return None if row is None else event_of(row)
