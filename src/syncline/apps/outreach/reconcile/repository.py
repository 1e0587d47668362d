from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from sys import intern
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import select

from syncline.apps.outreach.delivery.models import receipt
from syncline.apps.outreach.delivery.repository import ERASED
from syncline.apps.outreach.sync_contract import SyncRequest
from syncline.runtime.db.arrays import text_array
from syncline.runtime.db.session import Session

_RECEIPT: Final = ("event_key", "namespace", "state", "event", "distinct_id", "at_ms", "insert_id")
_AT_ONCE: Final = 2_000

# All that is known of each key, gathered without a join: what the planner knows of rows that have just been written is
# nothing, and a join by nested loops took a minute for 20,000 events and grows with their square. The day is the
# source's: an unsubscription that came by a webhook has a later moment here than in the tool's own list, and is the
# same one.
_EVENTS: Final = """
WITH sides AS (
    SELECT event_key, namespace, (occurred_at AT TIME ZONE 'UTC')::date AS day, 'source' AS side, true AS is_asked,
        NULL::text AS state, NULL::text AS sentence, NULL::date AS told_on
    FROM outreach.staged_event WHERE tenant_id = %(tenant)s AND run_id = %(run)s
    UNION ALL
    SELECT event_key, namespace, (occurred_at AT TIME ZONE 'UTC')::date,
        CASE WHEN email IS NULL THEN 'forgotten' ELSE 'stored' END,
        coalesce(occurred_at BETWEEN %(since)s AND %(until)s, false), NULL, NULL, NULL
    FROM outreach.event_source
    WHERE tenant_id = %(tenant)s AND source <> 'key' AND platform = ANY (%(platforms)s)
        AND (%(everything)s OR namespace = ANY (%(namespaces)s))
    UNION ALL
    SELECT event_key, namespace, NULL, 'receipt', false, state, sentence,
        CASE WHEN state <> %(erased)s THEN (to_timestamp(at_ms / 1000) AT TIME ZONE 'UTC')::date END
    FROM outreach.receipt
    WHERE tenant_id = %(tenant)s AND (%(everything)s OR namespace = ANY (%(namespaces)s))
), events AS (
    SELECT event_key, min(namespace) AS namespace, coalesce(min(day) FILTER (WHERE side = 'source'), min(day)) AS day,
        bool_or(side = 'source') AS at_source, bool_or(side IN ('stored', 'forgotten')) AS is_stored,
        bool_or(side = 'forgotten') AS is_forgotten, min(state) AS state, min(sentence) AS sentence,
        min(told_on) AS told_on
    FROM sides GROUP BY event_key HAVING bool_or(is_asked)
)
"""
_BY_DAY: Final = (
    _EVENTS
    + """
SELECT namespace, day, count(*) FILTER (WHERE at_source), count(*) FILTER (WHERE is_stored),
    count(*) FILTER (WHERE state = 'delivered' AND NOT is_forgotten), count(*) FILTER (WHERE is_forgotten),
    count(*) FILTER (WHERE state IN ('waiting', 'sending', 'held')), count(*) FILTER (WHERE state = 'refused'),
    count(*) FILTER (WHERE at_source AND NOT is_stored),
    count(*) FILTER (WHERE is_stored AND NOT at_source)
FROM events GROUP BY namespace, day ORDER BY day, namespace
"""
)
_NAMED: Final = (
    _EVENTS
    + """
SELECT event_key, at_source, is_stored, state, sentence FROM events
WHERE at_source <> is_stored OR state = 'refused' ORDER BY day, event_key LIMIT %(limit)s
"""
)
_TOLD: Final = (
    _EVENTS
    + """
SELECT told_on, count(*) FROM events WHERE told_on IS NOT NULL GROUP BY told_on
"""
)
# By a list of keys and no join, for the same reason.
_DAYS: Final = """
SELECT event_key, coalesce(min(day) FILTER (WHERE at_source), min(day)) FROM (
    SELECT event_key, (occurred_at AT TIME ZONE 'UTC')::date AS day, true AS at_source
    FROM outreach.staged_event
    WHERE tenant_id = %(tenant)s AND run_id = %(run)s AND event_key = ANY (%(keys)s::text[])
    UNION ALL
    SELECT event_key, (occurred_at AT TIME ZONE 'UTC')::date, false
    FROM outreach.event_source
    WHERE tenant_id = %(tenant)s AND event_key = ANY (%(keys)s::text[]) AND source <> 'key'
        AND platform = ANY (%(platforms)s) AND occurred_at BETWEEN %(since)s AND %(until)s
) AS sides GROUP BY event_key
"""
_MISSING: Final = """
SELECT s.event_key, s.namespace, s.occurred_at, s.event FROM outreach.staged_event s
WHERE s.tenant_id = %(tenant)s AND s.run_id = %(run)s AND s.event_key > %(after)s
    AND NOT EXISTS (SELECT FROM outreach.event_source e WHERE e.tenant_id = %(tenant)s AND e.event_key = s.event_key)
ORDER BY s.event_key LIMIT %(limit)s
"""


