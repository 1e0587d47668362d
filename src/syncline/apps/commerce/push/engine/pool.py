"""The workers of a push in this process: as many as help, until nothing is left or somebody wants it to stop."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

import structlog

from syncline.apps.commerce.push import repository as pushes
from syncline.apps.commerce.push.engine import repository
from syncline.apps.commerce.push.engine.repository import Look, PushLeaseLost
from syncline.apps.commerce.push.engine.rounds import Bench
from syncline.apps.commerce.push.engine.scaling import RULES, Seen, Size, first_size, next_size
from syncline.apps.commerce.push.engine.sizing import Load, batch_size, floor_points
from syncline.apps.commerce.push.engine.worker import PushWorker
from syncline.apps.commerce.push_contract import Wanted
from syncline.kernel.errors import ConnectorOutcome, Unavailable
from syncline.runtime.connect.persist import weightiest

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=6)
"""Silence after which a worker's claims are taken by others: that of the job queue."""
_BEAT_SECONDS = 1.0
_TICK_SECONDS = 0.25
_LOOK_SECONDS = 1.0


class Ending(StrEnum):
    """Why a pool has ended: nothing is left of the run; others have all that is left; people want it to pause or to
    stop; or it was asked to make room."""

    DONE = "done"
    LEFT = "left"
    PAUSED = "paused"
    STOPPED = "stopped"
    HANDED_OVER = "handed over"


_BY_WISH = {Wanted.PAUSE: Ending.PAUSED, Wanted.STOP: Ending.STOPPED}


