"""What outreach announces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKeysCollided:
    """Different events met on one key: those that came later were not recorded. It does not happen by itself, so
    somebody has to look. `event_keys` are the first few of them, `count` how many there are."""

    event_keys: Sequence[str]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutineWentStale:
    """A schedule of outreach (`periodic_sync`, `mixpanel_sync`) came to no good end for so long that somebody should
    look; `sentence` says for how long and why. Announced once, until it has recovered."""

    name: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutineRecovered:
    """One of which `RoutineWentStale` told is fresh again, or was switched off."""

    name: str
