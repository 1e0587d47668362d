from __future__ import annotations

from datetime import timedelta
from typing import Any

from syncline.apps.accounts.mail.repository import delete_mails
from syncline.apps.accounts.repository import list_tenant_ids
from syncline.apps.accounts.signin import repository
from syncline.apps.accounts.signin.throttle import FORGOTTEN_AFTER
from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.jobs import Job, JobContext, Schedule

SWEEP_JOB = "accounts.delete_stale"
_KEPT = timedelta(days=30)


async def delete_stale(ctx: JobContext, _: dict[str, Any]) -> None:
    """Once a day: sessions that ended a month ago, with their tokens; counted failures; old mails. Safe to repeat."""
    now, database = clock.now(), ctx.runtime.database
    async with database.system() as session:
        await repository.delete_throttles(session, before=now - FORGOTTEN_AFTER)
        await delete_mails(session, before=now - _KEPT)
        tenants = await list_tenant_ids(session)
    for tenant_id in tenants:
        async with database.writing(TenantId(tenant_id)) as session:
            await repository.delete_sessions(session, before=now - _KEPT)


JOBS = (Job(SWEEP_JOB, delete_stale),)
SCHEDULES = (Schedule(SWEEP_JOB, "23 3 * * *"),)
