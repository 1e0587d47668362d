"""How a process hears that a tenant has said something: from the database itself, or through Redis.

Either only says when to look. The messages are read from their table, in their order, whoever says it and however
often; a word that is lost costs the seconds until a feed looks by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from syncline.runtime.db.engine import Database
from syncline.runtime.jobs.link import Listener

CHANNEL = "syncline_live"
"""Notified by the trigger that gives messages their numbers."""

Heard = Callable[[str], None]
"""Told the id of a tenant, or the empty text when anything may have been said: look at every tenant."""


class Fanout(Protocol):
    """From where a process hears."""

    def listen(self, heard: Heard) -> AbstractAsyncContextManager[None]:
        """Calls `heard` while the context is open, first with the empty text as soon as it hears."""
        ...


class NotifyFanout:
    """Every process listens to the database, over a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def listen(self, heard: Heard) -> AsyncIterator[None]:
        async with Listener(self._database, [CHANNEL], lambda _, payload: heard(payload)):
            yield
