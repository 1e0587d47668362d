from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from syncline.apps.accounts.signin.jobs import delete_stale
from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs import JobContext

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def count(database: Database, table: str, tenant: str) -> int:
    async with database.reading(TenantId(tenant)) as session:  # type: ignore[arg-type]
        found = await session.scalar(text(f"SELECT count(*) FROM accounts.{table}"))
    return int(found or 0)


@pytest.mark.parametrize(("days", "left"), [(29, 2), (31, 1)])
async def test_a_session_goes_a_month_after_it_ended_and_a_live_one_stays(
    client: httpx.AsyncClient, register: Any, runtime: Runtime, database: Database, days: int, left: int
) -> None:
    with clock.frozen(NOON):
        ada = await register()
        body = {"email": "ada@example.com", "password": "four words in a row"}
        signed = (await client.post("/api/auth/login", json=body)).json()
        await client.post("/api/auth/logout", json={"refresh_token": signed["refresh_token"]})
    with clock.frozen(NOON + timedelta(days=days)):
        await delete_stale(JobContext(runtime=runtime, job_id=1, attempt=1, tenant=None), {})
    assert await count(database, "session", ada["tenant"]["id"]) == left


async def test_counted_failures_go_after_a_day(
    client: httpx.AsyncClient, ada: Any, runtime: Runtime, database: Database
) -> None:
    await client.post("/api/auth/login", json={"email": "eve@example.com", "password": "whatever it is"})
    context = JobContext(runtime=runtime, job_id=1, attempt=1, tenant=None)
    await delete_stale(context, {})
    assert await count(database, "sign_in_throttle", ada["tenant"]["id"]) == 1
    with clock.frozen(clock.now() + timedelta(days=1, minutes=1)):
        await delete_stale(context, {})
    assert await count(database, "sign_in_throttle", ada["tenant"]["id"]) == 0
