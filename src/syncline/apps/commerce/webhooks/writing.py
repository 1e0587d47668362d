"""The transaction of one group: deliveries, and the jobs that will apply them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from syncline.apps.commerce.webhooks.keeping import Delivery, Kept, keep
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs import JobQueue

APPLY_JOB: Final = "commerce.apply_webhooks"
LATER: Final = -1
"""Priority of what is beyond a shop's pace: others first."""


class DeliveryWriter:
    """`write` is what `GroupCommit` calls. Exists so that jobs are there if, and only if, the deliveries are."""

    def __init__(self, database: Database, queue: JobQueue) -> None:
        self._database = database
        self._queue = queue

    async def write(self, deliveries: Sequence[Delivery]) -> Sequence[Kept]:
        async with self._database.system() as session:
            kept = await keep(session, deliveries)
            await self._enqueue(session, [one for one in deliveries if kept[one.id] is Kept.NEW])
        return [kept[one.id] for one in deliveries]

    async def _enqueue(self, session: WriteSession, new: Sequence[Delivery]) -> None:
        """One job for each store that has something new, and one more for what may wait."""
        first: dict[tuple[TenantId, UUID, bool], datetime] = {}
        for one in new:
            if one.reason is None:
                key = (one.tenant, one.store_id, one.due_at > one.received_at)
                first[key] = min(first.get(key, one.due_at), one.due_at)
        for (tenant, store_id, may_wait), due_at in sorted(first.items()):
            await enqueue_apply(session, self._queue, tenant, store_id, due_at if may_wait else None)


async def enqueue_apply(
    session: WriteSession, queue: JobQueue, tenant: TenantId, store_id: UUID, due_at: datetime | None = None
) -> None:
    """While such a job waits no second one is made. `due_at` None is at once."""
    await queue.enqueue(
        session,
        APPLY_JOB,
        {"tenant_id": str(tenant), "store_id": str(store_id)},
        priority=0 if due_at is None else LATER,
        run_at=due_at,
        key=str(store_id) if due_at is None else f"{store_id}:later",
    )
