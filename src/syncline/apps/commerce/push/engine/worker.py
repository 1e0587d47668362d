"""A worker of a push: claims some products, takes them through a round, and begins again until nothing is left."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from syncline.apps.commerce.push.engine import repository
from syncline.apps.commerce.push.engine.repository import Beat
from syncline.apps.commerce.push.engine.rounds import Bench, Round, Tally
from syncline.apps.commerce.push.engine.scaling import RULES
from syncline.apps.commerce.push.engine.sizing import Load, batch_size, floor_points
from syncline.kernel import clock
from syncline.kernel.errors import Retriable

_LONGEST_WAIT = 0.5
"""Seconds after which a worker that waits for points looks whether it is still wanted."""


class Site(Protocol):
    """What a worker wants to know of the pool that it is in."""

    bench: Bench
    load: Load

    @property
    def memory(self) -> float: ...


@dataclass(slots=True)
class PushWorker:
    """`leaving` asks it to go when its present round is over."""

    id: UUID
    number: int
    site: Site
    leaving: bool = False
    is_starved: bool = False
    tally: Tally = field(default_factory=Tally)
    state: str = "idle"
    doing: str = "has just come"
    since: datetime = field(default_factory=clock.now)

    async def work(self) -> None:
        """Ends when there is nothing to claim, or when it is asked to leave."""
        while not self.leaving:
            if not await self._has_points() or not await self._round():
                return

    def beat(self) -> Beat:
        return Beat(self.id, self.state, self.doing, self.since, self.tally.settled, self.tally.failed)

    def say(self, state: str, doing: str) -> None:
        self.state, self.doing, self.since = state, doing, clock.now()

    @property
    def _floor(self) -> float:
        bucket = self.site.bench.client.limiter.bucket
        return min(floor_points(RULES[self.site.bench.run.strategy], bucket.restore_rate), bucket.capacity)

    @property
    def _kept(self) -> float:
        """Points that are left to others."""
        return self.site.bench.client.limiter.bucket.capacity * RULES[self.site.bench.run.strategy].reserve

    def _count(self) -> int:
        return batch_size(
            self.site.bench.run.batch_size,
            self.site.load,
            floor=self._floor,
            available=self.site.bench.client.limiter.available - self._kept,
            memory=self.site.memory,
        )

    async def _has_points(self) -> bool:
        """Waits for them before the store is read, so that the moment between reading and writing is no longer than it
        must be. False when the worker is asked to leave meanwhile."""
        limiter = self.site.bench.client.limiter
        while limiter.bucket.known and not self.leaving:
            wanted = min(self._count() * self.site.load.points_each, self._floor)
            seconds = limiter.seconds_until(min(wanted + self._kept, limiter.bucket.capacity))
            self.is_starved = seconds > 0
            if seconds <= 0:
                return True
            if self.state != "waiting":
                self.say("waiting", "waits until the store lets through more")
            await asyncio.sleep(min(seconds, _LONGEST_WAIT))
        return not self.leaving

    async def _round(self) -> bool:
        bench = self.site.bench
        async with bench.database.writing(bench.tenant_id) as session:
            await repository.hold(session, self.id)
            units = await repository.claim(session, bench.run.id, self.id, self._count())
        if not units:
            self.say("idle", "has nothing to do")
            return False
        before, unknown = self.tally.settled, self.tally.unknown
        self.tally.write_points = 0.0
        await Round(bench, self.id, units, self._floor, self.tally, self.say).run()
        if self.tally.write_points:
            self.site.load = self.site.load.learned(self.tally.write_points, len(units))
        if self.tally.settled == before and self.tally.unknown > unknown:
            raise Retriable("The store neither answers changes nor carries them out.")
        return True
