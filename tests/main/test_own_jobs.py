"""Dead letters of nobody are forgotten in the end; those of tenants are not touched."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import psycopg

from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.main.own_jobs import OWN_SCHEDULES, own_jobs
from syncline.main.settings import Settings
from syncline.main.testing.works import open_works
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs import JobContext

KEPT_DAYS = 30


def test_every_schedule_has_its_job() -> None:
    assert {schedule.job for schedule in OWN_SCHEDULES} <= {job.name for job in own_jobs(Settings())}


async def test_old_letters_of_no_tenant_go_and_all_others_stay(
    database_settings: DatabaseSettings, tmp_path: Path, tenant_id: TenantId
) -> None:
    settings = Settings(dead_letters_kept_days=KEPT_DAYS)
    (forget,) = [job for job in own_jobs(settings) if job.name == OWN_SCHEDULES[0].job]
    async with open_works(database_settings, tmp_path) as works:
        with psycopg.connect(str(database_settings.admin_url), autocommit=True) as operator:
            for tenant, days in ((None, 29), (None, 31), (tenant_id, 31)):
                _bury(operator, tenant, days)
            for _ in range(2):  # the second time there is nothing left to do
                await forget.run(JobContext(runtime=works.runtime, job_id=1, attempt=1, tenant=None), {})
            jobs = operator.execute("SELECT tenant, now() - last_at FROM jobs.dead_letter ORDER BY last_at").fetchall()
            events = operator.execute("SELECT count(*) FROM bus.dead_letter").fetchone()
    assert [(tenant, age.days) for tenant, age in jobs] == [(tenant_id, 31), (None, 29)]
    assert events == (2,)


def _bury(operator: psycopg.Connection, tenant: UUID | None, days: int) -> None:
    operator.execute(
        "INSERT INTO jobs.dead_letter (id, job_id, job, tenant, payload, priority, attempts, reason, first_at, last_at)"
        " VALUES (%s, 1, 'things.do', %s, '{}', 0, 8, 'No.', now(), now() - make_interval(days => %s))",
        (new_id(), tenant, days),
    )
    operator.execute(
        "INSERT INTO bus.dead_letter (id, handler, event_id, name, tenant, occurred_at, payload, attempts, reason,"
        " first_at, last_at) VALUES (%s, 'mail.tell', %s, 'things.done', %s, now(), '{}', 8, 'No.', now(),"
        " now() - make_interval(days => %s))",
        (new_id(), new_id(), tenant, days),
    )
