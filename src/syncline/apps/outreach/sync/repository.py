from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, text, tuple_, update

from syncline.apps.outreach.connections.models import directory
from syncline.apps.outreach.happenings.models import staged_event
from syncline.apps.outreach.sync.models import sync_chunk, sync_claim, sync_mark, sync_run
from syncline.apps.outreach.sync.planning import Chunk, Mark, Marks
from syncline.apps.outreach.sync_contract import Platform, SyncMode, SyncStatus
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session, WriteSession

LIVE = (SyncStatus.QUEUED, SyncStatus.RUNNING)
RUN_KIND = "run"
_WAITING, _READING, DONE = "waiting", "reading", "done"
_MOST_HISTORY = 500
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('outreach.sync_claim:' || :tenant, 0))")
EVERYTHING = "*"
"""Claimed in place of a namespace: by a run of all there are, and all that come while it runs."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a run's chunks, or of those of one tool."""

    chunks: int = 0
    done: int = 0
    reading: int = 0
    """Chunks that a worker has at present."""
    read: int = 0
    created: int = 0
    unusable: int = 0
    expected: int = 0
    """Records of the chunks that are done, and of those whose tool said how many there are."""
    known: int = 0
    """How many chunks `expected` speaks of."""
    unmoved: int = 0
    """Of those, chunks in which nothing happened: they are not read."""


def total(each: Iterable[Counts]) -> Counts:
    listed = [astuple(one) for one in each]
    return Counts(*(sum(column) for column in zip(*listed, strict=True))) if listed else Counts()


async def add_run(session: WriteSession, values: Mapping[str, Any]) -> Row[Any]:
    query = insert(sync_run).values(tenant_id=session.tenant, **values).returning(sync_run)
    row: Row[Any] = (await session.execute(query)).one()
    place = {"kind": RUN_KIND, "name": str(row.id), "tenant": session.tenant}
    await session.execute(insert(directory).values(**place))
    return row


async def find_tenant(session: Session, run_id: UUID) -> TenantId | None:
    """Whose run it is, for whoever knows its id."""
    query = select(directory.c.tenant).where(directory.c.kind == RUN_KIND, directory.c.name == str(run_id))
    found: UUID | None = (await session.execute(query)).scalar_one_or_none()
    return None if found is None else TenantId(found)


async def claim(session: WriteSession, run_id: UUID, namespaces: Sequence[str]) -> UUID | None:
    """Takes the namespaces for the run, none of them meaning all; or answers a run that stands in the way. Whoever
    comes at the same time waits here until we have committed, and then finds ours."""
    await session.execute(_ONE_AT_A_TIME, {"tenant": str(session.tenant)})
    wanted = list(namespaces) or [EVERYTHING]
    held = select(sync_claim.c.run_id).where(sync_claim.c.tenant_id == session.tenant)
    if namespaces:
        held = held.where(sync_claim.c.namespace.in_([*wanted, EVERYTHING]))
    holder: UUID | None = (await session.execute(held.limit(1))).scalar_one_or_none()
    if holder is None:
        rows = [{"tenant_id": session.tenant, "namespace": name, "run_id": run_id} for name in wanted]
        await session.execute(insert(sync_claim), rows)
    return holder


async def release(session: WriteSession, run_id: UUID) -> None:
    mine = (sync_claim.c.tenant_id == session.tenant) & (sync_claim.c.run_id == run_id)
    await session.execute(delete(sync_claim).where(mine))


