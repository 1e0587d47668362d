"""What is recorded: an event, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from syncline.apps.outreach.contract import EventIdentity


class EventSource(StrEnum):
    """Which path an event came by. `KEY`: only its key was asked for; there is nothing of it to deliver."""

    KEY = "key"
    SYNC = "sync"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Event:
    """`properties` are the tool's own facts about it, for whoever it is delivered to."""

    identity: EventIdentity
    source: EventSource
    occurred_at: datetime | None = None
    properties: Mapping[str, Any] | None = None
