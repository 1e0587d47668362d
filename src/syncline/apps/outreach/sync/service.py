"""Runs: begun, looked at, cancelled, ended. What a run does is in `jobs.py` and `work.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.outreach.completion import service as completions
from syncline.apps.outreach.connections import repository as connections
from syncline.apps.outreach.connections.service import missing
from syncline.apps.outreach.delivery import repository as deliveries
from syncline.apps.outreach.namespaces import service as namespaces
from syncline.apps.outreach.sync import repository, telling
from syncline.apps.outreach.sync.asking import parse
from syncline.apps.outreach.sync.progress import Progress, duration_sentence, progress_of, running_since
from syncline.apps.outreach.sync.repository import Counts
from syncline.apps.outreach.sync_contract import (
    Platform,
    SyncAlreadyRunning,
    SyncMode,
    SyncNotFound,
    SyncRefused,
    SyncRequest,
    SyncStatus,
)
from syncline.apps.outreach.watching import service as watching
from syncline.kernel import clock
from syncline.kernel.errors import FieldError
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import JobQueue

PLAN_JOB = "outreach.plan_sync"
PLANNING, READING, ENDING = "planning", "reading", "ending"


@dataclass(frozen=True, slots=True)
class Run:
    id: UUID
    status: SyncStatus
    mode: SyncMode
    namespaces: Sequence[str]
    config: Mapping[str, Any]
    requested_by: str
    progress: Progress
    by_platform: Mapping[Platform, Counts]
    people: int
    removed: int
    report: Mapping[str, Any] | None
    sentence: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def counts(self) -> Counts:
        return repository.total(self.by_platform.values())

    @property
    def known_before(self) -> int | None:
        """Of what was read, what was there already; None where that is not known."""
        return self.counts.read - self.counts.created if self.tells_new else None

    @property
    def tells_new(self) -> bool:
        """Whether it is known what was new: a comparison stores nothing, a rebuild nothing before its end."""
        return not self.mode.is_staged or (self.mode is SyncMode.RESET and self.status is SyncStatus.COMPLETED)

    @property
    def duration_ms(self) -> int:
        begun = self.started_at or self.created_at
        return max(0, round(((self.finished_at or clock.now()) - begun).total_seconds() * 1000))


async def start(
    session: WriteSession, runtime: Runtime, request: SyncRequest, *, actor: Actor, config: Mapping[str, Any]
) -> Run:
    """Claims the namespaces, makes those that are not there, and puts the run into the queue, all or nothing. Raises
    `SyncRefused` for a tool that is not connected, `SyncAlreadyRunning`."""
    await _require_connections(session, request.platforms)
    for name in request.namespaces:
        await namespaces.ensure(session, name, made_by=actor.name)
    now, took = clock.now(), await repository.find_last_duration(session, request.mode)
    values = {
        # 128 random bits: whoever knows a run's id may ask how it is, without a key.
        "id": UUID(bytes=token_bytes(16)),
        "status": SyncStatus.QUEUED,
        "mode": request.mode,
        "namespaces": list(request.namespaces),
        "config": {"asked": dict(config), "request": packed(request), **_told_before(took)},
        "read_until": now,
        "stage": PLANNING,
        "requested_by": actor.name,
        "people": 0,
        "removed": 0,
        "created_at": now,
    }
    row = await repository.add_run(session, values)
    await _claim(session, row.id, request)
    if request.webhook_url is not None:
        await completions.promise(session, runtime.secrets, run_id=row.id, url=request.webhook_url)
    await runtime.queue.enqueue(session, PLAN_JOB, {"run_id": str(row.id)})
    note_change(f"full sync {row.id}", after={"mode": request.mode, "namespaces": list(request.namespaces)})
    run = _view(row, {})
    await telling.began(session, run.id, request, requested_by=run.requested_by)
    return run


async def start_comparison(
    session: WriteSession,
    runtime: Runtime,
    told: Mapping[str, Any],
    *,
    actor: Actor,
    repair: bool,
    read_back: bool,
) -> Run:
    """A run that reads without storing, and ends with a report. Raises as `start`."""
    for name in ("syncMode", "webhookUrl"):
        if told.get(name) is not None:
            raise SyncRefused(
                f"{name}: a comparison takes none; leave it out.", fields=[FieldError(name, "Leave it out.")]
            )
    has_range = "startDate" in told or "endDate" in told
    mode = SyncMode.RANGE if has_range else SyncMode.FULL
    request = replace(parse({**told, "syncMode": mode.value}, now=clock.now()), mode=SyncMode.COMPARE, webhook_url=None)
    if read_back and await connections.find(session, "mixpanel") is None:
        sentence = missing("mixpanel").sentence
        raise SyncRefused(sentence, fields=[FieldError("readBack", sentence)])
    config = {**told, "syncMode": SyncMode.COMPARE.value, "repair": repair, "readBack": read_back}
    return await start(session, runtime, request, actor=actor, config=config)


async def deliveries_of(session: Session) -> dict[str, Any]:
    """How many events Mixpanel was told, how many it is still to be told (`open`), and what stands in the way
    (`sentence`, as of `tried_at`)."""
    found = await deliveries.standing(session)
    state = await watching.find_row(session, watching.MIXPANEL)
    is_connected = await connections.find(session, "mixpanel") is not None
    sentence = None if state is None else state.sentence
    return {
        **asdict(found),
        "open": found.waiting + found.sending if is_connected else 0,
        "sentence": sentence if is_connected else missing("mixpanel").sentence,
        "tried_at": None if state is None else state.last_run_at,
    }


async def _require_connections(session: Session, platforms: Sequence[Platform]) -> None:
    for platform in platforms:
        if await connections.find(session, platform) is None:
            sentence = missing(platform).sentence
            raise SyncRefused(sentence, fields=[FieldError("platforms", sentence)])


async def _claim(session: WriteSession, run_id: UUID, request: SyncRequest) -> None:
    """A comparison stores nothing, but reads as much: it counts as a run too."""
    holder = await repository.claim(session, run_id, request.namespaces)
    if holder is not None:
        which = ", ".join(request.namespaces) or "all namespaces"
        raise SyncAlreadyRunning(
            f"{which}: sync job {holder} is running. Wait for it (`syncline outreach follow {holder}`), or cancel it"
            f" (`syncline outreach cancel {holder}`, DELETE /api/full-sync/cancel/{holder}).",
            extra={"jobId": str(holder)},
        )


async def get(session: Session, run_id: UUID) -> Run:
    """Raises `SyncNotFound`."""
    row = await repository.find_run(session, run_id)
    if row is None:
        raise not_found(run_id)
    return (await _views(session, [row]))[0]


async def get_by_id(runtime: Runtime, run_id: UUID) -> Run:
    """For whoever knows the id, whosever it is. Raises `SyncNotFound`."""
    async with runtime.database.system() as system:
        tenant = await repository.find_tenant(system, run_id)
    if tenant is None:
        raise not_found(run_id)
    async with runtime.database.reading(tenant) as session:
        return await get(session, run_id)


def _told_before(took: timedelta | None) -> dict[str, float]:
    return {} if took is None else {"last_took_seconds": took.total_seconds()}


async def estimate(session: Session, mode: SyncMode) -> str:
    """By how long the last run of the same mode took."""
    past = await repository.find_last_duration(session, mode)
    if past is None:
        return "not known before the first run of this kind; its status says so once the first records are read"
    return f"{duration_sentence(past)}, as the last time"


async def list_runs(
    session: Session, *, limit: int, status: SyncStatus | None = None, mode: SyncMode | None = None
) -> Sequence[Run]:
    """The latest first."""
    return await _views(session, await repository.list_runs(session, limit=limit, status=status, mode=mode))


async def cancel(session: WriteSession, queue: JobQueue, run_id: UUID) -> Run:
    """What was stored stays. One that has ended is left as it is. Raises `SyncNotFound`."""
    if await repository.find_run(session, run_id) is None:
        raise not_found(run_id)
    await finish(session, queue, run_id, status=SyncStatus.CANCELLED, sentence="It was cancelled.")
    note_change(f"full sync {run_id}", after={"status": SyncStatus.CANCELLED})
    return await get(session, run_id)


async def finish(
    session: WriteSession,
    queue: JobQueue,
    run_id: UUID,
    *,
    status: SyncStatus,
    sentence: str | None = None,
    **more: Any,
) -> bool:
    """Makes the run final, lets its namespaces go, and tells whoever asked. Once: False when it was final."""
    row = await repository.find_run(session, run_id, lock=True)
    if row is None or row.status not in repository.LIVE:
        return False
    await repository.change_run(
        session, run_id, status=status, sentence=sentence, finished_at=clock.now(), stage=status, **more
    )
    await repository.release(session, run_id)
    await repository.drop_staged(session, run_id)
    run = await get(session, run_id)
    await completions.keep(session, queue, run_id, told_of(run))
    request = unpacked(row.config["request"])
    await telling.ended(session, run_id, request, status=status, sentence=sentence, counts=counts_of(run))
    return True


def told_of(run: Run) -> dict[str, Any]:
    """What `status` answers, and a completion webhook carries."""
    shown = asdict(run.progress)
    return {
        "jobId": str(run.id),
        "status": run.status.value,
        "progress": shown,
        "summary": {
            "total_processed": run.counts.read,
            "events_created": run.counts.created,
            "users_processed": run.people,
            "errors": run.counts.unusable,
            "duration_ms": run.duration_ms,
        },
        "error": run.sentence if run.status is SyncStatus.FAILED else None,
    }


def counts_of(run: Run) -> dict[str, int]:
    """What became of the records, without what does not apply."""
    told = {
        "read": run.counts.read,
        "created": run.counts.created,
        "known_before": run.known_before,
        "unusable": run.counts.unusable,
        "removed": run.removed if run.mode is SyncMode.RESET else None,
        "people": run.people,
    }
    return {name: value for name, value in told.items() if value is not None}


def not_found(run_id: object) -> SyncNotFound:
    listed = "`syncline outreach history` and GET /api/full-sync/history list them"
    return SyncNotFound(f"There is no sync job {str(run_id)[:60]}; {listed}.")


def packed(request: SyncRequest) -> dict[str, Any]:
    """Without the webhook's address, which is a secret and lies elsewhere."""
    told = asdict(request)
    for name in ("since", "until"):
        told[name] = None if told[name] is None else clock.iso(told[name])
    return {**told, "webhook_url": None}


