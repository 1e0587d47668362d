"""Webhooks that were given up, among the dead letters of the installation: a state of their rows, no copy."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select, update

from syncline.apps.commerce.stores.directory.models import shop_directory
from syncline.apps.commerce.webhook_contract import WebhookOutcome, WebhookState
from syncline.apps.commerce.webhooks import repository
from syncline.apps.commerce.webhooks.models import webhook_event
from syncline.apps.commerce.webhooks.writing import enqueue_apply
from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.letters import Letter, LetterKind, LetterQuery

_EVENT = webhook_event.c
_LAST_AT = func.coalesce(_EVENT.last_failed_at, _EVENT.settled_at, _EVENT.received_at)


class WebhookLetters:
    """A `LetterSource`. What belongs to a tenant is read and changed in a transaction of that tenant, one after the
    other where the operator asks for all: the database shows nobody the rows of two."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def kind(self) -> LetterKind:
        return LetterKind.WEBHOOK

    async def list(self, session: Session, query: LetterQuery, limit: int) -> Sequence[Letter]:
        """Without what they carried, which is large; `find` has it."""
        found: list[Letter] = []
        async for theirs in self._reading(session, query.tenant):
            wanted = select(webhook_event).where(*_matching(theirs, query)).order_by(_LAST_AT.desc(), _EVENT.id.desc())
            found += [_letter(row, theirs.tenant) for row in await theirs.execute(wanted.limit(limit))]
        return sorted(found, key=lambda letter: (letter.last_at, letter.id), reverse=True)[:limit]

    async def count(self, session: Session, query: LetterQuery) -> int:
        total = 0
        async for theirs in self._reading(session, query.tenant):
            counted = select(func.count()).select_from(webhook_event).where(*_matching(theirs, query))
            total += int(await theirs.scalar(counted) or 0)
        return total

    async def find(self, session: Session, letter_id: UUID) -> Letter | None:
        async with aclosing(self._reading(session, None)) as sessions:
            async for theirs in sessions:
                wanted = select(webhook_event).where(*_matching(theirs, LetterQuery()), _EVENT.id == letter_id)
                row = (await theirs.execute(wanted)).one_or_none()
                if row is not None:
                    return _letter(row, theirs.tenant, await repository.find_body(theirs, letter_id))
        return None

    async def retry(self, session: WriteSession, ids: Sequence[UUID]) -> int:
        count = 0
        async for theirs in self._writing(session):
            dead = await _dead(theirs, ids)
            events = await repository.send_back(theirs, dead, clock.now())
            for store_id in sorted({event.store_id for event in events}):
                await enqueue_apply(theirs, self._runtime.queue, theirs.tenant, store_id)
            count += len(events)
        return count

    async def discard(self, session: WriteSession, ids: Sequence[UUID]) -> int:
        """The row stays, so that the same delivery is known when it comes again."""
        count = 0
        async for theirs in self._writing(session):
            done = (
                update(webhook_event)
                .where(*_matching(theirs, LetterQuery()), _EVENT.id.in_(ids))
                .values(state=WebhookState.IGNORED, outcome=WebhookOutcome.DISCARDED, settled_at=clock.now())
                .returning(_EVENT.id)
            )
            count += len((await theirs.scalars(done)).all())
        return count

    async def _reading(self, session: Session, tenant: TenantId | None) -> AsyncGenerator[Session, None]:
        if session.tenant_id is not None:
            yield session
            return
        for one in await _tenants(session, tenant):
            async with self._runtime.database.reading(one) as theirs:
                yield theirs

    async def _writing(self, session: WriteSession) -> AsyncGenerator[WriteSession, None]:
        if session.tenant_id is not None:
            yield session
            return
        for one in await _tenants(session, None):
            async with self._runtime.database.writing(one) as theirs:
                yield theirs


async def _tenants(session: Session, tenant: TenantId | None) -> Sequence[TenantId]:
    """Those that have connected a store."""
    query = select(shop_directory.c.tenant).distinct().order_by(shop_directory.c.tenant)
    if tenant is not None:
        query = query.where(shop_directory.c.tenant == tenant)
    return [TenantId(one) for one in await session.scalars(query)]


def _matching(session: Session, query: LetterQuery) -> list[ColumnElement[bool]]:
    found = [_EVENT.tenant_id == session.tenant, _EVENT.state == WebhookState.DEAD.value]
    for column, part in ((_EVENT.topic, query.name), (_EVENT.reason, query.reason)):
        if part is not None:
            found.append(func.strpos(func.lower(column), func.lower(part)) > 0)
    if query.since is not None:
        found.append(query.since <= _LAST_AT)
    if query.until is not None:
        found.append(query.until > _LAST_AT)
    return found


async def _dead(session: Session, ids: Sequence[UUID]) -> Sequence[UUID]:
    """Those of `ids` that are letters; one that merely failed has its next attempt coming."""
    wanted = select(_EVENT.id).where(*_matching(session, LetterQuery()), _EVENT.id.in_(ids))
    return (await session.scalars(wanted)).all()


def _letter(row: Row[Any], tenant: TenantId, body: bytes | None = None) -> Letter:
    last_at: datetime = row.last_failed_at or row.settled_at or row.received_at
    payload: dict[str, Any] = {
        "store_id": str(row.store_id),
        "delivery_id": row.delivery_id,
        "topic": row.topic,
        "api_version": row.api_version,
    }
    if body is not None:
        payload["body"] = _readable(body)
    return Letter(
        id=row.id,
        kind=LetterKind.WEBHOOK,
        name=row.topic,
        tenant_id=tenant,
        attempts=row.attempts,
        reason=row.reason or "",
        first_at=row.first_failed_at or row.received_at,
        last_at=last_at,
        retried_at=None,
        payload=payload,
        correlation_id=row.correlation_id,
    )


def _readable(body: bytes) -> Any:
    """What it says; as text where it is not JSON, which may be why it is here."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
