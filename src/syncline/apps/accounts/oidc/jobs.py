from __future__ import annotations

from typing import Any

from syncline.apps.accounts.oidc import repository
from syncline.kernel import clock
from syncline.runtime.jobs import Job, JobContext, Schedule

SWEEP_JOB = "accounts.delete_abandoned_sign_ins"


async def delete_abandoned(ctx: JobContext, _: dict[str, Any]) -> None:
    """Every hour: sign-ins that went to a provider and never came back. Safe to repeat."""
    async with ctx.runtime.database.system() as session:
        await repository.delete_flows(session, before=clock.now())


JOBS = (Job(SWEEP_JOB, delete_abandoned),)
SCHEDULES = (Schedule(SWEEP_JOB, "41 * * * *"),)
