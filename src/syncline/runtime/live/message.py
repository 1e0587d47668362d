"""Messages, and the rooms in which they are heard. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec

from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput

EVERYTHING = "tenant"
"""The room in which all of a tenant's operations are heard."""

_ROOM = re.compile(
    r"tenant|store:[^\s\0]{1,100}|[a-z][a-z_]{1,30}:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)


class MessageType(StrEnum):
    """What is said of an operation. All but a log line tell a state: a newer one of the same room and part replaces
    the older for whoever is behind."""

    START = "operation_start"
    PROGRESS = "operation_progress"
    LOG = "operation_log"
    COMPLETE = "operation_complete"
    STATUS = "sync_status"

    @property
    def is_state(self) -> bool:
        return self is not MessageType.LOG


class Level(StrEnum):
    """Of a log line."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class BadRoom(InvalidInput):
    code = "LIVE_001"
    title = "There can be no such room"


@dataclass(frozen=True, slots=True)
class Operation:
    """What somebody may watch: one pull, push, import, export or comparison. `store` is how people call it."""

    kind: str
    id: UUID
    store: str | None = None

    @property
    def room(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True)
class Message:
    """One thing said. `number` counts from 1 in each tenant in the order of commits. `part` tells apart what an
    operation does side by side, such as the streams of a pull. The same object serves all watchers, and so do its
    texts."""

    number: int
    room: str
    store: str | None
    type: MessageType
    part: str
    level: Level
    at: datetime
    data: Mapping[str, Any]

    @property
    def rooms(self) -> tuple[str, ...]:
        """Where it is heard."""
        return (self.room, EVERYTHING) if self.store is None else (self.room, f"store:{self.store}", EVERYTHING)

    @property
    def state_key(self) -> tuple[str, str, str]:
        return (self.room, self.type, self.part)

    def body(self) -> dict[str, Any]:
        """As it is shown to programs."""
        shown: dict[str, Any] = {
            "id": self.number,
            "type": self.type.value,
            "room": self.room,
            "store": self.store,
            "at": clock.iso(self.at),
        }
        if self.part:
            shown["part"] = self.part
        if self.type is MessageType.LOG:
            shown["level"] = self.level.value
        return {**shown, "data": self.data}

    @cached_property
    def text(self) -> str:
        """One JSON object."""
        return encode(self.body())

    @cached_property
    def event(self) -> bytes:
        """One event of a Server-Sent Events stream."""
        return event(self.text, name=self.type.value, number=self.number)


def encode(body: Mapping[str, Any]) -> str:
    return msgspec.json.encode(body).decode()


def event(text: str, *, name: str, number: int | None = None) -> bytes:
    """`text` without line breaks, which JSON has none of. Without a number a reader's last event id stays."""
    mark = "" if number is None else f"id: {number}\n"
    return f"{mark}event: {name}\ndata: {text}\n\n".encode()


def check_room(name: str) -> str:
    """Raises `BadRoom`. Whether anything is ever said in a room cannot be known: an operation may begin later."""
    if not _ROOM.fullmatch(name):
        raise BadRoom(
            "A room is `tenant`, `store:NAME` or an operation with its whole id in lower case: `pull:01a2b3c4-…`."
        )
    return name
