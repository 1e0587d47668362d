"""Routines: what runs by itself, and how it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from syncline.kernel.tenant import Actor


class RoutineStatus(StrEnum):
    """`late`: what it keeps up with is further behind than it may be. `failing`: its last run failed."""

    HEALTHY = "healthy"
    LATE = "late"
    FAILING = "failing"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class RoutineState:
    """`sentence` says what is wrong, when something is."""

    name: str
    about: str
    is_enabled: bool
    is_running: bool
    last_run: datetime | None
    next_run: datetime | None
    lag_seconds: float | None
    status: RoutineStatus
    sentence: str | None


class Routines(Protocol):
    async def list_routines(self, *, actor: Actor) -> Sequence[RoutineState]: ...

    async def switch_routine(self, *, actor: Actor, name: str, is_enabled: bool) -> RoutineState:
        """Whether it runs at its times; what runs already goes on. Raises `RoutineNotFound`."""
        ...

    async def trigger_routine(self, *, actor: Actor, name: str) -> str:
        """Runs it now, besides its times; answers the id of what was started. Raises `RoutineNotFound`, and what
        starting it raises."""
        ...
