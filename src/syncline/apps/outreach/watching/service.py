"""When the scheduled jobs of a tenant ran, and whether that was well."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.outreach.watching.models import sync_state
from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import Session, WriteSession

PERIODIC, MIXPANEL = "periodic_sync", "mixpanel_sync"


async def note(runtime: Runtime, tenant_id: TenantId, job: str, *, sentence: str | None) -> None:
    """How a run ended: without a sentence, well."""
    async with runtime.database.writing(tenant_id) as session:
        await keep(session, job, sentence=sentence)


async def keep(session: WriteSession, job: str, *, sentence: str | None) -> None:
    now = clock.now()
    values: dict[str, Any] = {"last_run_at": now, "sentence": sentence}
    if sentence is None:
        values["last_good_at"] = now
    query = upsert(sync_state).values(tenant_id=session.tenant, job=job, is_enabled=True, **values)
    await session.execute(query.on_conflict_do_update(index_elements=["tenant_id", "job"], set_=values))


async def is_enabled(session: Session, job: str) -> bool:
    query = select(sync_state.c.is_enabled).where(sync_state.c.tenant_id == session.tenant, sync_state.c.job == job)
    return (await session.execute(query)).scalar_one_or_none() is not False


async def set_enabled(session: WriteSession, job: str, *, enabled: bool) -> None:
    query = upsert(sync_state).values(tenant_id=session.tenant, job=job, is_enabled=enabled)
    await session.execute(
        query.on_conflict_do_update(index_elements=["tenant_id", "job"], set_={"is_enabled": enabled})
    )


async def find_row(session: Session, job: str) -> Row[Any] | None:
    query = select(sync_state).where(sync_state.c.tenant_id == session.tenant, sync_state.c.job == job)
    return (await session.execute(query)).one_or_none()