class Receipt(NamedTuple):
    """What we told Mixpanel of an event, and what became of it; `mark` is what its reports know it by. `day` is the one
    under which the event is compared, which the mark's moment need not be in."""

    event_key: str
    day: date
    namespace: str
    state: str
    mark: tuple[str, str, int, str]


def scope(session: Session, run_id: UUID, request: SyncRequest, read_until: datetime) -> dict[str, Any]:
    """What is compared."""
    return {
        "tenant": session.tenant,
        "run": run_id,
        "platforms": [one.value for one in request.platforms],
        "everything": not request.namespaces,
        "namespaces": list(request.namespaces),
        "since": request.since or datetime(1, 1, 1, tzinfo=UTC),
        "until": min(request.until, read_until) if request.until else read_until,
        "erased": ERASED,
    }


async def count_by_day(session: Session, about: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
    return await (await (await session.driver()).execute(_BY_DAY, about)).fetchall()


async def list_differences(session: Session, about: dict[str, Any], limit: int) -> Sequence[tuple[Any, ...]]:
    """Key, whether the tool and whether we have it, what became of its delivery, and why."""
    return await (await (await session.driver()).execute(_NAMED, {**about, "limit": limit})).fetchall()


async def list_missing(
    session: Session, about: dict[str, Any], after: str, limit: int
) -> Sequence[tuple[str, str, datetime, dict[str, Any]]]:
    """What the tool has and we have not, in the order of keys."""
    found = await (await session.driver()).execute(_MISSING, {**about, "after": after, "limit": limit})
    return await found.fetchall()


async def list_receipts(session: Session, about: dict[str, Any], *, first_ms: int, last_ms: int) -> Sequence[Receipt]:
    """Of the events that are compared, those that Mixpanel was told of with a moment within, both ends inclusive.
    Without those whose person was forgotten. Takes some 500 bytes of memory each."""
    columns = (receipt.c[name] for name in _RECEIPT)
    mine = (receipt.c.tenant_id == session.tenant) & receipt.c.at_ms.between(first_ms, last_ms)
    query = select(*columns).where(mine, receipt.c.state != ERASED)
    if not about["everything"]:
        query = query.where(receipt.c.namespace.in_(about["namespaces"]))
    found = await session.stream(query, execution_options={"yield_per": _AT_ONCE})
    receipts = list[Receipt]()
    async for rows in found.partitions():
        days = await _days_of(session, about, [row.event_key for row in rows])
        receipts += [
            Receipt(key, days[key], intern(space), intern(state), (intern(event), *mark))
            for key, space, state, event, *mark in rows
            if key in days
        ]
    return receipts


async def _days_of(session: Session, about: dict[str, Any], keys: Sequence[str]) -> dict[str, date]:
    """Of those of the keys whose events are compared."""
    found = await (await session.driver()).execute(_DAYS, {**about, "keys": text_array(keys)})
    return dict(await found.fetchall())


async def count_told(session: Session, about: dict[str, Any]) -> dict[date, int]:
    """How many of the events that are compared Mixpanel was, or is to be, told of with a moment of each day."""
    found = await (await session.driver()).execute(_TOLD, about)
    return dict(await found.fetchall())
