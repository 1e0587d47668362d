from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from syncline.apps.outreach.delivery.models import receipt
from syncline.apps.outreach.happenings.models import staged_event
from syncline.apps.outreach.sync_contract import SyncRequest
from syncline.runtime.db.session import Session

# Both sides by key. The day is the source's: an unsubscription that came by a webhook has a later moment here than in
# the tool's own list, and is the same one.
_SIDES: Final = """
source AS (
    SELECT event_key, namespace, platform, (occurred_at AT TIME ZONE 'UTC')::date AS day
    FROM outreach.staged_event WHERE tenant_id = %(tenant)s AND run_id = %(run)s
), stored AS (
    SELECT e.event_key, e.namespace, e.platform, (e.occurred_at AT TIME ZONE 'UTC')::date AS day,
        e.email IS NULL AS is_forgotten
    FROM outreach.event_source e
    WHERE e.tenant_id = %(tenant)s AND e.source <> 'key' AND e.platform = ANY (%(platforms)s)
        AND (%(everything)s OR e.namespace = ANY (%(namespaces)s))
        AND ((e.occurred_at >= %(since)s AND e.occurred_at <= %(until)s)
            OR EXISTS (SELECT FROM source s WHERE s.event_key = e.event_key))
), both_sides AS (
    SELECT coalesce(s.event_key, e.event_key) AS event_key, coalesce(s.namespace, e.namespace) AS namespace,
        coalesce(s.day, e.day) AS day, s.event_key IS NOT NULL AS at_source, e.event_key IS NOT NULL AS is_stored,
        coalesce(e.is_forgotten, false) AS is_forgotten
    FROM source s FULL JOIN stored e ON e.event_key = s.event_key
)
"""
_BY_DAY: Final = (
    "WITH "
    + _SIDES
    + """
SELECT b.namespace, b.day, count(*) FILTER (WHERE at_source), count(*) FILTER (WHERE is_stored),
    count(*) FILTER (WHERE r.state = 'delivered' AND NOT is_forgotten), count(*) FILTER (WHERE is_forgotten),
    count(*) FILTER (WHERE r.state IN ('waiting', 'sending', 'held')), count(*) FILTER (WHERE r.state = 'refused'),
    count(*) FILTER (WHERE at_source AND NOT is_stored),
    count(*) FILTER (WHERE is_stored AND NOT at_source)
FROM both_sides b
LEFT JOIN outreach.receipt r ON r.tenant_id = %(tenant)s AND r.event_key = b.event_key
GROUP BY b.namespace, b.day ORDER BY b.day, b.namespace
"""
)
_NAMED: Final = (
    "WITH "
    + _SIDES
    + """
SELECT b.event_key, b.at_source, b.is_stored, r.state, r.sentence FROM both_sides b
LEFT JOIN outreach.receipt r ON r.tenant_id = %(tenant)s AND r.event_key = b.event_key
WHERE at_source <> is_stored OR r.state = 'refused' ORDER BY b.day, b.event_key LIMIT %(limit)s
"""
)
_MISSING: Final = """
SELECT s.event_key, s.namespace, s.occurred_at, s.event FROM outreach.staged_event s
WHERE s.tenant_id = %(tenant)s AND s.run_id = %(run)s AND s.event_key > %(after)s
    AND NOT EXISTS (SELECT FROM outreach.event_source e WHERE e.tenant_id = %(tenant)s AND e.event_key = s.event_key)
ORDER BY s.event_key LIMIT %(limit)s
"""


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


async def list_receipts(session: Session, *, first_ms: int, last_ms: int, namespaces: Sequence[str]) -> Sequence[Any]:
    """Of what happened within, both ends inclusive; none of the namespaces meaning all."""
    mine = (receipt.c.tenant_id == session.tenant) & receipt.c.at_ms.between(first_ms, last_ms)
    query = select(receipt).where(mine)
    if namespaces:
        query = query.where(receipt.c.namespace.in_(namespaces))
    return (await session.execute(query)).all()


async def list_days(session: Session, run_id: UUID) -> Sequence[date]:
    """Days on which the tools have something, by the run's reading."""
    day = staged_event.c.occurred_at.op("AT TIME ZONE")("UTC")
    query = select(day).where(staged_event.c.tenant_id == session.tenant, staged_event.c.run_id == run_id)
    return sorted({found.date() for found in await session.scalars(query.distinct())})
