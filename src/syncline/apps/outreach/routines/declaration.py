"""What a feature declares of its schedules so that they can be watched and started by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import Schedule


@dataclass(frozen=True, slots=True)
class LastRun:
    """Of one tenant. `ended_at` None: it still runs. `sentence` says why it failed; None when it did not. `lag` is how
    far what was done is behind the present; None where there is nothing to be behind of."""

    started_at: datetime
    ended_at: datetime | None = None
    sentence: str | None = None
    lag: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Routine:
    """A schedule under the name that callers know. `find_last` and `is_enabled` see the rows of the session's tenant,
    `switch` turns its times on and off,
    `start` begins it now for `actor`'s tenant and answers the id of what was started. `most_lag` is how far behind it
    may be before it counts as late."""

    name: str
    about: str
    schedule: Schedule
    most_lag: timedelta
    find_last: Callable[[Session], Awaitable[LastRun | None]]
    is_enabled: Callable[[Session], Awaitable[bool]]
    switch: Callable[[WriteSession, bool], Awaitable[None]]
    start: Callable[[Runtime, Actor], Awaitable[str]]
