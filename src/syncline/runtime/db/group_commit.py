"""One transaction for all who write at the same time: what arrives while one flush runs goes into the next.

There is no timer. A single writer is written at once; under load the batches grow by themselves, and each commit, which
is what a write costs, is shared. Every caller is answered only after the commit that holds its item.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, cast

from syncline.kernel.errors import Unavailable
from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.observe.metrics import Counter, Gauge, Histogram

Item = TypeVar("Item")
Result = TypeVar("Result")
Write: TypeAlias = Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]

_ITEMS = Histogram(
    "syncline_group_commit_items", "Items in one transaction", ["group"], buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
_FAILED = Counter("syncline_group_commit_failures_total", "Items that were refused, by reason", ["group", "reason"])
_WAITING = Gauge("syncline_group_commit_waiting", "Items that wait for a transaction or are in one", ["group"])


class TooMuchWaits(Unavailable):
    """More has arrived than can be written; nothing of this item was kept."""

    code = "DB_008"
    title = "Too much is waiting to be written"


class NotWrittenInTime(Unavailable):
    """The transaction did not end in time. Whether the item was kept is not known: send it again, under its key."""

    code = "DB_009"
    title = "The database did not answer in time"


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """`batch_items` and `batch_bytes` bound one transaction, `waiting_bytes` and `waiting_items` all that is held in
    memory, `patience_seconds` how long one caller waits. `flushes` is how many transactions there may be at a time."""

    batch_items: int = 500
    batch_bytes: int = 8_000_000
    waiting_items: int = 20_000
    waiting_bytes: int = 64_000_000
    patience_seconds: float = 10.0
    flushes: int = 1


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Item, Result]):
    item: Item
    size: int
    answer: asyncio.Future[Result]


class GroupCommit(Generic[Item, Result]):
    """`write` keeps a batch in one transaction of its own and gives a result for each item, in order.

    What `write` raises about the database as a whole (`DatabaseUnavailable`) is raised to every caller of the batch:
    nobody is told that an item was kept which may not have been. Anything else is about some item: the batch is halved
    until the one that cannot be written stands alone, so that it does not fail its neighbours; its caller gets the
    error. So `write` may see an item more than once and must be safe to repeat. For one event loop.
    """

    def __init__(
        self,
        name: str,
        write: Write[Item, Result],
        *,
        size_of: Callable[[Item], int] = lambda _: 0,
        limits: GroupLimits | None = None,
    ) -> None:
        """`name` labels the metrics. `size_of` is an item's size in bytes."""
        self._name = name
        self._write = write
        self._size_of = size_of
        self._limits = limits or GroupLimits()
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._held_items = 0
        self._held_bytes = 0
        self._flushers: set[asyncio.Task[None]] = set()
        self._items = _ITEMS.labels(name)
        self._waiting = _WAITING.labels(name)

    async def submit(self, item: Item) -> Result:
        """Returns once the transaction with `item` is committed. Whoever stops waiting does not take it back.

        Raises `TooMuchWaits`, `NotWrittenInTime`, `DatabaseUnavailable`, and whatever `write` raises about this item.
        """
        size = self._size_of(item)
        limits = self._limits
        if self._held_items >= limits.waiting_items or self._held_bytes + size > limits.waiting_bytes:
            _FAILED.labels(self._name, "too_much_waits").inc()
            raise TooMuchWaits(
                "More arrives than can be written at the moment. Send it again in a moment.", extra=_SOON
            )
        loop = asyncio.get_running_loop()
        waiting = _Waiting[Item, Result](item, size, loop.create_future())
        self._queue.append(waiting)
        self._hold(1, size)
        if len(self._flushers) < limits.flushes:
            flusher = loop.create_task(self._flush_all(), name=f"group commit {self._name}")
            self._flushers.add(flusher)
        patience = loop.call_later(limits.patience_seconds, self._give_up, waiting)
        try:
            return await waiting.answer
        finally:
            patience.cancel()

    async def drain(self) -> None:
        """Returns once all that was submitted has been answered."""
        while self._flushers:
            await asyncio.wait([*self._flushers])

    def _give_up(self, waiting: _Waiting[Item, Result]) -> None:
        if not waiting.answer.done():
            _FAILED.labels(self._name, "not_in_time").inc()
            waiting.answer.set_exception(
                NotWrittenInTime("The database did not answer in time. Send it again in a moment.", extra=_SOON)
            )

    async def _flush_all(self) -> None:
        try:
            while self._queue:
                batch = self._next_batch()
                try:
                    await self._flush(batch)
                finally:
                    self._hold(-len(batch), -sum(one.size for one in batch))
        finally:
            # Here and not when the task is done: whoever comes in between must find that a flush is to be begun.
            self._flushers.discard(cast("asyncio.Task[None]", asyncio.current_task()))
            if not self._flushers:
                self._abandon()

    def _abandon(self) -> None:
        """Nothing waits after the last flush, unless it was cancelled with the loop: then nobody is left waiting."""
        for one in self._queue:
            one.answer.cancel()
        self._hold(-len(self._queue), -sum(one.size for one in self._queue))
        self._queue.clear()

    def _next_batch(self) -> list[_Waiting[Item, Result]]:
        """At least one, however large."""
        batch: list[_Waiting[Item, Result]] = []
        room = self._limits.batch_bytes
        while self._queue and len(batch) < self._limits.batch_items:
            if batch and self._queue[0].size > room:
                break
            one = self._queue.popleft()
            room -= one.size
            batch.append(one)
        return batch

    async def _flush(self, batch: Sequence[_Waiting[Item, Result]]) -> None:
        self._items.observe(len(batch))
        try:
            results = await self._write([one.item for one in batch])
            answered = list(zip(batch, results, strict=True))
        except DatabaseUnavailable as error:
            self._refuse(batch, error, "database")
        except asyncio.CancelledError:
            for one in batch:
                one.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told to the caller whose item it is about
            if len(batch) == 1:
                self._refuse(batch, error, "item")
                return
            middle = len(batch) // 2
            await self._flush(batch[:middle])
            await self._flush(batch[middle:])
        else:
            for one, result in answered:
                if not one.answer.done():
                    one.answer.set_result(result)

    def _refuse(self, batch: Sequence[_Waiting[Item, Result]], error: Exception, reason: str) -> None:
        for one in batch:
            if not one.answer.done():
                _FAILED.labels(self._name, reason).inc()
                one.answer.set_exception(error)

    def _hold(self, items: int, size: int) -> None:
        self._held_items += items
        self._held_bytes += size
        self._waiting.set(self._held_items)


_SOON = {"retry_after": 1}
