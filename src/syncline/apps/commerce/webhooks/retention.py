"""How long webhooks are kept once they are settled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select

from syncline.apps.commerce.webhook_contract import WebhookState
from syncline.apps.commerce.webhooks.models import webhook_body, webhook_event
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import RetentionRule

_DONE = (WebhookState.APPLIED, WebhookState.IGNORED)


async def _count(session: Session, query: Select[Any]) -> int:
    return int(await session.scalar(query) or 0)


def _settled(session: Session, before: datetime, states: tuple[WebhookState, ...]) -> list[ColumnElement[bool]]:
    table = webhook_event.c
    return [table.tenant_id == session.tenant_id, table.state.in_(states), table.settled_at < before]


def _bodies() -> RetentionRule:
    """The body goes first: it names people, and what it said is in the mirror."""

    def due(session: Session, before: datetime) -> list[ColumnElement[bool]]:
        return [*_settled(session, before, _DONE), webhook_body.c.event_id == webhook_event.c.id]

    async def count(session: Session, before: datetime) -> int:
        query = select(func.count()).select_from(webhook_event).join(webhook_body, due(session, before)[-1])
        return await _count(session, query.where(*due(session, before)))

    async def remove(session: WriteSession, before: datetime, limit: int) -> int:
        chosen = select(webhook_body.c.event_id).where(*due(session, before)).limit(limit)
        query = delete(webhook_body).where(
            webhook_body.c.tenant_id == session.tenant_id, webhook_body.c.event_id.in_(chosen)
        )
        return len((await session.execute(query.returning(webhook_body.c.event_id))).all())

    about = "What webhooks carried, from the day they were applied; the line that says so stays longer"
    return RetentionRule("commerce.webhook_bodies", about, 30, count, remove)


def _events(name: str, about: str, days: int, states: tuple[WebhookState, ...]) -> RetentionRule:
    async def count(session: Session, before: datetime) -> int:
        due = _settled(session, before, states)
        return await _count(session, select(func.count()).select_from(webhook_event).where(*due))

    async def remove(session: WriteSession, before: datetime, limit: int) -> int:
        chosen = select(webhook_event.c.id).where(*_settled(session, before, states)).limit(limit)
        ids = (await session.scalars(chosen)).all()
        for table, column in ((webhook_body, webhook_body.c.event_id), (webhook_event, webhook_event.c.id)):
            await session.execute(delete(table).where(table.c.tenant_id == session.tenant_id, column.in_(ids)))
        return len(ids)

    return RetentionRule(name, about, days, count, remove, least_days=7)


RULES = (
    _bodies(),
    _events(
        "commerce.webhooks", "That a webhook came, and what came of it; until then its delivery is known", 90, _DONE
    ),
    _events("commerce.webhooks_dead", "Webhooks that were given up, with what they carried", 365, (WebhookState.DEAD,)),
)
