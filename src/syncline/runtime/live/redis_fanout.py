"""Live messages passed on by Redis: one process of all listens to the database, and tells the others.

The process whose turn it is holds a lease in Redis and publishes what it is notified of; when it goes, another takes
the lease. Nothing but ids of tenants passes through Redis, and nothing is kept there. A process that has lost Redis
listens to the database itself until Redis is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import psycopg
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from syncline.kernel.errors import Unavailable
from syncline.kernel.tasks import end_now
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs.link import Pause
from syncline.runtime.live.fanout import Heard, NotifyFanout
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

PREFIX: Final = "syncline:live:"
LEASE = timedelta(seconds=4)
_RENEWED = LEASE.total_seconds() / 3
_SILENCE_S = 5.0
"""After so long without a word Redis is asked whether it is still there, and has as long to answer."""
_PATIENCE_S = 2.0
_LOST = (RedisError, OSError, TimeoutError)

# Only by whoever holds it: a process that was asleep may find another at it.
_RENEW = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0"
_LET_GO = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0"


class RedisFanout:
    """`name` sets installations apart that share a Redis, and so must their databases be."""

    def __init__(self, database: Database, url: str, *, name: str = "") -> None:
        """Connects when it listens. Raises `ValueError` for what is no Redis URL."""
        self._notify = NotifyFanout(database)
        self._redis = Redis.from_url(
            url,
            socket_timeout=_PATIENCE_S,
            socket_connect_timeout=_PATIENCE_S,
            retry=Retry(NoBackoff(), 1),  # a connection that Redis closed while it lay idle is opened anew
            decode_responses=True,
        )
        self._channel, self._lease = f"{PREFIX}said:{name}", f"{PREFIX}relay:{name}"
        self._me = uuid4().hex

    @asynccontextmanager
    async def listen(self, heard: Heard) -> AsyncIterator[None]:
        hearing = asyncio.create_task(self._hear_always(heard), name="live, from Redis")
        passing = asyncio.create_task(self._relay_always(), name="live, to Redis")
        try:
            yield
        finally:
            await end_now(hearing, passing)
            await self._let_go()
            await self._redis.aclose()

    async def _hear_always(self, heard: Heard) -> None:
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(self._channel)
                    await self._hear(channel, heard)
            except _LOST as error:
                log.warning("Redis is lost; live messages are heard from the database", error=str(error))
            await self._hear_without(heard)

    async def _hear(self, channel: PubSub, heard: Heard) -> None:
        """Until Redis is lost. Raises what `_LOST` names."""
        is_asked = False
        while True:
            message: dict[str, Any] | None = await channel.get_message(timeout=_SILENCE_S)
            if message is None and is_asked:
                raise TimeoutError("Redis does not answer")
            is_asked = message is None
            if message is None:
                await channel.ping()
            elif message["type"] == "subscribe":
                heard("")  # what was said before is in the database
            elif message["type"] == "message":
                heard(message["data"])

    async def _hear_without(self, heard: Heard) -> None:
        """From the database, until Redis answers again."""
        pause = Pause()
        async with self._notify.listen(heard):
            while True:
                await pause.wait()
                try:
                    await self._redis.ping()
                except _LOST:
                    continue
                return

    async def _relay_always(self) -> None:
        """In turn: who holds the lease listens to the database for all."""
        while True:
            try:
                if await self._redis.set(self._lease, self._me, nx=True, px=LEASE):
                    await self._relay()
            except (*_LOST, psycopg.OperationalError, Unavailable) as error:
                log.warning("live messages are not passed on at the moment", error=str(error))
                await self._let_go()
            await asyncio.sleep(_RENEWED)

    async def _relay(self) -> None:
        """Until the lease is another's. What comes in one moment goes to Redis together, each tenant once."""
        said: set[str] = set()
        woken = asyncio.Event()

        def note(payload: str) -> None:
            said.add(payload)
            woken.set()

        async with self._notify.listen(note):
            renew_at = 0.0
            loop = asyncio.get_running_loop()
            while True:
                if loop.time() >= renew_at:
                    if not await self._redis.eval(_RENEW, 1, self._lease, self._me, _milliseconds(LEASE)):
                        return
                    renew_at = loop.time() + _RENEWED
                try:
                    async with asyncio.timeout(max(0.0, renew_at - loop.time())):
                        await woken.wait()
                except TimeoutError:
                    continue
                woken.clear()
                tenants = list(said)
                said.clear()
                async with self._redis.pipeline(transaction=False) as pipe:
                    for tenant in tenants:
                        pipe.publish(self._channel, tenant)
                    await pipe.execute()

    async def _let_go(self) -> None:
        """Another need not wait for the end of the lease."""
        try:
            await self._redis.eval(_LET_GO, 1, self._lease, self._me)
        except _LOST as error:
            log.debug("the lease ends by itself", error=str(error))


def _milliseconds(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
