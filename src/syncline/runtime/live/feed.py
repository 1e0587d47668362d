"""The messages of one tenant on their way to this process's watchers.

One task reads what is new and serves who joins, in turn: so nobody misses what is said while he joins, and nobody gets
it twice.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from syncline.kernel.errors import Unavailable
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs.link import Pause
from syncline.runtime.live import messages
from syncline.runtime.live.message import EVERYTHING, Message
from syncline.runtime.live.watcher import Notice, Watcher, gap
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

RING = 500
"""The newest messages, kept in memory: after a restart thousands come back at once, and are not to ask the database."""

REPLAYED = 1_000
_READ_AT_ONCE = 1_000
_LOOK_EVERY_S = 5.0
_STATES_OF_ROOMS = 1_000
_OFFERS_IN_A_ROW = 500


@dataclass(frozen=True, slots=True)
class Join:
    """A watcher's wish. `after` is the last id he has; None for what is said from now on, and how things stand."""

    watcher: Watcher
    rooms: Sequence[str]
    after: int | None


class Feed:
    """Runs while it has watchers."""

    def __init__(self, database: Database, tenant: TenantId) -> None:
        self._database = database
        self._tenant = tenant
        self._rooms: dict[str, set[Watcher]] = {}
        self._joins: list[Join] = []
        self._wake = asyncio.Event()
        self._wake.set()
        self._ring: deque[Message] = deque(maxlen=RING)
        self._ring_after = 0
        self._states: OrderedDict[str, dict[tuple[str, str, str], Message]] = OrderedDict()
        self._known = False
        self._is_stopping = False
        self.last = 0

    def wake(self) -> None:
        self._wake.set()

    def join(self, join: Join) -> None:
        """Served in a moment; he is told `subscribed` with the number from which on he hears."""
        self._joins.append(join)
        self._wake.set()

    def leave(self, watcher: Watcher, rooms: Sequence[str]) -> None:
        for room in rooms:
            there = self._rooms.get(room)
            if there is not None:
                there.discard(watcher)
                if not there:
                    del self._rooms[room]
        if self.is_over:
            self._wake.set()

    def stop(self) -> None:
        """Ends it though somebody watches."""
        self._is_stopping = True
        self._wake.set()

    @property
    def is_over(self) -> bool:
        return self._is_stopping or not (self._rooms or self._joins)

    async def run(self) -> None:
        """Until nobody watches any more. A database that is away is waited for; nothing is lost meanwhile."""
        pause = Pause()
        while not self.is_over:
            self._wake.clear()
            try:
                await self._round()
            except (Unavailable, SQLAlchemyError, psycopg.Error) as error:
                log.warning("live messages cannot be read at the moment", error=str(error))
                await pause.wait()
                self._wake.set()
                continue
            pause.reset()
            await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_EVERY_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _round(self) -> None:
        if not self._known:
            await self._begin()
        while new := await self._read_new():
            for message in new:
                await self._hand_out(message)
            if len(new) < _READ_AT_ONCE:
                break
        joins, self._joins = self._joins, []
        for number, join in enumerate(joins):
            try:
                await self._serve(join)
            except BaseException:  # whatever it is, it rises when nobody is forgotten
                self._joins = [*joins[number:], *self._joins]  # asked again when the database is back
                raise
            if number % _OFFERS_IN_A_ROW == _OFFERS_IN_A_ROW - 1:
                await asyncio.sleep(0)

    async def _begin(self) -> None:
        async with self._database.reading(self._tenant) as session:
            newest = await messages.list_latest(session, RING)
            self.last = newest[-1].number if newest else await messages.last_number(session)
        self._ring.extend(newest)
        self._ring_after = newest[0].number - 1 if newest else self.last
        self._known = True

    async def _read_new(self) -> list[Message]:
        async with self._database.reading(self._tenant) as session:
            return await messages.list_after(session, self.last, _READ_AT_ONCE)

    async def _hand_out(self, message: Message) -> None:
        if len(self._ring) == RING:
            self._ring_after = self._ring[0].number
        self._ring.append(message)
        self.last = message.number
        if message.type.is_state and message.room in self._states:
            self._states[message.room][message.state_key] = message
        groups = [group for room in message.rooms if (group := self._rooms.get(room))]
        # Most of the time all are in one room; many are copied because they may come and go while we yield.
        heard = list(groups[0]) if len(groups) == 1 else list(set[Watcher]().union(*groups))
        for number, watcher in enumerate(heard):
            watcher.offer(message)
            if number % _OFFERS_IN_A_ROW == _OFFERS_IN_A_ROW - 1:
                await asyncio.sleep(0)

    async def _serve(self, join: Join) -> None:
        watcher = join.watcher
        rooms = [room for room in join.rooms if room in watcher.rooms]  # he may have left since
        first: list[Notice | Message] = []
        if join.after is None:
            for room in rooms:
                first += await self._standing(room)
        else:
            first += await self._since(rooms, join.after)
        if watcher.ended or not watcher.rooms.issuperset(rooms):
            return  # he left while we read
        for room in rooms:
            self._rooms.setdefault(room, set()).add(watcher)
        watcher.offer(Notice("subscribed", {"rooms": rooms, "id": self.last}), *first)

    async def _since(self, rooms: Sequence[str], after: int) -> list[Notice | Message]:
        """What he missed, or a gap where it cannot be had."""
        if after > self.last:
            told = gap(self.last, after, "This id was never given here: begin anew.")
            return [told, *[one for room in rooms for one in await self._standing(room)]]
        if after >= self._ring_after:
            wanted = set(rooms)
            return [one for one in self._ring if one.number > after and not wanted.isdisjoint(one.rooms)]
        async with self._database.reading(self._tenant) as session:
            oldest = await messages.oldest_number(session) or self.last + 1
            missed = await messages.list_heard(session, rooms, after=after, upto=self.last, limit=REPLAYED + 1)
        if len(missed) > REPLAYED:
            told = gap(after, self.last, f"More than {REPLAYED:,} messages were missed: only the latest is sent.")
            return [told, *[one for room in rooms for one in await self._standing(room)]]
        if after < oldest - 1:
            return [gap(after, oldest - 1, "These messages are no longer kept."), *missed]
        return list(missed)

    async def _standing(self, room: str) -> list[Message]:
        """How the operation of this room stands; nothing for a room of many."""
        if room == EVERYTHING or room.startswith("store:"):
            return []
        known = self._states.get(room)
        if known is None:
            async with self._database.reading(self._tenant) as session:
                found = await messages.list_states(session, room, self.last)
            known = self._states[room] = {message.state_key: message for message in found}
            if len(self._states) > _STATES_OF_ROOMS:
                self._states.popitem(last=False)
        self._states.move_to_end(room)
        return sorted(known.values(), key=lambda message: message.number)
