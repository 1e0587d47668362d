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
