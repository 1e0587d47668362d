"""Webhooks that were given up, among the dead letters of the installation: a state of their rows, no copy."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select, update

from syncline.apps.commerce.webhook_contract import WebhookOutcome, WebhookState
from syncline.apps.commerce.webhooks import dead, repository
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
    other where the operator asks for all: the database shows nobody the rows of two. Only those are asked that have
    any, and how many there are in all takes one statement, however many tenants there are."""

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
        if session.tenant_id is None and _is_plain(query):
            return await dead.count(session, query.tenant)
        total = 0
        async for theirs in self._reading(session, query.tenant):
            counted = select(func.count()).select_from(webhook_event).where(*_matching(theirs, query))
            total += int(await theirs.scalar(counted) or 0)
        return total

    async def find(self, session: Session, letter_id: UUID) -> Letter | None:
        if session.tenant_id is not None:
            return await self._find(session, letter_id)
        for tenant in await dead.tenants_of(session, [letter_id]):
            async with self._runtime.database.reading(tenant) as theirs:
                return await self._find(theirs, letter_id)
        return None

    async def _find(self, session: Session, letter_id: UUID) -> Letter | None:
        wanted = select(webhook_event).where(*_matching(session, LetterQuery()), _EVENT.id == letter_id)
        row = (await session.execute(wanted)).one_or_none()
        return None if row is None else _letter(row, session.tenant, await repository.find_body(session, letter_id))

    async def retry(self, session: WriteSession, ids: Sequence[UUID]) -> int:
        count = 0
        async for theirs in self._writing(session, ids):
            events = await repository.send_back(theirs, await _dead(theirs, ids), clock.now())
            for store_id in sorted({event.store_id for event in events}):
                await enqueue_apply(theirs, self._runtime.queue, theirs.tenant, store_id)
            count += len(events)
        return count

    async def discard(self, session: WriteSession, ids: Sequence[UUID]) -> int:
        """The row stays, so that the same delivery is known when it comes again."""
        count = 0
        async for theirs in self._writing(session, ids):
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
        for one in await dead.tenants(session, tenant):
            async with self._runtime.database.reading(one) as theirs:
                yield theirs

    async def _writing(self, session: WriteSession, ids: Sequence[UUID]) -> AsyncGenerator[WriteSession, None]:
        if session.tenant_id is not None:
            yield session
            return
        for one in await dead.tenants_of(session, ids):
            async with self._runtime.database.writing(one) as theirs:
                yield theirs


def _is_plain(query: LetterQuery) -> bool:
    """Nothing is asked that only the letters themselves can tell."""
    return (query.name, query.reason, query.since, query.until) == (None, None, None, None)


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
