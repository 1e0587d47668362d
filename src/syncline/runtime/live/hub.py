"""All watchers of this process: who is there, the feeds they hear, heartbeats, and the end.

Between processes messages travel through the database: every process reads its tenants' messages from their table. A
word from the database itself or through Redis says when to look.
"""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from syncline.kernel.errors import Conflict, InvalidInput, Unavailable
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.live import metrics
from syncline.runtime.live.fanout import Fanout, NotifyFanout
from syncline.runtime.live.feed import Feed, Join
from syncline.runtime.live.message import check_room
from syncline.runtime.live.watcher import COME_BACK, RESTART, Notice, Send, Watcher
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

HEARTBEAT_SECONDS = 20
_STUCK_SECONDS = 120.0
_GOODBYE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HubLimits:
    """Of one process. `lifetime_seconds` is how long a credential is believed before it must be shown again."""

    watchers: int = 20_000
    watchers_of_tenant: int = 5_000
    rooms: int = 50
    lifetime_seconds: float = 900.0


class TooManyWatchers(Unavailable):
    code = "LIVE_002"
    title = "Too many watch already"


class TooManyRooms(Conflict):
    code = "LIVE_003"
    title = "Too many rooms on one connection"


class Hub:
    """One per process that serves the API. Watchers may come before it runs and are served when it does."""

    def __init__(self, database: Database, limits: HubLimits | None = None, fanout: Fanout | None = None) -> None:
        self.limits = limits or HubLimits()
        self._database = database
        self._fanout = fanout or NotifyFanout(database)
        self._feeds: dict[TenantId, Feed] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._beats: list[set[Watcher]] = [set() for _ in range(HEARTBEAT_SECONDS)]
        self._tenants: Tally[TenantId] = Tally()
        self._came = 0
        self._is_closing = False
        self.is_listening = False

    @property
    def watching(self) -> int:
        return self._tenants.total()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then everybody is told to come back, and may elsewhere."""
        self._is_closing = False
        async with self._fanout.listen(self._heard):
            beating = asyncio.create_task(self._beat_always(), name="live heartbeat")
            try:
                await stop.wait()
            finally:
                beating.cancel()
        await self._close()

    def enter(self, tenant: TenantId, send: Send) -> Watcher:
        """Somebody who may watch this tenant. Call `exit` in any case. Raises `TooManyWatchers`."""
        if self._is_closing:
            raise TooManyWatchers(RESTART.reason, extra={"retry_after": 1})
        if self.watching >= self.limits.watchers or self._tenants[tenant] >= self.limits.watchers_of_tenant:
            raise TooManyWatchers(
                "As many watch as this server allows. Close other windows, or try again in a while.",
                extra={"retry_after": 30},
            )
        watcher = Watcher(tenant, send, until=self._deadline())
        watcher.slot = self._came % HEARTBEAT_SECONDS
        self._came += 1
        self._beats[watcher.slot].add(watcher)
        self._tenants[tenant] += 1
        metrics.WATCHERS.inc()
        return watcher

    def renew(self, watcher: Watcher) -> None:
        """He showed his credential again."""
        watcher.until = self._deadline()

    def exit(self, watcher: Watcher) -> None:
        """For the second time it does nothing."""
        if watcher not in self._beats[watcher.slot]:
            return
        watcher.let_go()
        self.leave(watcher, list(watcher.rooms))
        self._beats[watcher.slot].discard(watcher)
        self._tenants[watcher.tenant] -= 1
        if not self._tenants[watcher.tenant]:
            del self._tenants[watcher.tenant]
        metrics.WATCHERS.dec()

    def join(self, watcher: Watcher, rooms: Sequence[str], after: int | None = None) -> None:
        """Hear `rooms` from the id `after` on; without it from now on, after how their operations stand. Raises
        `BadRoom`, `TooManyRooms`, `InvalidInput`."""
        wanted = list(dict.fromkeys(check_room(room) for room in rooms))
        if after is not None and not 0 <= after < 2**63:
            raise InvalidInput("The last id is the number that came with a message; 0 begins with the oldest kept.")
        together = watcher.rooms.union(wanted)
        if len(together) > self.limits.rooms:
            raise TooManyRooms(f"One connection hears {self.limits.rooms} rooms at most; the room `tenant` hears all.")
        watcher.rooms = together
        feed = self._feeds.get(watcher.tenant)
        if feed is None:
            feed = self._feeds[watcher.tenant] = Feed(self._database, watcher.tenant)
            feed.join(Join(watcher, wanted, after))
            self._start(watcher.tenant, feed)
        else:
            feed.join(Join(watcher, wanted, after))

    def leave(self, watcher: Watcher, rooms: Sequence[str]) -> None:
        """Rooms he is not in are left alone."""
        watcher.rooms = watcher.rooms.difference(rooms)
        feed = self._feeds.get(watcher.tenant)
        if feed is not None:
            feed.leave(watcher, rooms)

    def last_id(self, tenant: TenantId) -> int | None:
        feed = self._feeds.get(tenant)
        return None if feed is None else feed.last

    def _start(self, tenant: TenantId, feed: Feed) -> None:
        task = asyncio.get_running_loop().create_task(self._keep(tenant, feed), name=f"live feed {tenant}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, tenant: TenantId, feed: Feed) -> None:
        """A feed that falls over is a mistake of ours: its watchers go on with a new one from where they are."""
        while True:
            try:
                await feed.run()
            except Exception:  # one tenant's feed must not take the process's others with it; it is logged whole
                log.exception("the feed of a tenant fell and is started again", tenant_id=str(tenant))
                await asyncio.sleep(1)
                continue
            if feed.is_over:  # asked in the same turn as it is taken away: nobody can join in between
                self._feeds.pop(tenant, None)
                return

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self.limits.lifetime_seconds

    def _heard(self, tenant: str) -> None:
        if not tenant:
            self.is_listening = True
            for feed in self._feeds.values():
                feed.wake()
            return
        of_tenant = self._feeds.get(TenantId(UUID(tenant)))
        if of_tenant is not None:
            of_tenant.wake()

    async def _beat_always(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(1)
            self._beat(list(self._beats[turn % HEARTBEAT_SECONDS]))
            turn += 1

    def _beat(self, watchers: Sequence[Watcher]) -> None:
        now = asyncio.get_running_loop().time()
        beats = {tenant: Notice("heartbeat", {"id": feed.last}) for tenant, feed in self._feeds.items()}
        without = Notice("heartbeat", {})
        for watcher in watchers:
            if watcher.busy_seconds > _STUCK_SECONDS:
                metrics.CUT.inc()
                watcher.cut()
            elif watcher.until < now:
                watcher.end(COME_BACK)
            elif watcher.pump is None:
                watcher.offer(beats.get(watcher.tenant, without))

    async def _close(self) -> None:
        self._is_closing = True
        everybody = [watcher for group in self._beats for watcher in group]
        for watcher in everybody:
            watcher.end(RESTART)
        saying = [pump for watcher in everybody if (pump := watcher.pump) is not None]
        if saying:
            await asyncio.wait(saying, timeout=_GOODBYE_SECONDS)
        for feed in self._feeds.values():
            feed.stop()
        if self._tasks:
            # Not cancelled: each is in the middle of a transaction, or about to end.
            await asyncio.wait(self._tasks, timeout=_GOODBYE_SECONDS)
