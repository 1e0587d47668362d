"""A worker's own connections: one for its statements, one that listens. Both come back after they were lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from syncline.kernel.errors import Unavailable
from syncline.kernel.tasks import end_now
from syncline.runtime.db.engine import Database
from syncline.runtime.db.opening import opened_whole
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

_LONGEST_PAUSE_S = 2.0
# No statement of a worker takes long. One that does means a dead peer or a lock that somebody forgot; giving up and
# coming back keeps the heartbeat going. The keepalives notice a peer that vanished without a word within 4 seconds.
_OPTIONS = "-c statement_timeout=10s -c lock_timeout=2s"
_LIMITS = {
    "connect_timeout": 3,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
}


async def connect(database: Database) -> psycopg.AsyncConnection[Any]:
    """A connection of the app role in autocommit. When the first try fails the pool is asked once, because asking it is
    what starts an embedded server again. Raises `psycopg.OperationalError` or `DatabaseUnavailable`."""
    try:
        return await _open(database)
    except psycopg.OperationalError:
        async with database.system():
            pass
        return await _open(database)


async def _open(database: Database) -> psycopg.AsyncConnection[Any]:
    present = conninfo_to_dict(database.conninfo).get("options") or ""
    conninfo = make_conninfo(database.conninfo, options=f"{present} {_OPTIONS}".strip(), **_LIMITS)
    return await opened_whole(psycopg.AsyncConnection.connect(conninfo, autocommit=True))


class Pause:
    """The wait before the next try to connect: short at first, up to two seconds, never twice the same."""

    def __init__(self) -> None:
        self._ceiling = 0.1

    def reset(self) -> None:
        self._ceiling = 0.1

    async def wait(self) -> None:
        await asyncio.sleep(self._ceiling * random.uniform(0.5, 1))
        self._ceiling = min(_LONGEST_PAUSE_S, self._ceiling * 2)


class Link:
    """One connection, opened when first asked for and again after `drop`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def get(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await connect(self._database)
        return self._connection

    async def drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class Listener:
    """Calls `on_note(channel, payload)` for each NOTIFY, and with an empty payload for each channel whenever it has
    (re)connected, since what was said meanwhile is lost. NOTIFY only saves waiting: whoever listens also looks now and
    then."""

    def __init__(self, database: Database, channels: Sequence[str], on_note: Callable[[str, str], None]) -> None:
        self._database = database
        self._channels = channels
        self._on_note = on_note
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen_always(), name=f"listen {' '.join(self._channels)}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        await end_now(self._task)

    async def _listen_always(self) -> None:
        pause = Pause()
        while True:
            try:
                await self._listen(pause)
            except (psycopg.OperationalError, Unavailable) as error:
                log.warning("listening connection lost", channels=list(self._channels), error=str(error))
            await pause.wait()

    async def _listen(self, pause: Pause) -> None:
        async with await connect(self._database) as connection:
            for channel in self._channels:
                await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
            pause.reset()
            for channel in self._channels:
                self._on_note(channel, "")
            async for note in connection.notifies():
                self._on_note(note.channel, note.payload)
