"""The installation's own jobs, which belong to no app: the probe, and forgetting old dead letters."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg.sql import SQL

from syncline.main.probe import PROBE
from syncline.main.settings import Settings
from syncline.runtime.app import Runtime
from syncline.runtime.jobs import Job, JobContext, Schedule
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

_FORGET = "main.forget_dead_letters"
# Those of a tenant go by the tenant's own rules of retention; these are nobody's.
_OLD = (
    SQL("DELETE FROM jobs.dead_letter WHERE tenant IS NULL AND last_at < now() - %s"),
    SQL("DELETE FROM bus.dead_letter WHERE tenant IS NULL AND last_at < now() - %s"),
)

OWN_SCHEDULES = (Schedule(job=_FORGET, cron="40 3 * * *"),)


def own_jobs(settings: Settings) -> tuple[Job, ...]:
    kept = timedelta(days=settings.dead_letters_kept_days)

    async def forget(ctx: JobContext, _: dict[str, Any]) -> None:
        runtime: Runtime = ctx.runtime
        async with runtime.database.system() as session:
            connection = await session.driver()
            forgotten = [(await connection.execute(statement, (kept,))).rowcount for statement in _OLD]
        log.info("old dead letters forgotten", jobs=forgotten[0], events=forgotten[1], kept_days=kept.days)

    return (PROBE, Job(name=_FORGET, run=forget))
