"""What a full sync is asked for, and how it is refused. Pure types: kernel only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncline.kernel.errors import Conflict, InvalidInput, NotFound


class Platform(StrEnum):
    LEMLIST = "lemlist"
    SMARTLEAD = "smartlead"


class SyncMode(StrEnum):
    FULL = "full_historical"
    DELTA = "delta_since_last"
    RANGE = "date_range"
    RESET = "namespace_reset"
    COMPARE = "reconcile"
    """Reads what the tools have without storing it, to compare. Not for `execute`: the reconciliation asks for it."""

    @property
    def is_staged(self) -> bool:
        """Nothing is stored while it reads: only its end knows what is new."""
        return self in {SyncMode.RESET, SyncMode.COMPARE}


ASKABLE = (SyncMode.FULL, SyncMode.DELTA, SyncMode.RANGE, SyncMode.RESET)


class SyncStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in {SyncStatus.COMPLETED, SyncStatus.FAILED, SyncStatus.CANCELLED}


class SyncRefused(InvalidInput):
    code = "SYNC_001"
    title = "The sync cannot be done as asked"


class SyncNotFound(NotFound):
    code = "SYNC_002"
    title = "There is no such sync job"


class SyncAlreadyRunning(Conflict):
    code = "SYNC_003"
    title = "This namespace is already syncing"


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """A request that was looked at and is fine. `since` and `until` are both inclusive, to the microsecond."""

    platforms: tuple[Platform, ...]
    mode: SyncMode
    namespaces: tuple[str, ...] = ()
    """Empty: all there are."""
    since: datetime | None = None
    until: datetime | None = None
    batch_size: int = 50
    tracks_progress: bool = True
    to_mixpanel: bool = True
    to_attio: bool = False
    webhook_url: str | None = None
    workers: int = 4
    chunk_days: int | None = None
    delay_ms: int = 0
    requests_per_second: float | None = None
    burst: int = 1