@dataclass(slots=True)
class Pool:
    """`must_go` says that this process wants to do something else now. A pool that leads waits for what others have
    claimed; one that helps leaves when there is nothing to claim. `measure` tells the share of the memory allowed."""

    bench: Bench
    process: str
    leads: bool
    must_go: Callable[[], bool]
    measure: Callable[[], float]
    load: Load = field(default_factory=Load)
    memory: float = 0.0
    size: Size = field(init=False)
    _workers: dict[asyncio.Task[None], PushWorker] = field(default_factory=dict)
    _troubles: list[Exception] = field(default_factory=list)
    _retired: int = 0
    _looked_at: float = field(default_factory=time.monotonic)
    _looked_settled: int = 0

    def __post_init__(self) -> None:
        self.size = first_size(self.bench.run.config, self.bench.run.workers)

    @property
    def settled(self) -> int:
        """Changes that came to their end here."""
        return self._retired + sum(worker.tally.settled for worker in self._workers.values())

    async def run(self) -> Ending:
        """When something goes wrong nobody begins another round, but what is under way is waited for: a request that is
        cut off may still arrive, after its effect was looked for. Raises the weightiest of it all."""
        ending = Ending.HANDED_OVER
        beating = asyncio.create_task(self._beat())
        try:
            with self._kept():
                ending = await self._manage()
            await self._drain()
            if self.leads and not self._troubles and ending in _BY_WISH.values():
                await self._others_end()
        finally:
            beating.cancel()
            await self._abandon()
        if self._troubles:
            raise weightiest(ExceptionGroup("the push did not get through", self._troubles))
        return ending

    async def _manage(self) -> Ending:
        while not self._troubles:
            look = await self._look()
            ending = self._ending(look)
            if ending is not None or look is None:
                return ending or Ending.DONE
            await self._staff(look)
            await self._tick()
        return Ending.HANDED_OVER

    async def _look(self) -> Look | None:
        async with self.bench.database.reading(self.bench.tenant_id) as session:
            return await repository.look(session, self.bench.run.id, LEASE)

    def _ending(self, look: Look | None) -> Ending | None:
        if look is None or not look.is_live:
            return Ending.DONE
        if look.wanted is not Wanted.RUN:
            return _BY_WISH[look.wanted]
        if self.must_go():
            return Ending.HANDED_OVER
        if look.open == 0 and look.claimed == 0:
            return Ending.DONE
        is_idle = look.open == 0 and not self._workers
        return Ending.LEFT if is_idle and not self.leads else None

    # How many.

    async def _staff(self, look: Look) -> None:
        at_once = self._batch()
        batches = math.ceil(look.open / at_once)
        self._resize(batches)
        staying = [worker for worker in self._workers.values() if not worker.leaving]
        for worker in staying[self.size.workers :]:
            worker.leaving = True
        for _ in range(min(self.size.workers - len(staying), batches)):
            if not await self._add():
                return

    def _batch(self) -> int:
        limiter = self.bench.client.limiter
        floor = floor_points(RULES[self.bench.run.strategy], limiter.bucket.restore_rate)
        return batch_size(
            self.bench.run.batch_size, self.load, floor=floor, available=limiter.available, memory=self.memory
        )

    def _resize(self, batches: int) -> None:
        at = time.monotonic()
        seconds = at - self._looked_at
        if seconds < _LOOK_SECONDS:
            return
        settled, workers = self.settled, [one for one in self._workers.values() if not one.leaving]
        seen = Seen(
            workers=len(workers),
            batches_left=batches + len(workers),
            rate=(settled - self._looked_settled) / seconds,
            starved=sum(worker.is_starved for worker in workers),
            memory=self.memory,
        )
        self._looked_at, self._looked_settled = at, settled
        self.size = next_size(self.size, seen, self.bench.run.config)

    async def _add(self) -> bool:
        """False when the run has as many workers as it may have, here and elsewhere."""
        async with self.bench.database.writing(self.bench.tenant_id) as session:
            joined = await repository.join(session, self.bench.run.id, self.process)
        if joined is None:
            return False
        worker = PushWorker(*joined, site=self)
        self._workers[asyncio.create_task(self._work(worker))] = worker
        return True

    async def _work(self, worker: PushWorker) -> None:
        with self._kept():
            try:
                await worker.work()
            except PushLeaseLost:
                log.info("push.lease_lost", run_id=str(self.bench.run.id), worker=worker.number)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """What may pass, or a person must mend, is kept for the end; anything else stops everything at once."""
        try:
            yield
        except (ConnectorOutcome, Unavailable) as error:
            self._troubles.append(error)
        except ExceptionGroup as group:
            self._troubles.append(group)

    # Who comes and goes.

    async def _tick(self) -> None:
        if not self._workers:
            await asyncio.sleep(_TICK_SECONDS)
            return
        done, _ = await asyncio.wait(self._workers, timeout=_TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        await self._retire(done)

    async def _retire(self, done: Iterable[asyncio.Task[None]]) -> None:
        for task in done:
            worker = self._workers.pop(task)
            self._retired += worker.tally.settled
            task.result()
            async with self.bench.database.writing(self.bench.tenant_id) as session:
                await repository.leave(session, [worker.beat()])

    async def _drain(self) -> None:
        for worker in self._workers.values():
            worker.leaving = True
        with self._kept():
            while self._workers:
                done, _ = await asyncio.wait(self._workers, return_when=asyncio.FIRST_COMPLETED)
                await self._retire(done)

    async def _others_end(self) -> None:
        with self._kept():
            while True:
                look = await self._look()
                if look is None or not look.claimed:
                    return
                await asyncio.sleep(_TICK_SECONDS)

    async def _abandon(self) -> None:
        """Whoever is still here is cut off, and what they had is given back if the database can be told; if not, it is
        taken from them when they have been silent for long enough."""
        for task in self._workers:
            task.cancel()
        if not self._workers:
            return
        await asyncio.wait(self._workers)
        beats = [worker.beat() for worker in self._workers.values()]
        self._workers.clear()
        with suppress(Unavailable):
            async with self.bench.database.writing(self.bench.tenant_id) as session:
                await repository.leave(session, beats)

    async def _beat(self) -> None:
        told = self.size
        while True:
            self.memory = self.measure()
            beats = [worker.beat() for worker in self._workers.values()]
            with suppress(Unavailable):
                async with self.bench.database.writing(self.bench.tenant_id) as session:
                    await repository.beat(session, self.bench.run.id, beats, LEASE)
                    if self.size != told:
                        told = self.size
                        note = f"{told.workers} workers: {told.reason}"
                        await pushes.change_run(session, self.bench.run.id, workers=told.workers, note=note)
            await asyncio.sleep(_BEAT_SECONDS)
