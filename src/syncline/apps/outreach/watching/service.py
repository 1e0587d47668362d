"""When the scheduled jobs of a tenant ran, and whether that was well."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update
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


async def begin(session: WriteSession, job: str) -> None:
    """It runs now; how it ends is not known yet."""
    values = {"last_run_at": clock.now()}
    query = upsert(sync_state).values(tenant_id=session.tenant, job=job, is_enabled=True, **values)
    await session.execute(query.on_conflict_do_update(index_elements=["tenant_id", "job"], set_=values))


async def end(session: WriteSession, job: str, *, sentence: str | None) -> None:
    """Of one that has begun: without a sentence, well."""
    values: dict[str, Any] = {"sentence": sentence} | ({} if sentence else {"last_good_at": clock.now()})
    query = update(sync_state).where(sync_state.c.tenant_id == session.tenant, sync_state.c.job == job)
    await session.execute(query.values(**values))


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


async def alert(session: WriteSession, job: str) -> bool:
    """Notes that somebody is told that it is stale; False when that was noted before."""
    now = clock.now()
    query = upsert(sync_state).values(tenant_id=session.tenant, job=job, is_enabled=True, alerted_at=now)
    query = query.on_conflict_do_update(
        index_elements=["tenant_id", "job"], set_={"alerted_at": now}, where=sync_state.c.alerted_at.is_(None)
    )
    return (await session.execute(query.returning(sync_state.c.job))).one_or_none() is not None


async def calm(session: WriteSession, job: str) -> bool:
    """Notes that it is fresh again; False when nobody had been told otherwise."""
    mine = (sync_state.c.tenant_id == session.tenant) & (sync_state.c.job == job)
    query = update(sync_state).where(mine, sync_state.c.alerted_at.is_not(None)).values(alerted_at=None)
    return (await session.execute(query.returning(sync_state.c.job))).one_or_none() is not None
