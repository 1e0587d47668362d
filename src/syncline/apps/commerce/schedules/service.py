from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError

from syncline.apps.commerce.contract import PullMode, RunStatus, Store
from syncline.apps.commerce.metrics import SCHEDULED
from syncline.apps.commerce.pull import repository as pull_repository
from syncline.apps.commerce.pull import service as pulls
from syncline.apps.commerce.schedule_contract import (
    BadTiming,
    Schedule,
    ScheduledAction,
    ScheduledRun,
    ScheduleExists,
    ScheduleNotFound,
)
from syncline.apps.commerce.schedules import repository
from syncline.apps.commerce.schedules.aligning import ALIGN_JOB, repeat, shown
from syncline.apps.commerce.schedules.repository import ScheduleRow
from syncline.apps.commerce.schedules.telling import run_ended, schedule_failed
from syncline.apps.commerce.schedules.timing import late_sentence, parse_timing
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.repository import find_by_id
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.controls.stops import Paused, UnderMaintenance, WritesStopped, require_open
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs.queue import JobQueue

log = structlog.get_logger(__name__)

RECONCILE_JOB = "commerce.reconcile_on_schedule"
PULLS = {ScheduledAction.PULL: PullMode.INCREMENTAL, ScheduledAction.PULL_FULL: PullMode.FULL}
RUNNING, FAILED, COMPLETED, SKIPPED = "running", "failed", "completed", "skipped"
_OF_RUN = {RunStatus.QUEUED.value: RUNNING}


class Start(StrEnum):
    """What came of a time that came round."""

    STARTED = "started"
    SKIPPED = "skipped"
    WAITS = "waits"
    PAUSED = "paused"


def depth_of(action: ScheduledAction) -> str:
    """`ids` of `reconcile_ids`."""
    return action.removeprefix("reconcile_")


def view(row: ScheduleRow) -> Schedule:
    status, sentence = _last(row)
    last = None
    if row.last_at is not None and status is not None:
        last = ScheduledRun(row.last_at, status, row.last_run_id, sentence)
    return Schedule(
        id=row.id,
        store=row.store,
        action=row.action,
        timing=row.timing,
        zone=row.zone,
        is_enabled=row.due_at is not None,
        next_run_at=row.due_at,
        last_run=last,
        failures=_failures(row),
        created_by=row.created_by,
        created_at=row.created_at,
        alignment=shown(row),
    )


def _last(row: ScheduleRow) -> tuple[str | None, str | None]:
    """A pull ends in its own row, and this one is not told."""
    if row.last_status != RUNNING or row.run_status is None:
        return row.last_status, row.last_sentence
    return _OF_RUN.get(row.run_status, row.run_status), row.run_error or row.last_sentence


def _failures(row: ScheduleRow) -> int:
    """In a row, with the last run."""
    status, _ = _last(row)
    if status == COMPLETED:
        return 0
    return row.failures + (status == FAILED)


async def add(
    session: WriteSession,
    *,
    store: Store,
    action: ScheduledAction,
    timing: str,
    zone: str,
    actor: Actor,
    alignment: Mapping[str, Any] | None = None,
) -> Schedule:
    """`alignment` are the columns of `aligning.kept`."""
    if action is ScheduledAction.ALIGN and alignment is None:
        raise InvalidInput(f"Say which store {store.name} is to be aligned with, and which fields are copied.")
    when = parse_timing(timing, zone)
    values = {"action": action, "timing": when.text, "zone": when.zone.key, "created_by": actor.name}
    values.update(alignment or {})
    try:
        async with session.begin_nested():
            made = await repository.add(session, store_id=store.id, values=values, due_at=when.next_after(clock.now()))
    except IntegrityError as error:
        raise _exists(store.name) from error
    return await get(session, made)


def _exists(store: str) -> ScheduleExists:
    return ScheduleExists(f"{store} has a schedule that does the same at the same times; see `syncline schedule list`.")


async def get(session: Session, schedule_id: UUID) -> Schedule:
    return view(await _get_row(session, schedule_id))


async def _get_row(session: Session, schedule_id: UUID) -> ScheduleRow:
    row = await repository.find(session, schedule_id)
    if row is None:
        raise ScheduleNotFound(f"There is no schedule {schedule_id}; `syncline schedule list` shows them.")
    return row


async def list_all(session: Session, store_id: UUID | None) -> Sequence[Schedule]:
    return [view(row) for row in await repository.list_all(session, store_id)]


