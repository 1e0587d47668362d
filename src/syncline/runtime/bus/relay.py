"""The relay: takes events from the outbox to the transport, and deliveries to the handlers of this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from psycopg.rows import dict_row
from psycopg.sql import SQL

from syncline.kernel.errors import Unavailable
from syncline.runtime.bus import metrics
from syncline.runtime.bus.delivery import Lane, deliver, due_lanes
from syncline.runtime.bus.event import Envelope
from syncline.runtime.bus.handler import Handler
from syncline.runtime.bus.outbox import CHANNEL
from syncline.runtime.bus.transport import LocalTransport, Transport
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs.link import Listener, Pause
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

KEPT = timedelta(days=14)
"""How long sent events can be replayed, and how long the inbox remembers what it saw."""

_BATCH = 500
_LOOK_EVERY_S = 1.0
_TIDY_EVERY_S = 3600.0
_BATCHES_PER_LANE = 20

_TURN = SQL("SELECT pg_try_advisory_xact_lock(hashtextextended('bus.outbox', 0))")
_UNSENT = SQL("""
SELECT id, name, tenant AS tenant_id, occurred_at, position, convert_to(data::text, 'UTF8') AS data FROM bus.outbox
WHERE sent_at IS NULL ORDER BY position LIMIT %s
""")
_SENT = SQL("UPDATE bus.outbox SET sent_at = now() WHERE id = ANY (%s)")
_SUBSCRIBE = SQL("""
INSERT INTO bus.subscription (handler, event, seen_at)
SELECT handler, event, now() FROM unnest(%s::text[], %s::text[]) AS declared (handler, event) ORDER BY 1, 2
ON CONFLICT (handler, event) DO UPDATE SET seen_at = now()
""")
_FORGET_INBOX = SQL("DELETE FROM bus.inbox WHERE applied_at < now() - %s")
_FORGET_OUTBOX = SQL("""
DELETE FROM bus.outbox WHERE occurred_at < now() - %s AND sent_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM bus.delivery WHERE event_id = outbox.id)
""")


class Relay:
    """One or more per deployment; those that share handlers share the work, a lane at a time."""

    def __init__(
        self,
        database: Database,
        handlers: Sequence[Handler],
        *,
        runtime: Any,
        transport: Transport | None = None,
        concurrency: int = 4,
    ) -> None:
        self._id = uuid4()
        self._database = database
        self._handlers = {handler.name: handler for handler in handlers}
        if len(self._handlers) < len(handlers):
            raise ValueError("two event handlers have the same name")
        self._events = [(handler.name, handler.event_name) for handler in handlers]
        self._runtime = runtime
        self._transport = transport or LocalTransport()
        self._places = asyncio.Semaphore(concurrency)
        self._wake = asyncio.Event()
        self._next_tidy = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set, then finishes the deliveries at hand. A database that is away is waited for."""
        pause = Pause()
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._wake.set())
        try:
            async with Listener(self._database, [CHANNEL], lambda *_: self._wake.set()):
                while not stop.is_set():
                    self._wake.clear()
                    try:
                        busy = await self._round()
                    except Unavailable as error:
                        log.warning("the relay's database connection was lost", error=str(error))
                        await pause.wait()
                        continue
                    pause.reset()
                    if not busy:
                        await self._rest()
        finally:
            stopping.cancel()

    async def drain(self) -> None:
        """Delivers everything that is due now, and returns. For tests and for commands that end."""
        while await self._round():
            pass

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_EVERY_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _round(self) -> bool:
        """True when there may be more to do at once."""
        if time.monotonic() >= self._next_tidy:
            await self._tidy()
        sent = await self._send()
        async with self._database.system() as session:
            lanes = await due_lanes(await session.driver(), list(self._handlers))
        more = await asyncio.gather(*(self._serve(lane) for lane in lanes), return_exceptions=True)
        for each in more:
            if isinstance(each, BaseException):
                raise each
        return sent == _BATCH or any(more)

    async def _send(self) -> int:
        """Only one relay at a time empties the outbox, so that the order of writing is the order of sending."""
        async with self._database.system() as session:
            connection = await session.driver()
            turn = await (await connection.execute(_TURN)).fetchone()
            if not (turn and turn[0]):
                return 0
            async with connection.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(_UNSENT, (_BATCH,))
                envelopes = [Envelope(**row) for row in await cursor.fetchall()]
            if envelopes:
                await self._transport.send(session, envelopes)
                await connection.execute(_SENT, ([e.id for e in envelopes],))
        for each in envelopes:
            metrics.SENT.labels(event=each.name).inc()
        return len(envelopes)

    async def _serve(self, lane: Lane) -> bool:
        """True when the lane had more than its share of this round."""
        handler = self._handlers[lane.handler]
        async with self._places:
            for _ in range(_BATCHES_PER_LANE):
                if not await deliver(self._database, handler, lane, self._runtime, self._id):
                    return False
        return True

    async def _tidy(self) -> None:
        async with self._database.system() as session:
            connection = await session.driver()
            names, events = [h for h, _ in self._events], [e for _, e in self._events]
            await connection.execute(_SUBSCRIBE, (names, events))
            await connection.execute(_FORGET_INBOX, (KEPT,))
            await connection.execute(_FORGET_OUTBOX, (KEPT,))
        self._next_tidy = time.monotonic() + _TIDY_EVERY_S