def unpacked(told: Mapping[str, Any]) -> SyncRequest:
    moments = {name: None if told[name] is None else datetime.fromisoformat(told[name]) for name in ("since", "until")}
    return SyncRequest(
        **{
            **told,
            **moments,
            "platforms": tuple(Platform(one) for one in told["platforms"]),
            "mode": SyncMode(told["mode"]),
            "namespaces": tuple(told["namespaces"]),
        }
    )


async def _views(session: Session, rows: Sequence[Row[Any]]) -> list[Run]:
    counts = await repository.count(session, [row.id for row in rows]) if rows else {}
    return [_view(row, counts[row.id]) for row in rows]


def _view(row: Row[Any], by_platform: Mapping[Platform, Counts]) -> Run:
    status, before = SyncStatus(row.status), row.config.get("last_took_seconds")
    return Run(
        id=row.id,
        status=status,
        mode=SyncMode(row.mode),
        namespaces=tuple(row.namespaces),
        config=row.config["asked"],
        requested_by=row.requested_by,
        progress=progress_of(
            status,
            row.stage,
            by_platform,
            running=running_since(row.started_at, clock.now()),
            before=None if before is None else timedelta(seconds=before),
        ),
        by_platform=by_platform,
        people=row.people,
        removed=row.removed,
        report=row.report,
        sentence=row.sentence,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
