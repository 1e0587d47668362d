from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec

from syncline.apps.commerce.webhook_contract import WebhookEvent, WebhookState
from syncline.apps.commerce.webhook_management import repository
from syncline.apps.commerce.webhook_management.diff import changes_of
from syncline.apps.commerce.webhook_management_contract import (
    DayStats,
    NotComparable,
    PayloadDiff,
    TopicStats,
    WebhookEmptied,
    WebhookNotFound,
    WebhookSettled,
    WebhookStats,
)
from syncline.apps.commerce.webhooks import repository as webhooks
from syncline.kernel import clock
from syncline.runtime.db.session import Session, WriteSession

MOST_CHANGES = 1_000
GIVEN_UP = "Somebody gave it up."


async def get(session: Session, event_id: UUID) -> WebhookEvent:
    found = await webhooks.find(session, event_id)
    if found is None:
        raise WebhookNotFound(f"There is no webhook {event_id}; see the list of events.")
    return found


async def read_payload(session: Session, event_id: UUID) -> tuple[Any | None, str | None]:
    """As JSON, or as the text it is when it is none."""
    body = await webhooks.find_body(session, event_id)
    if body is None:
        return None, None
    try:
        return msgspec.json.decode(body), None
    except msgspec.DecodeError:
        return None, body.decode("utf-8", "replace")


async def retry(session: WriteSession, event_id: UUID) -> WebhookEvent:
    event = await get(session, event_id)
    if event.state in {WebhookState.APPLIED, WebhookState.IGNORED}:
        raise WebhookSettled(f"This webhook was {event.state.value} already; there is nothing to try again.")
    if event.state is WebhookState.WAITING:
        return event
    if await webhooks.find_body(session, event_id) is None:
        raise WebhookEmptied(
            "What this webhook carried was erased or is no longer kept. `syncline webhooks reconcile` reads the record "
            "from the store instead."
        )
    sent_back = await webhooks.send_back(session, [event_id], clock.now())
    return sent_back[0] if sent_back else await get(session, event_id)


async def give_up(session: WriteSession, event_id: UUID, reason: str) -> WebhookEvent:
    event = await get(session, event_id)
    if event.state in {WebhookState.APPLIED, WebhookState.IGNORED}:
        raise WebhookSettled(f"This webhook was {event.state.value}, so it cannot be given up.")
    given_up = await webhooks.give_up(session, [event_id], reason.strip() or GIVEN_UP)
    return given_up[0] if given_up else await get(session, event_id)


async def diff(session: Session, event_id: UUID, other_id: UUID | None) -> PayloadDiff:
    event = await get(session, event_id)
    other = await _other(session, event, other_id)
    before, after = sorted((event, other), key=lambda one: (one.received_at, one.id))
    bodies = [await read_payload(session, one.id) for one in (before, after)]
    for (payload, text), one in zip(bodies, (before, after), strict=True):
        if payload is None and text is None:
            raise WebhookEmptied(f"What the webhook {one.id} carried was erased or is no longer kept.")
        if payload is None:
            raise NotComparable(f"What the webhook {one.id} carried is no JSON, so there are no fields to compare.")
    found = changes_of(bodies[0][0], bodies[1][0])
    named = list(islice(found, MOST_CHANGES))
    return PayloadDiff(before, after, named, len(named) + sum(1 for _ in found))


async def _other(session: Session, event: WebhookEvent, other_id: UUID | None) -> WebhookEvent:
    if other_id is not None:
        other = await get(session, other_id)
        if (other.store_id, other.kind, other.number) != (event.store_id, event.kind, event.number):
            raise NotComparable("These webhooks are about different records; choose two of the same.")
        return other
    if event.number is None:
        raise NotComparable("What this webhook is about is not known: it was not read yet, or names no record.")
    found = await repository.find_before(session, event)
    if found is None:
        raise NotComparable("It is the first webhook of this record; there is none before it to compare with.")
    return found


async def stats(session: Session, *, store_id: UUID | None, days: int) -> WebhookStats:
    since = clock.now() - timedelta(days=days)
    topics = [_topic(row) for row in await repository.count_by_topic(session, store_id=store_id, since=since)]
    rows = await repository.count_by_day(session, store_id=store_id, since=since)
    middle, late = await repository.find_seconds(session, store_id=store_id, since=since)
    return WebhookStats(
        since=since,
        received=sum(one.received for one in topics),
        applied=sum(one.applied for one in topics),
        ignored=sum(one.ignored for one in topics),
        failed=sum(one.failed for one in topics),
        dead=sum(one.dead for one in topics),
        waiting=sum(one.waiting for one in topics),
        success_rate=success_rate(topics),
        seconds_p50=middle,
        seconds_p95=late,
        topics=topics,
        days=[DayStats(row.day, sum(row[1:]), row.applied + row.ignored, row.dead) for row in rows],
    )


async def success_between(
    session: Session, *, since: datetime, until: datetime, store_id: UUID | None = None
) -> float | None:
    """In percent; None when no webhook is settled or failed."""
    rows = await repository.count_by_topic(session, store_id=store_id, since=since, until=until)
    return success_rate([_topic(row) for row in rows])


def success_rate(topics: Sequence[TopicStats]) -> float | None:
    """Of all that is settled or failed; what waits for its first try counts neither way."""
    good = sum(one.applied + one.ignored for one in topics)
    tried = good + sum(one.failed + one.dead for one in topics)
    return round(100 * good / tried, 2) if tried else None


def _topic(row: Any) -> TopicStats:
    return TopicStats(
        topic=row.topic,
        received=sum(row[1:]),
        applied=row.applied,
        ignored=row.ignored,
        failed=row.failed,
        dead=row.dead,
        waiting=row.waiting,
    )
