"""What was looked up about a caller, kept for a moment, so that not each of his requests costs a transaction.

A process that ends a session, revokes a key or takes a role away forgets what it kept of it in the same moment. Another
process learns of it when what it kept is too old: `SYNCLINE_ACCOUNTS_STANDING_KEPT`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID
from weakref import WeakSet

from syncline.kernel import clock

V = TypeVar("V")

_MOST = 10_000
_ALL: WeakSet[Kept[object]] = WeakSet()


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    about: UUID
    kept_at: datetime
    value: V


class Kept(Generic[V]):
    """Values by key, each about a person or an API key."""

    def __init__(self, lifetime: timedelta, most: int = _MOST) -> None:
        self._lifetime = lifetime
        self._most = most
        self._entries: OrderedDict[Hashable, _Entry[V]] = OrderedDict()
        self._keys_about: dict[UUID, set[Hashable]] = {}
        self._forgotten = 0
        _ALL.add(self)  # type: ignore[arg-type] # all that is asked of it is to forget

    @property
    def moment(self) -> int:
        """Take it before a look-up and hand it to `keep`: what was looked up before something was forgotten may be
        what it was before, and is not kept."""
        return self._forgotten

    def find(self, key: Hashable) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        # A clock that was set back must not make what is kept good for longer.
        if abs(clock.now() - entry.kept_at) >= self._lifetime:
            self._drop(key)
            return None
        return entry.value

    def keep(self, key: Hashable, value: V, *, about: UUID, looked_up: int) -> None:
        if looked_up != self._forgotten:
            return
        self._drop(key)
        self._entries[key] = _Entry(about, clock.now(), value)
        self._keys_about.setdefault(about, set()).add(key)
        if len(self._entries) > self._most:
            self._drop(next(iter(self._entries)))

    def forget(self, about: UUID) -> None:
        self._forgotten += 1
        for key in list(self._keys_about.get(about, ())):
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        keys = self._keys_about[entry.about]
        keys.discard(key)
        if not keys:
            del self._keys_about[entry.about]


def forget(about: UUID) -> None:
    """A person or an API key has changed: nothing that is kept of it in this process is good any more.

    Called by the queries that change it, before they commit. Who looks it up between that and the commit keeps what
    was, at most as long as other processes do.
    """
    for one in list(_ALL):
        one.forget(about)
