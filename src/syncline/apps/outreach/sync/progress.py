"""How far a run is, and how long it will still take. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncline.apps.outreach.sync.repository import Counts
from syncline.apps.outreach.sync_contract import Platform, SyncStatus

_ALMOST = 0.99
"""More is not said of a run that still goes on: its end has work of its own."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`total_items` is an estimate until all is read. `eta_minutes` is rounded up; None where it cannot be known."""

    percentage: float
    processed_items: int
    total_items: int
    current_stage: str
    eta_minutes: int | None


def estimated(counts: Counts) -> int:
    """Records of one tool in all: what it said or was found, and for its other chunks as many as those had each in
    which anything happened. Tools are estimated apart, for their chunks are not of one size."""
    moved = counts.known - counts.unmoved
    each = counts.expected / moved if moved else 0.0
    return max(counts.read, round(counts.expected + each * (counts.chunks - counts.known)))


def share_of(by_platform: Mapping[Platform, Counts]) -> float:
    """From 0 to 0.99. A tool of which nothing is known yet is taken to be as far as its chunks are."""
    chunks = sum(one.chunks for one in by_platform.values())
    done = sum(one.chunks * _share(one) for one in by_platform.values())
    return min(done / chunks, _ALMOST) if chunks else 0.0


def _share(counts: Counts) -> float:
    whole = estimated(counts)
    if counts.known and whole:
        return counts.read / whole
    return counts.done / counts.chunks if counts.chunks else 0.0


def progress_of(
    status: SyncStatus,
    stage: str,
    by_platform: Mapping[Platform, Counts],
    *,
    running: timedelta | None,
    before: timedelta | None = None,
) -> Progress:
    """`running` since when it has been read; `before` is how long the last run of this kind took, which is all that is
    known until the first records are there."""
    read = sum(one.read for one in by_platform.values())
    if status is SyncStatus.COMPLETED:
        return Progress(100.0, read, read, stage, 0)
    share = share_of(by_platform)
    left = None if status.is_final else seconds_left(share, running, before)
    eta = None if left is None else math.ceil(left / 60)
    return Progress(round(share * 100, 1), read, sum(map(estimated, by_platform.values())), stage, eta)


def seconds_left(share: float, running: timedelta | None, before: timedelta | None) -> float | None:
    if share > 0 and running is not None:
        return running.total_seconds() * (1 - share) / share
    if before is None:
        return None
    return max(0.0, before.total_seconds() - (running or timedelta()).total_seconds())


def running_since(started_at: datetime | None, now: datetime) -> timedelta | None:
    return None if started_at is None else now - started_at


def duration_sentence(took: timedelta) -> str:
    """`about 20 seconds`, `about 3 minutes`, `about 2 hours`."""
    seconds = took.total_seconds()
    if seconds < 55:
        return f"about {max(5, 5 * math.ceil(seconds / 5))} seconds"
    minutes = math.ceil(seconds / 60)
    if minutes <= 90:
        return f"about {minutes} minute{'s' if minutes > 1 else ''}"
    return f"about {round(minutes / 60)} hours"
