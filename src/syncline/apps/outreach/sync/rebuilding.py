"""The end of a `namespace_reset`: what was read anew takes the place of what was there, in one transaction.

Readers see all of the old or all of the new, and never nothing. An event that is in both keeps its row, and what was
told to Mixpanel of it; one that the tools do not have any more goes, but for what came by a webhook or was recorded
by its key since the run began. What was delivered was delivered, and its receipt stays; what Mixpanel was not told of
yet it is not told any more.

What goes may come again: a campaign that is now in another namespace may be given its old name back. So it is forgotten
too until when each campaign was read; what this run read is noted anew at its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Row, select

from syncline.apps.outreach.events.event import EventSource
from syncline.apps.outreach.happenings.models import staged_event
from syncline.apps.outreach.happenings.storing import HELD, WAITING, meet_people, store, unpacked
from syncline.apps.outreach.sync import repository
from syncline.apps.outreach.sync_contract import SyncRequest
from syncline.runtime.db.session import WriteSession

_AT_ONCE: Final = 1_000
_GONE: Final = """
WITH gone AS (
    DELETE FROM outreach.event_source e
    WHERE e.tenant_id = %(tenant)s AND e.platform = ANY (%(platforms)s) AND e.source <> 'key'
        AND (%(everything)s OR e.namespace = ANY (%(namespaces)s)) AND e.created_at < %(before)s
        AND NOT EXISTS (SELECT FROM outreach.staged_event s WHERE s.run_id = %(run)s AND s.event_key = e.event_key)
    RETURNING e.event_key
), untold AS (
    DELETE FROM outreach.receipt r USING gone
    WHERE r.tenant_id = %(tenant)s AND r.event_key = gone.event_key AND r.state = ANY (%(untold)s)
)
SELECT count(*) FROM gone
"""


async def swap(session: WriteSession, run: Row[Any], request: SyncRequest) -> int:
    """How many rows went."""
    driver = await session.driver()
    values = {
        "tenant": session.tenant,
        "platforms": [one.value for one in request.platforms],
        "everything": not request.namespaces,
        "namespaces": list(request.namespaces),
        "before": run.created_at,
        "run": run.id,
        "untold": [HELD, WAITING],
    }
    gone = await (await driver.execute(_GONE, values)).fetchone()
    await repository.forget_marks(session, request.platforms, request.namespaces)
    for platform, created in (await _put_staged(session, run, request)).items():
        await repository.note_created(session, run.id, platform, created)
    return 0 if gone is None else int(gone[0])


async def _put_staged(session: WriteSession, run: Row[Any], request: SyncRequest) -> Mapping[str, int]:
    """In the order of keys, some at a time: memory does not grow with the namespace. How many were new, by tool."""
    after, created = "", Counter[str]()
    while True:
        query = (
            select(staged_event)
            .where(
                staged_event.c.tenant_id == session.tenant,
                staged_event.c.run_id == run.id,
                staged_event.c.event_key > after,
            )
            .order_by(staged_event.c.event_key)
            .limit(_AT_ONCE)
        )
        rows = (await session.execute(query)).all()
        if not rows:
            return created
        after = rows[-1].event_key
        for namespace, platform in sorted({(row.namespace, row.platform) for row in rows}):
            mine = (row for row in rows if (row.namespace, row.platform) == (namespace, platform))
            happenings = [unpacked(row.event, row.occurred_at) for row in mine]
            created[platform] += await store(
                session,
                happenings,
                namespace=namespace,
                source=EventSource.SYNC,
                to_mixpanel=request.to_mixpanel,
            )
            await meet_people(session, happenings, namespace=namespace, is_wanted=request.to_attio)
