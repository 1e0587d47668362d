from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.commerce.contract import PullMode, RunStatus, StreamProgress
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.mirror.loading import Loaded
from syncline.apps.commerce.pull.models import pull_run, pull_seen, pull_stream, stream_state
from syncline.connectors.shopify.streams import STREAMS
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import Session, WriteSession

_ORDER = list(STREAMS)
_LINKING = [kind.stream for kind in KINDS.values() if kind.links]
LIVE = (RunStatus.QUEUED, RunStatus.RUNNING)


class LeaseLost(Exception):
    """Another worker has taken this stream up; what was in hand is rolled back and the other goes on."""


@dataclass(frozen=True, slots=True)
class RunRow:
    id: UUID
    store_id: UUID
    mode: PullMode
    status: RunStatus
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    reconciliation_id: UUID | None


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One stream of a run as a worker sees it."""

    run_id: UUID
    stream: str
    store_id: UUID
    status: str
    epoch: int
    path: str | None
    since: datetime | None
    operation_id: str | None
    read_from: datetime | None
    cursor: str | None
    restarts: int
    expected: int | None
    path_wanted: str | None
    slices: list[dict[str, Any]] | None
    total: int | None
    read: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int


def _run(row: RowMapping) -> RunRow:
    names = RunRow.__dataclass_fields__
    values = {name: row[name] for name in names}
    return RunRow(**{**values, "mode": PullMode(row["mode"]), "status": RunStatus(row["status"])})


def _stream(row: RowMapping) -> StreamRow:
    return StreamRow(**{name: row[name] for name in StreamRow.__dataclass_fields__})


async def find_live(session: Session, store_id: UUID) -> RunRow | None:
    query = select(pull_run).where(
        pull_run.c.tenant_id == session.tenant_id, pull_run.c.store_id == store_id, pull_run.c.status.in_(LIVE)
    )
    row = (await session.execute(query)).mappings().one_or_none()
    return _run(row) if row else None


async def find_run(session: Session, run_id: UUID) -> RunRow | None:
    query = select(pull_run).where(pull_run.c.tenant_id == session.tenant_id, pull_run.c.id == run_id)
    row = (await session.execute(query)).mappings().one_or_none()
    return _run(row) if row else None


async def find_last(session: Session, store_id: UUID) -> RunRow | None:
    query = (
        select(pull_run)
        .where(pull_run.c.tenant_id == session.tenant_id, pull_run.c.store_id == store_id)
        .order_by(pull_run.c.created_at.desc())
        .limit(1)
    )
    row = (await session.execute(query)).mappings().one_or_none()
    return _run(row) if row else None


async def add_run(
    session: WriteSession,
    *,
    store_id: UUID,
    mode: PullMode,
    streams: Mapping[str, datetime | None],
    requested_by: str,
    path: str | None,
) -> UUID:
    run_id = new_id()
    await session.execute(
        insert(pull_run).values(
            id=run_id,
            tenant_id=session.tenant_id,
            store_id=store_id,
            mode=mode,
            status=RunStatus.QUEUED,
            requested_by=requested_by,
            created_at=clock.now(),
        )
    )
    zeros = dict.fromkeys(("epoch", "restarts", "read", "inserted", "updated", "unchanged", "deleted", "duplicates"), 0)
    for stream, since in streams.items():
        await session.execute(
            insert(pull_stream).values(
                run_id=run_id,
                stream=stream,
                tenant_id=session.tenant_id,
                store_id=store_id,
                status=RunStatus.QUEUED,
                since=since,
                path_wanted=path,
                notes=[],
                is_incomplete=False,
                **zeros,
            )
        )
    return run_id


async def update_run(session: WriteSession, run_id: UUID, **values: Any) -> bool:
    """False when the run is already final: a late worker changes nothing."""
    query = (
        update(pull_run)
        .where(pull_run.c.tenant_id == session.tenant_id, pull_run.c.id == run_id, pull_run.c.status.in_(LIVE))
        .values(**values)
        .returning(pull_run.c.id)
    )
    return (await session.execute(query)).one_or_none() is not None


async def lock_run(session: WriteSession, run_id: UUID) -> RunRow:
    query = select(pull_run).where(pull_run.c.tenant_id == session.tenant_id, pull_run.c.id == run_id).with_for_update()
    return _run((await session.execute(query)).mappings().one())


async def list_streams(session: Session, run_id: UUID) -> Sequence[StreamProgress]:
    query = select(pull_stream).where(pull_stream.c.tenant_id == session.tenant_id, pull_stream.c.run_id == run_id)
    found = (await session.execute(query)).mappings().all()
    rows = sorted(found, key=lambda row: _ORDER.index(row["stream"]))
    return [StreamProgress(**{name: row[name] for name in StreamProgress.__dataclass_fields__}) for row in rows]


async def find_since(session: Session, run_id: UUID) -> datetime | None:
    """From which moment on the run reads changes of what names other records; None when it reads all of it."""
    query = select(pull_stream.c.since).where(
        pull_stream.c.tenant_id == session.tenant_id, pull_stream.c.run_id == run_id, pull_stream.c.stream.in_(_LINKING)
    )
    moments = (await session.execute(query)).scalars().all()
    return None if None in moments else min(moments, default=None)


async def take_stream(session: WriteSession, run_id: UUID, stream: str) -> StreamRow | None:
    """Take the stream up under a new epoch; None when it is already final."""
    query = (
        update(pull_stream)
        .where(
            pull_stream.c.tenant_id == session.tenant_id,
            pull_stream.c.run_id == run_id,
            pull_stream.c.stream == stream,
            pull_stream.c.status.in_(LIVE),
        )
        .values(
            epoch=pull_stream.c.epoch + 1,
            status=RunStatus.RUNNING,
            started_at=func.coalesce(pull_stream.c.started_at, clock.now()),
        )
        .returning(pull_stream)
    )
    row = (await session.execute(query)).mappings().one_or_none()
    return _stream(row) if row else None


async def update_stream(session: WriteSession, held: StreamRow, **values: Any) -> StreamRow:
    """Write what the holder knows. Raises `LeaseLost` when somebody else has taken the stream up."""
    query = (
        update(pull_stream)
        .where(
            pull_stream.c.tenant_id == session.tenant_id,
            pull_stream.c.run_id == held.run_id,
            pull_stream.c.stream == held.stream,
            pull_stream.c.epoch == held.epoch,
            pull_stream.c.status.in_(LIVE),
        )
        .values(**values)
        .returning(pull_stream)
    )
    row = (await session.execute(query)).mappings().one_or_none()
    if row is None:
        msg = f"{held.stream} of run {held.run_id} is no longer ours"
        raise LeaseLost(msg)
    return _stream(row)


async def record_chunk(session: WriteSession, held: StreamRow, *, cursor: str, loaded: Loaded) -> StreamRow:
    """The chunk's counts, keys and cursor, in the transaction that stored its rows."""
    table = pull_stream.c
    kept = await update_stream(
        session,
        held,
        cursor=cursor,
        read=table.read + loaded.read - loaded.markers,
        inserted=table.inserted + loaded.inserted,
        updated=table.updated + loaded.updated,
        unchanged=table.unchanged + loaded.unchanged,
        duplicates=table.duplicates + loaded.duplicates,
        notes=table.notes + loaded.unreadable if loaded.unreadable else table.notes,
        is_incomplete=table.is_incomplete | bool(loaded.unreadable),
    )
    driver = await session.driver()
    chunk = f"{held.restarts}:{cursor}"
    for name, (first, *second) in loaded.seen.items():
        row = [held.run_id, held.stream, chunk, name, session.tenant_id, first, second[0] if second else None]
        await driver.execute(_KEEP_SEEN, row)
    return kept