async def change(
    session: WriteSession,
    schedule_id: UUID,
    *,
    action: ScheduledAction | None,
    timing: str | None,
    zone: str | None,
    is_enabled: bool | None,
) -> Schedule:
    await repository.lock(session, schedule_id)
    row = await _get_row(session, schedule_id)
    if is_enabled is False and action is timing is zone is None:
        # Its time is not looked at: what is no longer valid can be paused all the same.
        await repository.set_due(session, schedule_id, None)
        return await get(session, schedule_id)
    if action is not None and action is not row.action and ScheduledAction.ALIGN in {action, row.action}:
        raise InvalidInput("What copies from another store is a schedule of its own; add one, and remove this one.")
    when = parse_timing(timing or row.timing, row.zone if zone is None else zone)
    try:
        async with session.begin_nested():
            values = {"action": action or row.action, "timing": when.text, "zone": when.zone.key}
            await repository.change(session, schedule_id, **values)
    except IntegrityError as error:
        raise _exists(row.store) from error
    enabled = row.due_at is not None if is_enabled is None else is_enabled
    keeps_time = row.due_at is not None and (when.text, when.zone.key) == (row.timing, row.zone)
    if not enabled:
        await repository.set_due(session, schedule_id, None)
    elif not keeps_time:
        await repository.set_due(session, schedule_id, when.next_after(clock.now()))
    return await get(session, schedule_id)


async def remove(session: WriteSession, schedule_id: UUID) -> None:
    if not await repository.remove(session, schedule_id):
        raise ScheduleNotFound(f"There is no schedule {schedule_id}; `syncline schedule list` shows them.")


async def run_now(
    session: WriteSession, queue: JobQueue, schedule_id: UUID, *, actor: Actor, settings: CommerceSettings
) -> Schedule:
    """Its next time stays. Raises `PullAlreadyRunning`."""
    await repository.lock(session, schedule_id)
    row = await _get_row(session, schedule_id)
    await _begin(session, queue, row, actor=actor, settings=settings, sentence=f"Started by {actor.name}.")
    return await get(session, schedule_id)


async def run_due(
    session: WriteSession, queue: JobQueue, schedule_id: UUID, *, settings: CommerceSettings
) -> Start | None:
    """Start what a schedule says if it is due, and move it on, in the caller's transaction. None when somebody else
    has, or it is gone.

    While another pull of the store runs, an incremental one is left out, for the running one brings the same; a full
    one and a comparison wait for it and stay due, or a weekly time that meets an hourly one would never come. A time
    that cannot be read, such as one in a zone that the system no longer knows, pauses the schedule and says so. Raises
    `PullAlreadyRunning` when one began in the same moment: then nothing is to be kept, and it is still due."""
    now = clock.now()
    if not await repository.lock_due(session, schedule_id, now):
        return None
    row = await _get_row(session, schedule_id)
    if row.due_at is None:
        return None
    try:
        when = parse_timing(row.timing, row.zone)
    except BadTiming as error:
        return await _pause_itself(session, row, error.sentence)
    in_the_way, run_id = await _in_the_way(session, row, now)
    if in_the_way is Start.WAITS:
        return Start.WAITS
    await repository.set_due(session, schedule_id, when.next_after(now, anchor=row.due_at))
    if in_the_way is Start.SKIPPED:
        sentence = "Left out: another pull of the store, running or due at the same time, brings the same."
        await _note(session, row, status=SKIPPED, run_id=run_id, sentence=sentence)
    else:
        assert session.tenant_id is not None
        actor = Actor(session.tenant_id, f"schedule {row.timing}", "service")
        late = late_sentence(when, row.due_at, now)
        await _begin_or_note(session, queue, row, actor=actor, settings=settings, sentence=late)
    SCHEDULED.labels(action=row.action.value, outcome=in_the_way.value).inc()
    return in_the_way


async def _pause_itself(session: WriteSession, row: ScheduleRow, reason: str) -> Start:
    """Once, where trying again each minute would fail each minute."""
    await repository.set_due(session, row.id, None)
    sentence = (
        f"Paused itself, because its time cannot be read any more. {reason} "
        "Remove this schedule and add one with a time that is valid, or change its time over HTTP."
    )
    await _note(session, row, status=FAILED, run_id=None, sentence=sentence)
    log.error("schedule.paused_itself", schedule_id=str(row.id), timing=row.timing, zone=row.zone)
    SCHEDULED.labels(action=row.action.value, outcome=Start.PAUSED.value).inc()
    return Start.PAUSED