async def find_run(session: Session, run_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = select(sync_run).where(sync_run.c.tenant_id == session.tenant, sync_run.c.id == run_id)
    return (await session.execute(query.with_for_update() if lock else query)).one_or_none()


async def change_run(session: WriteSession, run_id: UUID, **values: Any) -> None:
    query = update(sync_run).where(sync_run.c.tenant_id == session.tenant, sync_run.c.id == run_id)
    await session.execute(query.values(**values))


async def list_runs(
    session: Session, *, limit: int, status: SyncStatus | None = None, mode: SyncMode | None = None
) -> Sequence[Row[Any]]:
    """The latest first."""
    query = select(sync_run).where(sync_run.c.tenant_id == session.tenant)
    if status is not None:
        query = query.where(sync_run.c.status == status)
    if mode is not None:
        query = query.where(sync_run.c.mode == mode)
    query = query.order_by(sync_run.c.created_at.desc(), sync_run.c.id.desc())
    return (await session.execute(query.limit(min(limit, _MOST_HISTORY)))).all()


async def add_chunks(session: WriteSession, run_id: UUID, chunks: Sequence[Chunk]) -> None:
    rows = [
        {
            "run_id": run_id,
            "number": number,
            "tenant_id": session.tenant,
            "platform": one.campaign.platform.value,
            "namespace": one.campaign.namespace,
            "campaign_id": one.campaign.id,
            "campaign": one.campaign.name,
            "since": one.since,
            "until": one.until,
            "status": DONE if one.campaign.is_unmoved else _WAITING,
            "counters": one.campaign.counters,
            "is_unmoved": one.campaign.is_unmoved,
            "read": 0,
            "created": 0,
            "unusable": 0,
        }
        for number, one in enumerate(chunks)
    ]
    for start in range(0, len(rows), 1_000):
        await session.execute(insert(sync_chunk), rows[start : start + 1_000])


async def take_chunk(
    session: WriteSession, run_id: UUID, worker: int, *, prefers: Platform | None = None
) -> Row[Any] | None:
    """The one this worker had when it was stopped, or else the next that nobody has, of the tool it prefers while there
    are some; None when all are given out."""
    mine = (sync_chunk.c.tenant_id == session.tenant) & (sync_chunk.c.run_id == run_id)
    held = select(sync_chunk).where(mine, sync_chunk.c.status == _READING, sync_chunk.c.worker == worker).limit(1)
    found = (await session.execute(held)).one_or_none()
    if found is not None:
        return found
    free = (
        select(sync_chunk.c.number)
        .where(mine, sync_chunk.c.status == _WAITING)
        .order_by(sync_chunk.c.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    number = None
    if prefers is not None:
        number = (await session.execute(free.where(sync_chunk.c.platform == prefers))).scalar_one_or_none()
    if number is None:
        number = (await session.execute(free)).scalar_one_or_none()
    if number is None:
        return None
    query = update(sync_chunk).where(mine, sync_chunk.c.number == number).values(status=_READING, worker=worker)
    taken: Row[Any] = (await session.execute(query.returning(sync_chunk))).one()
    return taken


async def record_page(
    session: WriteSession,
    chunk: Row[Any],
    *,
    cursor: str | None,
    expected: int | None,
    read: int,
    created: int,
    unusable: int,
) -> Row[Any] | None:
    """With the rows of the page, in one transaction. A `cursor` of None ends the chunk. None when the run is over."""
    run = await session.execute(
        select(sync_run.c.status).where(sync_run.c.tenant_id == session.tenant, sync_run.c.id == chunk.run_id)
    )
    if run.scalar_one_or_none() not in LIVE:
        return None
    mine = (sync_chunk.c.tenant_id == session.tenant) & (sync_chunk.c.run_id == chunk.run_id)
    query = (
        update(sync_chunk)
        .where(mine, sync_chunk.c.number == chunk.number)
        .values(
            cursor=cursor,
            expected=expected,
            status=DONE if cursor is None else _READING,
            read=sync_chunk.c.read + read,
            created=sync_chunk.c.created + created,
            unusable=sync_chunk.c.unusable + unusable,
        )
    )
    after: Row[Any] = (await session.execute(query.returning(sync_chunk))).one()
    return after


async def note_created(session: WriteSession, run_id: UUID, platform: str, created: int) -> None:
    """Of a run that knows only at its end what was new: the tool's first chunk stands for all."""
    mine = (sync_chunk.c.tenant_id == session.tenant) & (sync_chunk.c.run_id == run_id)
    first = select(func.min(sync_chunk.c.number)).where(mine, sync_chunk.c.platform == platform).scalar_subquery()
    await session.execute(update(sync_chunk).where(mine, sync_chunk.c.number == first).values(created=created))


async def skip_chunk(session: WriteSession, chunk: Row[Any], sentence: str) -> None:
    mine = (sync_chunk.c.tenant_id == session.tenant) & (sync_chunk.c.run_id == chunk.run_id)
    query = update(sync_chunk).where(mine, sync_chunk.c.number == chunk.number)
    await session.execute(query.values(status=DONE, sentence=sentence))


async def count(session: Session, run_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[Platform, Counts]]:
    """Of each run, by tool; nothing of a run that has no chunks (yet)."""
    chunk = sync_chunk.c
    is_done = chunk.status == DONE
    known = is_done | chunk.expected.is_not(None)
    query = select(
        chunk.run_id,
        chunk.platform,
        func.count(),
        func.count().filter(is_done),
        func.count().filter(chunk.status == _READING),
        func.coalesce(func.sum(chunk.read), 0),
        func.coalesce(func.sum(chunk.created), 0),
        func.coalesce(func.sum(chunk.unusable), 0),
        func.coalesce(func.sum(func.greatest(chunk.read, func.coalesce(chunk.expected, 0))).filter(known), 0),
        func.count().filter(known),
        func.count().filter(chunk.is_unmoved),
    ).where(chunk.tenant_id == session.tenant, chunk.run_id.in_(run_ids))
    found: dict[UUID, dict[Platform, Counts]] = {one: {} for one in run_ids}
    for run_id, platform, *values in await session.execute(query.group_by(chunk.run_id, chunk.platform)):
        found[run_id][Platform(platform)] = Counts(*(int(value) for value in values))
    return found


async def is_all_read(session: Session, run_id: UUID) -> bool:
    open_ = select(sync_chunk.c.number).where(
        sync_chunk.c.tenant_id == session.tenant, sync_chunk.c.run_id == run_id, sync_chunk.c.status != DONE
    )
    return (await session.execute(open_.limit(1))).scalar_one_or_none() is None


async def list_skipped(session: Session, run_id: UUID) -> Sequence[str]:
    query = select(sync_chunk.c.campaign, sync_chunk.c.sentence).where(
        sync_chunk.c.tenant_id == session.tenant, sync_chunk.c.run_id == run_id, sync_chunk.c.sentence.is_not(None)
    )
    return [f"{row.campaign}: {row.sentence}" for row in await session.execute(query.limit(20))]


async def list_marks(session: Session) -> Marks:
    query = select(sync_mark).where(sync_mark.c.tenant_id == session.tenant)
    rows = await session.execute(query)
    return {
        (Platform(row.platform), row.campaign_id, row.namespace): Mark(
            row.until, row.mails, row.counters, row.whole_at, row.is_settled
        )
        for row in rows
    }


async def find_earliest_mark(session: Session, run_id: UUID) -> datetime | None:
    """Until when the campaign of a run was read before it that was read least; None when none was."""
    query = select(func.min(sync_mark.c.until)).where(
        sync_mark.c.tenant_id == session.tenant,
        tuple_(sync_mark.c.platform, sync_mark.c.campaign_id, sync_mark.c.namespace).in_(
            select(sync_chunk.c.platform, sync_chunk.c.campaign_id, sync_chunk.c.namespace).where(
                sync_chunk.c.tenant_id == session.tenant, sync_chunk.c.run_id == run_id
            )
        ),
    )
    found: datetime | None = (await session.execute(query)).scalar_one_or_none()
    return found


_ADVANCE_MARKS: Final = """
INSERT INTO outreach.sync_mark AS mark
    (tenant_id, platform, campaign_id, namespace, until, mails, counters, whole_at)
SELECT tenant_id, platform, campaign_id, namespace, max(until), sum(expected) FILTER (WHERE NOT is_unmoved),
       (array_agg(counters))[1], max(until) FILTER (WHERE NOT is_unmoved)
FROM outreach.sync_chunk
WHERE tenant_id = %(tenant)s AND run_id = %(run)s
GROUP BY tenant_id, platform, campaign_id, namespace HAVING bool_and(sentence IS NULL)
ON CONFLICT (tenant_id, platform, campaign_id, namespace) DO UPDATE SET
    until = greatest(mark.until, excluded.until),
    mails = coalesce(excluded.mails, mark.mails),
    counters = coalesce(excluded.counters, mark.counters),
    whole_at = coalesce(excluded.whole_at, mark.whole_at),
    is_settled = coalesce(excluded.counters = mark.counters, excluded.counters IS NULL AND mark.is_settled)
"""


async def advance_marks(session: WriteSession, run_id: UUID) -> None:
    """Every campaign of the run was read from where it stood to the end of its last stretch."""
    await (await session.driver()).execute(_ADVANCE_MARKS, {"tenant": session.tenant, "run": run_id})


async def forget_marks(session: WriteSession, platforms: Sequence[Platform], namespaces: Sequence[str]) -> None:
    """None of the namespaces meaning all: the next sync reads their campaigns from the beginning."""
    mine = (sync_mark.c.tenant_id == session.tenant) & sync_mark.c.platform.in_(platforms)
    query = delete(sync_mark).where(mine)
    await session.execute(query.where(sync_mark.c.namespace.in_(namespaces)) if namespaces else query)


async def drop_staged(session: WriteSession, run_id: UUID) -> None:
    mine = (staged_event.c.tenant_id == session.tenant) & (staged_event.c.run_id == run_id)
    await session.execute(delete(staged_event).where(mine))


def reads_everything(mode: SyncMode) -> bool:
    """Whether a run of this mode has, at its end, read its campaigns from the last mark to now."""
    return mode in {SyncMode.FULL, SyncMode.DELTA, SyncMode.RESET}


async def find_last_duration(session: Session, mode: SyncMode) -> timedelta | None:
    """How long the last run of this mode took that came to its end."""
    query = (
        select(sync_run.c.finished_at - sync_run.c.created_at)
        .where(
            sync_run.c.tenant_id == session.tenant, sync_run.c.mode == mode, sync_run.c.status == SyncStatus.COMPLETED
        )
        .order_by(sync_run.c.finished_at.desc())
        .limit(1)
    )
    found: timedelta | None = (await session.execute(query)).scalar_one_or_none()
    return found