_KEEP_SEEN = (
    "insert into commerce.pull_seen (run_id, stream, chunk, kind, tenant_id, keys, second_keys)"
    " values (%s, %s, %s, %s, %s, %s::bigint[], %s::bigint[])"
    " on conflict (run_id, stream, chunk, kind)"
    " do update set keys = excluded.keys, second_keys = excluded.second_keys, ordinal = default"
)

# One kind after the other: what is sorted is then numbers alone, and mostly sorted already. Over all kinds at once it
# takes five times as long.
_COUNT_SEEN = text("""
    select seen.kind, case when seen.is_pair then
        (select count(*) from (
            select distinct u.a, u.b from commerce.pull_seen s, unnest(s.keys, s.second_keys) as u(a, b)
            where s.tenant_id = :tenant and s.run_id = :run and s.stream = :stream and s.kind = seen.kind) as pairs)
    else
        (select count(distinct u.a) from commerce.pull_seen s, unnest(s.keys) as u(a)
         where s.tenant_id = :tenant and s.run_id = :run and s.stream = :stream and s.kind = seen.kind)
    end
    from (
        select s.kind, bool_or(s.second_keys is not null) as is_pair from commerce.pull_seen s
        where s.tenant_id = :tenant and s.run_id = :run and s.stream = :stream group by s.kind
    ) as seen
""")