async def _begin_or_note(
    session: WriteSession,
    queue: JobQueue,
    row: ScheduleRow,
    *,
    actor: Actor,
    settings: CommerceSettings,
    sentence: str | None,
) -> None:
    """What is refused now, such as a token without any scope, is a failed run with its sentence, not one that is tried
    again each minute."""
    try:
        async with session.begin_nested():
            await _begin(session, queue, row, actor=actor, settings=settings, sentence=sentence)
    except (InvalidInput, Paused, UnderMaintenance, WritesStopped) as error:
        await _note(session, row, status=FAILED, run_id=None, sentence=error.sentence)
        await schedule_failed(session, row, error.sentence)


async def _in_the_way(session: Session, row: ScheduleRow, now: datetime) -> tuple[Start, UUID | None]:
    if row.action is ScheduledAction.ALIGN:
        pulled = [await _is_pulled(session, each, now) for each in (row.store_id, row.source_id) if each is not None]
        return (Start.WAITS if any(pulled) else Start.STARTED), None
    live = await pull_repository.find_live(session, row.store_id)
    if row.action is ScheduledAction.PULL:
        if live is not None:
            return Start.SKIPPED, live.id
        others = await repository.list_all(session, row.store_id)
        fuller = any(
            one.action is ScheduledAction.PULL_FULL and one.due_at is not None and one.due_at <= now for one in others
        )
        return (Start.SKIPPED if fuller else Start.STARTED), None
    if live is None:
        return Start.STARTED, None
    covered = row.action is ScheduledAction.PULL_FULL and live.mode is PullMode.FULL
    return (Start.SKIPPED if covered else Start.WAITS), live.id


async def _is_pulled(session: Session, store_id: UUID, now: datetime) -> bool:
    """Or is about to be: what is compared after it is the newest."""
    if await pull_repository.find_live(session, store_id) is not None:
        return True
    others = await repository.list_all(session, store_id)
    return any(one.action in PULLS and one.due_at is not None and one.due_at <= now for one in others)


async def _begin(
    session: WriteSession,
    queue: JobQueue,
    row: ScheduleRow,
    *,
    actor: Actor,
    settings: CommerceSettings,
    sentence: str | None,
) -> None:
    await require_open(session, store_id=row.store_id)
    mode = PULLS.get(row.action)
    if row.action is ScheduledAction.ALIGN:
        await _note(session, row, status=RUNNING, run_id=None, sentence=sentence)
        who = {"author": actor.name, "author_id": str(actor.user_id) if actor.user_id is not None else None}
        await queue.enqueue(session, ALIGN_JOB, {"schedule_id": str(row.id), **who}, key=f"align:{row.id}")
        return
    if mode is None:
        await _note(session, row, status=RUNNING, run_id=None, sentence=sentence)
        payload = {"schedule_id": str(row.id), "depth": depth_of(row.action)}
        await queue.enqueue(session, RECONCILE_JOB, payload, key=f"reconcile:{row.id}")
        return
    found = await find_by_id(session, row.store_id)
    assert found is not None, "a schedule goes with its store"
    run_id = await pulls.start(session, queue, store=found.store, mode=mode, streams=(), actor=actor, settings=settings)
    await _note(session, row, status=RUNNING, run_id=run_id, sentence=sentence)


async def _note(
    session: WriteSession, row: ScheduleRow, *, status: str, run_id: UUID | None, sentence: str | None
) -> None:
    await repository.change(
        session,
        row.id,
        last_at=clock.now(),
        last_status=status,
        last_run_id=run_id,
        last_sentence=sentence,
        failures=_failures(row),
    )


async def note_outcome(
    session: WriteSession, schedule_id: UUID, *, status: str, run_id: UUID | None, sentence: str | None
) -> None:
    """How the comparison or alignment that it started ended. A schedule that was removed meanwhile is told nothing."""
    row = await repository.find(session, schedule_id)
    if row is not None and row.last_status == RUNNING:
        await run_ended(session, row, status=RunStatus(status), run_id=run_id, sentence=sentence)
    await repository.change(session, schedule_id, last_status=status, last_run_id=run_id, last_sentence=sentence)


async def align(session: WriteSession, schedule_id: UUID, actor: Actor) -> None:
    """What was begun, and its end, in the caller's transaction: whoever comes second finds it done. Raises
    `InvalidInput` for what can no longer be copied."""
    if not await repository.lock(session, schedule_id):
        return
    row = await _get_row(session, schedule_id)
    if row.last_status == RUNNING:
        batch_id, sentence = await repeat(session, row, actor)
        await note_outcome(session, schedule_id, status=COMPLETED, run_id=batch_id, sentence=sentence)
