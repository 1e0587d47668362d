"""Events and the envelope they travel in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar
from uuid import UUID

import msgspec

from syncline.kernel.tenant import TenantId

_APP = re.compile(r"syncline\.apps\.([a-z_]+)\.")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Event(Protocol):
    """Any frozen dataclass in an app's `contract.py`, named in the past, whose fields JSON can carry (also UUID,
    datetime, Decimal, enums and other such dataclasses). Fields are only ever added, with a default. It needs no base
    class, so that a contract imports nothing of the runtime."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event on its way. `data` is its JSON; `position` the order of writing, which within a tenant is kept."""

    id: UUID
    name: str
    tenant_id: TenantId | None
    occurred_at: datetime
    position: int
    data: bytes


def name_of(event: type[Event]) -> str:
    """The stable name: the class's own `event_name` if it has one, else its app and its name: `PullFinished` in
    `syncline.apps.commerce.contract` is `commerce.pull_finished`. Raises `ValueError` outside an app."""
    own: str | None = event.__dict__.get("event_name")
    if own is not None:
        return own
    app = _APP.match(f"{event.__module__}.")
    if app is None:
        raise ValueError(f"{event.__module__}.{event.__qualname__} is in no app's contract and has no event_name")
    return f"{app[1]}.{_CAPITAL.sub('_', event.__name__).lower()}"


def encode(event: Event) -> bytes:
    return msgspec.json.encode(event)


def decode(data: bytes, event: type[E]) -> E:
    """Fields this release does not know are ignored. Raises `msgspec.ValidationError` when one it needs is missing."""
    return msgspec.json.decode(data, type=event)
