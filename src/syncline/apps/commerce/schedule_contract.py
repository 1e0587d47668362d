"""The part of the contract that is about schedules. `Commerce` has these methods too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from syncline.apps.commerce.alignment_contract import AlignedBy
from syncline.kernel.errors import Conflict, InvalidInput, NotFound
from syncline.kernel.tenant import Actor


class ScheduledAction(StrEnum):
    """What a schedule starts."""

    PULL = "pull"
    PULL_FULL = "pull_full"
    RECONCILE_COUNTS = "reconcile_counts"
    RECONCILE_IDS = "reconcile_ids"
    RECONCILE_CONTENT = "reconcile_content"
    ALIGN = "align"


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """The last time a schedule came round. `status` is running, completed, failed, cancelled or skipped; `run_id` is
    the pull's or the reconciliation's, or the batch that an alignment staged; `sentence` says why it failed or was
    skipped, how many times were missed, or what was staged."""

    at: datetime
    status: str
    run_id: UUID | None
    sentence: str | None


@dataclass(frozen=True, slots=True)
class ScheduledAlignment:
    """What an alignment copies each time: these fields of the records of `source` that `where` finds."""

    source: str
    fields: Sequence[str]
    by: AlignedBy
    where: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """A standing order for one store. `timing` is `every 15m` (h, d) or five fields of cron, read in the time zone
    `zone`; `next_run_at` is None while it is paused, by somebody or, when its time cannot be read any more, by itself:
    then `last_run` has failed with a sentence about it. `failures` are those in a row, up to the last run."""

    id: UUID
    store: str
    action: ScheduledAction
    timing: str
    zone: str
    is_enabled: bool
    next_run_at: datetime | None
    last_run: ScheduledRun | None
    failures: int
    created_by: str
    created_at: datetime
    alignment: ScheduledAlignment | None = None


class ScheduleNotFound(NotFound):
    code = "SCHEDULE_001"
    title = "No such schedule"


class BadTiming(InvalidInput):
    """Neither an interval nor five fields of cron, a time that never comes, or a time zone nobody knows."""

    code = "SCHEDULE_002"
    title = "The schedule's time is not valid"


class ScheduleExists(Conflict):
    code = "SCHEDULE_003"
    title = "The store has this schedule already"


class Schedules(Protocol):
    """Standing orders for stores. Nothing is scheduled before somebody asks for it."""

    async def add_schedule(
        self, *, actor: Actor, store: str, action: ScheduledAction, timing: str, zone: str = "UTC"
    ) -> Schedule:
        """Raises `BadTiming`, `ScheduleExists` and `StoreNotFound`."""
        ...

    async def schedule_alignment(
        self,
        *,
        actor: Actor,
        source: str,
        target: str,
        fields: Sequence[str],
        timing: str,
        by: AlignedBy = AlignedBy.SKU,
        where: str = "",
        zone: str = "UTC",
    ) -> Schedule:
        """A standing order of `target`: each time what differs by then is staged on it for review. What waits already,
        or was rejected as it is, is not staged again, and what waits with a value that the source no longer has is
        replaced. Raises like `add_schedule`, and `InvalidInput` for a field that cannot be copied."""
        ...

    async def list_schedules(self, *, actor: Actor, store: str | None = None) -> Sequence[Schedule]:
        """By store and by next time."""
        ...

    async def change_schedule(
        self,
        *,
        actor: Actor,
        schedule_id: UUID,
        action: ScheduledAction | None = None,
        timing: str | None = None,
        zone: str | None = None,
        is_enabled: bool | None = None,
    ) -> Schedule:
        """What is None stays. A new time, and going on after a pause, count from now: nothing is made up."""
        ...

    async def remove_schedule(self, *, actor: Actor, schedule_id: UUID) -> None: ...

    async def run_schedule(self, *, actor: Actor, schedule_id: UUID) -> Schedule:
        """Start it now; its next time stays. Raises `PullAlreadyRunning`."""
        ...

    async def schedule_lag(self) -> timedelta:
        """How long the schedule that waits longest, of all tenants, has been due. Zero when none is."""
        ...
