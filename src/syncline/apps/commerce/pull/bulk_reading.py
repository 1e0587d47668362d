"""A stream read by bulk operations: one, or one for each slice of it when one would be too large or has failed.

A slice that is read stays read: a worker that dies goes on inside the slice it was at, and what Shopify spoils of one
slice is asked for again alone. While one slice's file is read, Shopify works on the next ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from syncline.apps.commerce.pull import repository
from syncline.apps.commerce.pull.ahead import Piece
from syncline.apps.commerce.pull.holding import MAX_RESTARTS, Holding
from syncline.apps.commerce.pull.slices import Slice, dump, load, split
from syncline.connectors.shopify import bulk, planner, streams
from syncline.kernel.errors import ConnectorOutcome, Retriable

log = structlog.get_logger(__name__)

AHEAD: Final = 3
"""Operations begun before their turn. Shopify runs five at once for an app and store since 2026-01, and the other
streams need theirs; where all slots are taken nothing is begun early."""
LEAST: Final = 500
"""A slice of fewer records is not parted further: what fails then is read by pages."""

_POLL_FIRST = timedelta(milliseconds=100)
_POLL_MOST = timedelta(seconds=5)
_SLOT_PAUSE = timedelta(seconds=2)


class BulkReading:
    """The reading of one stream. Its slices lie in the stream's row, and so does the cursor, which stands in the first
    slice that is not done."""

    def __init__(self, holding: Holding) -> None:
        self.holding = holding
        self.stream = streams.STREAMS[holding.held.stream]

    @property
    def slices(self) -> list[Slice]:
        held = self.holding.held
        return load(held.slices) if held.slices else [Slice(operation_id=held.operation_id)]

    async def run(self) -> bool:
        """True when the stream was read to its end; False when it must begin again another way."""
        await self._cut()
        while (index := _next(self.slices)) is not None:
            state = await self._operation(index)
            if not state.is_complete:
                if await self._part(index, state):
                    continue
                await self._read_partial(index, state)
                return await self.holding.begin_again(f"Shopify ended the bulk operation with {_end(state)}", "paged")
            await self._read(index, state)
        return True

    async def let_go(self) -> None:
        """Nobody waits for the operations of a run that has ended, and they would keep slots of few."""
        for one in self.slices:
            if one.operation_id is None or one.is_done:
                continue
            try:
                await bulk.cancel(self.holding.client, one.operation_id)
            except ConnectorOutcome as error:
                log.warning("pull.operation_left_running", operation_id=one.operation_id, reason=error.sentence)

    async def _cut(self) -> None:
        """Into slices that Shopify is predicted to work on for `bulk_slice` at most, from what it took before."""
        held = self.holding.held
        if held.slices or held.operation_id is not None:
            return
        whole = Slice()
        if held.since is not None:
            await self._keep([whole])
            return
        async with self.holding.database.reading(self.holding.tenant_id) as session:
            state = await repository.find_state(session, held.store_id, held.stream)
        model = planner.Measured.load(state.rates).bulk
        counts = await streams.count(self.holding.client, self.stream)
        most = planner.records_within(self.stream, counts, model, self.holding.settings.bulk_slice)
        slices = await self._split(whole, most)
        await self._keep(slices)
        if len(slices) > 1:
            await self.holding.note(reason=f"bulk, in {len(slices)} parts by the day the records were made")

    async def _split(self, one: Slice, most: int) -> list[Slice]:
        count = partial(streams.count_found, self.holding.client, self.stream)
        return await split(one, most=most, now=self.holding.client.store_now(), count=count)

    async def _keep(self, slices: list[Slice], **values: object) -> None:
        current = next((one for one in slices if not one.is_done), None)
        known = [one.expected for one in slices if one.expected is not None]
        await self.holding.note(
            slices=dump(slices),
            operation_id=current.operation_id if current is not None else self.holding.held.operation_id,
            expected=sum(known) if known else None,
            **values,
        )

    async def _change(self, index: int, one: Slice, **values: object) -> None:
        slices = self.slices
        slices[index] = one
        await self._keep(slices, **values)

    async def _part(self, index: int, state: bulk.BulkState) -> bool:
        """Ask for the slice in halves. False when that cannot help: the permission is lacking, or it is small already.
        `LEAST` is what Shopify has always managed."""
        if state.error_code == "ACCESS_DENIED" or self.holding.held.restarts >= MAX_RESTARTS:
            return False
        failed = self.slices[index]
        found = await streams.count_found(self.holding.client, self.stream, failed.search)
        if found is None or found < 2 * LEAST:
            return False
        halves = await self._split(failed.again(), -(-found // 2))
        if len(halves) == 1:
            return False
        await self._forget(index)
        slices = self.slices
        slices[index : index + 1] = halves
        why = f"begun again in {len(slices)} parts: Shopify ended the bulk operation with {_end(state)}"
        await self._keep(slices, cursor=None, reason=why, restarts=self.holding.held.restarts + 1)
        return True

    async def _operation(self, index: int) -> bulk.BulkState:
        """The slice's bulk operation, at its end. One that does not get on for `bulk_patience` is cancelled."""
        if self.slices[index].operation_id is None:
            await self._start(index)
        holding = self.holding
        pause = _POLL_FIRST
        moved_at, count = time.monotonic(), -1
        while True:
            await self._start_ahead(index)
            state = await bulk.find(holding.client, self.slices[index].operation_id or "")
            if not state.is_running:
                return state
            # Writing is also how a cancelled run is noticed while Shopify is at work.
            await self._change(index, replace(self.slices[index], expected=state.object_count))
            if state.object_count != count:
                moved_at, count = time.monotonic(), state.object_count
            elif time.monotonic() - moved_at > holding.settings.bulk_patience.total_seconds():
                log.warning("pull.operation_stuck", operation_id=state.id, objects=count)
                await bulk.cancel(holding.client, state.id)
                moved_at = time.monotonic()
            await asyncio.sleep(pause.total_seconds())
            pause = min(pause * 1.5, _POLL_MOST)

    async def _start(self, index: int) -> None:
        """Waits for a slot as long as it takes: others' operations end by themselves, and the run can be cancelled."""
        while True:
            if await self._try_start(index):
                return
            await asyncio.sleep(_SLOT_PAUSE.total_seconds())

    async def _start_ahead(self, index: int) -> None:
        slices = self.slices
        waiting = [at for at in range(index + 1, min(index + 1 + AHEAD, len(slices))) if not slices[at].operation_id]
        for at in waiting[:1]:
            await self._try_start(at)

    async def _try_start(self, index: int) -> bool:
        holding = self.holding
        one = self.slices[index]
        try:
            operation = await bulk.start(
                holding.client, self.stream, since=holding.held.since, within=one.search, patience=timedelta(0)
            )
        except bulk.BulkBusy as error:
            if _next(self.slices) == index:
                await holding.note(reason=error.sentence)
            return False
        values: dict[str, object] = {}
        if not any(other.operation_id for other in self.slices):
            # What is marked as gone must be older than the first reading.
            state = await bulk.find(holding.client, operation)
            values = {"read_from": datetime.fromisoformat(state.created_at), "cursor": None}
        await self._change(index, replace(one, operation_id=operation), **values)
        return True

    async def _read(self, index: int, state: bulk.BulkState) -> None:
        one = replace(self.slices[index], expected=state.object_count)
        await self._change(index, one, total=sum(each.expected or 0 for each in self._with(index, one)))
        try:
            await self._read_file(index, state)
        except bulk.BulkUrlExpired:
            await self._reread(index, "the result's address expired")
            return
        except bulk.FileTruncated:
            await self._reread(index, "the result ended before its end")
            return
        await self._learn(state)
        await self._change(index, replace(self.slices[index], is_done=True), cursor=None)

    def _with(self, index: int, one: Slice) -> list[Slice]:
        slices = self.slices
        slices[index] = one
        return slices

    async def _read_file(self, index: int, state: bulk.BulkState) -> None:
        """The result, or what a failed operation left of it, one chunk a transaction; nothing when it found nothing."""
        url = state.url or state.partial_url
        if url is None:
            return
        holding = self.holding
        chunks = bulk.read_file(
            holding.client,
            url,
            offset=_offset(holding.held.cursor),
            chunk_lines=holding.settings.chunk_lines,
            size=state.file_size if state.is_complete else None,
        )
        await holding.store_all(_pieces(chunks, index))

    async def _read_partial(self, index: int, state: bulk.BulkState) -> None:
        """What a failed operation left makes the pages after it cheaper to store; they do not depend on it."""
        if state.partial_url is None:
            return
        try:
            await self._read_file(index, state)
        except Retriable as error:
            log.info("pull.partial_result_left", stream=self.stream.name, reason=error.sentence)

    async def _reread(self, index: int, why: str) -> None:
        """Ask for the slice again. What is stored stays: the second reading finds it unchanged."""
        held = self.holding.held
        if held.restarts >= MAX_RESTARTS:
            raise Retriable(f"The stream {held.stream} was begun {MAX_RESTARTS} times and each time {why}.")
        await self._forget(index)
        again = self.slices[index].again()
        reason = f"begun again: {why}"
        await self._change(index, again, cursor=None, reason=reason, restarts=held.restarts + 1)

    async def _forget(self, index: int) -> None:
        """What only the first reading of a slice saw may be gone by now."""
        held = self.holding.held
        async with self.holding.database.writing(self.holding.tenant_id) as session:
            await repository.forget_seen(session, held.run_id, held.stream, part=f"{index}/")

    async def _learn(self, state: bulk.BulkState) -> None:
        held = self.holding.held
        async with self.holding.database.writing(self.holding.tenant_id) as session:
            before = await repository.find_state(session, held.store_id, held.stream)
            known = planner.Measured.load(before.rates)
            rates = replace(known, bulk=known.bulk.learned(state)).dump()
            await repository.keep_state(session, held.store_id, held.stream, rates=rates)


def _next(slices: list[Slice]) -> int | None:
    return next((index for index, one in enumerate(slices) if not one.is_done), None)


def _end(state: bulk.BulkState) -> str:
    return state.error_code or state.status


def _offset(cursor: str | None) -> int:
    """Of `slice/offset`."""
    return int(cursor.rpartition("/")[2]) if cursor else 0


async def _pieces(chunks: AsyncGenerator[bulk.FileChunk, None], index: int) -> AsyncGenerator[Piece, None]:
    async with aclosing(chunks):
        async for chunk in chunks:
            yield Piece(chunk.lines, f"{index}/{chunk.end_offset}")