async def count_seen(session: Session, run_id: UUID, stream: str) -> dict[str, int]:
    """Distinct keys of the run, by kind."""
    values = {"tenant": session.tenant_id, "run": run_id, "stream": stream}
    return dict((await session.execute(_COUNT_SEEN, values)).all())


async def forget_seen(
    session: WriteSession, run_id: UUID, stream: str | None = None, *, part: str | None = None
) -> None:
    """All of a run, of one of its streams, or of those chunks of a stream whose cursor begins with `part`."""
    query = delete(pull_seen).where(pull_seen.c.tenant_id == session.tenant_id, pull_seen.c.run_id == run_id)
    if stream is not None:
        query = query.where(pull_seen.c.stream == stream)
    if part is not None:
        query = query.where(pull_seen.c.chunk.like(f"%:{part}%"))
    await session.execute(query)


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where the next incremental pull of a stream begins, and what the last ones measured."""

    high_water: datetime | None = None
    last_full_at: datetime | None = None
    rates: Mapping[str, float] | None = None


async def find_state(session: Session, store_id: UUID, stream: str) -> StreamState:
    query = select(stream_state).where(
        stream_state.c.tenant_id == session.tenant_id,
        stream_state.c.store_id == store_id,
        stream_state.c.stream == stream,
    )
    row = (await session.execute(query)).mappings().one_or_none()
    return StreamState(**{name: row[name] for name in StreamState.__dataclass_fields__}) if row else StreamState()


async def keep_state(session: WriteSession, store_id: UUID, stream: str, **values: Any) -> None:
    query = upsert(stream_state).values(store_id=store_id, stream=stream, tenant_id=session.tenant_id, **values)
    await session.execute(query.on_conflict_do_update(index_elements=["store_id", "stream"], set_=values))


async def end_streams(session: WriteSession, run_id: UUID, *, status: RunStatus) -> None:
    query = (
        update(pull_stream)
        .where(
            pull_stream.c.tenant_id == session.tenant_id,
            pull_stream.c.run_id == run_id,
            pull_stream.c.status.in_(LIVE),
        )
        .values(status=status, finished_at=clock.now())
    )
    await session.execute(query)


async def add_deleted(session: WriteSession, run_id: UUID, buried: Mapping[str, int]) -> None:
    """Count what was found to be gone after the streams had ended."""
    for stream, count in buried.items():
        query = (
            update(pull_stream)
            .where(
                pull_stream.c.tenant_id == session.tenant_id,
                pull_stream.c.run_id == run_id,
                pull_stream.c.stream == stream,
            )
            .values(deleted=pull_stream.c.deleted + count)
        )
        await session.execute(query)


async def skip_stream(session: WriteSession, run_id: UUID, stream: str, sentence: str) -> None:
    """The store's token may not read it; the run goes on without it."""
    await _end_stream(session, run_id, stream, RunStatus.SKIPPED, sentence)


async def fail_stream(session: WriteSession, run_id: UUID, stream: str, sentence: str) -> None:
    await _end_stream(session, run_id, stream, RunStatus.FAILED, sentence)


async def _end_stream(session: WriteSession, run_id: UUID, stream: str, status: RunStatus, sentence: str) -> None:
    query = (
        update(pull_stream)
        .where(
            pull_stream.c.tenant_id == session.tenant_id,
            pull_stream.c.run_id == run_id,
            pull_stream.c.stream == stream,
            pull_stream.c.status.in_(LIVE),
        )
        .values(status=status, error=sentence, finished_at=clock.now())
    )
    await session.execute(query)


async def advance_states(session: WriteSession, run_id: UUID) -> None:
    """After a run that agreed: the next incremental pull begins at the moment, by the store's clock, this one began to
    read."""
    query = select(pull_stream).where(
        pull_stream.c.tenant_id == session.tenant_id,
        pull_stream.c.run_id == run_id,
        pull_stream.c.status == RunStatus.COMPLETED,
    )
    for row in (await session.execute(query)).mappings().all():
        values: dict[str, Any] = {"high_water": row["read_from"]}
        if row["since"] is None:
            values["last_full_at"] = clock.now()
        await keep_state(session, row["store_id"], row["stream"], **values)
