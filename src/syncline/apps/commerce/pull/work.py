"""One stream of one run, from wherever it stands to its end. Every chunk commits rows, keys, counts and cursor
together, so a worker that dies costs one chunk; the next one finds all it needs in the stream's row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict

import structlog

from syncline.apps.commerce.contract import RunStatus
from syncline.apps.commerce.metrics import RECORDS
from syncline.apps.commerce.mirror.kinds import KINDS, VARIANT, kinds_of
from syncline.apps.commerce.mirror.loading import Loaded, refresh_statistics
from syncline.apps.commerce.mirror.repository import count_kind
from syncline.apps.commerce.mirror.tombstones import (
    bury_by_key,
    bury_orphans,
    bury_unseen,
    bury_unseen_children,
)
from syncline.apps.commerce.pull import repository
from syncline.apps.commerce.pull.ahead import Piece, Ready, ready_ahead
from syncline.apps.commerce.pull.repository import LeaseLost, StreamRow
from syncline.apps.commerce.settings import CommerceSettings
from syncline.connectors.shopify import bulk, planner, streams
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.sources import SOURCES
from syncline.kernel import clock
from syncline.kernel.errors import ConnectorOutcome, Retriable
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession

log = structlog.get_logger(__name__)

MAX_RESTARTS = 3
_GROWTH = 10
"""The planner's statistics are taken anew each time a stream has written so many times more rows."""
END = "end"
"""The cursor of a paged stream whose last page is stored."""

_CHANGED_SHARE = 0.02
"""The part of a store that an incremental pull is taken to find changed, for the plan only."""

_POLL_FIRST = timedelta(milliseconds=100)
_POLL_MOST = timedelta(seconds=5)
_SLOT_PAUSE = timedelta(seconds=2)


class Measured(TypedDict):
    bulk: planner.BulkModel | None


def measured(rates: Mapping[str, float] | None) -> Measured:
    """What earlier pulls of the stream measured, as the planner takes it."""
    return {"bulk": planner.BulkModel(**rates) if rates else None}


@dataclass(slots=True)
class StreamWork:
    """What a worker holds while it reads one stream."""

    database: Database
    tenant_id: TenantId
    client: ShopifyClient
    settings: CommerceSettings
    held: StreamRow
    written: int = 0
    look_again_at: int = 4_000

    async def note(self, **values: Any) -> None:
        async with self.database.writing(self.tenant_id) as session:
            held = await repository.update_stream(session, self.held, **values)
        self.held = held

    async def tell(self, sentence: str) -> None:
        """What the stream waits for, for whoever looks at it."""
        await self.note(error=sentence)

    async def run(self) -> None:
        """From where the row says the stream stands: after a commit whose answer was lost only the database knows."""
        try:
            await self.note(status=RunStatus.RUNNING)
            if self.held.path is None:
                await self._plan()
            while not await self._read_once():
                log.info("pull.stream_restarted", stream=self.held.stream, restarts=self.held.restarts)
            await self._finish()
        except LeaseLost:
            await self._let_go()
            raise

    async def _let_go(self) -> None:
        """Nobody waits for the bulk operation of a run that has ended, and it would keep a slot of few."""
        async with self.database.reading(self.tenant_id) as session:
            run = await repository.find_run(session, self.held.run_id)
        if run is None or not run.status.is_final or self.held.operation_id is None:
            return
        try:
            await bulk.cancel(self.client, self.held.operation_id)
        except ConnectorOutcome as error:
            log.warning("pull.operation_left_running", operation_id=self.held.operation_id, reason=error.sentence)

    async def _plan(self) -> None:
        """Bulk or paged, by predicted time from what this store took before."""
        stream = streams.STREAMS[self.held.stream]
        counts = await streams.count(self.client, stream)
        known = [count for count in counts.values() if count is not None]
        is_full = self.held.since is None
        async with self.database.reading(self.tenant_id) as session:
            state = await repository.find_state(session, self.held.store_id, self.held.stream)
            variants = await count_kind(session, self.held.store_id, VARIANT)
        plan = planner.predict(
            stream,
            {"variant": variants, **counts},
            bucket=self.client.limiter.bucket,
            share=1.0 if is_full else _CHANGED_SHARE,
            locations=counts.get("location") or 1,
            **measured(state.rates),
        )
        path = self.held.path_wanted or plan.path
        await self.note(
            path=path,
            reason=plan.reason if path == plan.path else f"{path}: asked for",
            total=sum(known) if is_full and len(known) == len(counts) else None,
            read_from=self.client.store_now(),
        )

    async def _read_once(self) -> bool:
        """True when the stream was read to its end; False when it must begin again another way."""
        if self.held.path == "paged":
            await self._store_all(self._pages())
            return True
        return await self._read_bulk()

    async def _store_all(self, pieces: AsyncGenerator[Piece, None]) -> None:
        held = self.held
        async with aclosing(ready_ahead(self.database, self.tenant_id, held.store_id, held.stream, pieces)) as ahead:
            async for ready in ahead:
                await self._store(ready)

    async def _store(self, ready: Ready) -> None:
        assert self.held.read_from is not None
        async with self.database.writing(self.tenant_id) as session:
            loaded = await ready.store(session, self.held.store_id, read_from=self.held.read_from)
            held = await repository.record_chunk(session, self.held, cursor=ready.cursor, loaded=loaded)
        self.held = held  # only now is it committed
        self._count(loaded)
        self.written += loaded.inserted
        if self.written >= self.look_again_at:
            self.look_again_at = self.written * _GROWTH
            async with self.database.writing(self.tenant_id) as session:
                await refresh_statistics(session)

    def _count(self, loaded: Loaded) -> None:
        counts = {
            "inserted": loaded.inserted,
            "updated": loaded.updated,
            "unchanged": loaded.unchanged,
            "duplicate": loaded.duplicates,
            "unreadable": len(loaded.unreadable),
        }
        for outcome, count in counts.items():
            RECORDS.labels(stream=self.held.stream, outcome=outcome).inc(count)

    async def _pages(self) -> AsyncGenerator[Piece, None]:
        if self.held.cursor == END:
            return
        waiting: list[bytes] = []
        held = 0
        stream = streams.STREAMS[self.held.stream]
        async for page in streams.read_pages(self.client, stream, since=self.held.since, cursor=self.held.cursor):
            waiting += page.lines
            held += sum(map(len, page.lines))
            if page.last or page.cursor is None:
                yield Piece(waiting, END)
                return
            if len(waiting) >= self.settings.chunk_lines or held >= bulk.CHUNK_BYTES:
                yield Piece(waiting, page.cursor)
                waiting, held = [], 0

    async def _read_bulk(self) -> bool:
        state = await self._operation()
        if state.is_complete:
            await self.note(total=state.object_count, expected=state.object_count)
            try:
                await self._read_file(state)
            except bulk.BulkUrlExpired:
                return await self._again("the result's address expired", path="bulk")
            except bulk.FileTruncated:
                return await self._again("the result ended before its end", path="bulk")
            await self._learn(state)
            return True
        if state.partial_url is not None:
            await self._read_partial(state)
        code = state.error_code or state.status
        return await self._again(f"Shopify ended the bulk operation with {code}", path="paged")

    async def _read_partial(self, state: bulk.BulkState) -> None:
        """What a failed operation left makes the pages after it cheaper to store; they do not depend on it."""
        try:
            await self._read_file(state)
        except Retriable as error:
            log.info("pull.partial_result_left", stream=self.held.stream, reason=error.sentence)

    async def _learn(self, state: bulk.BulkState) -> None:
        async with self.database.writing(self.tenant_id) as session:
            before = await repository.find_state(session, self.held.store_id, self.held.stream)
            model = (measured(before.rates)["bulk"] or planner.BulkModel()).learned(state)
            await repository.keep_state(session, self.held.store_id, self.held.stream, rates=asdict(model))

    async def _operation(self) -> bulk.BulkState:
        """The stream's bulk operation, at its end. One that does not get on for `bulk_patience` is cancelled."""
        if self.held.operation_id is None:
            await self._start_operation()
        pause = _POLL_FIRST
        moved_at, count = time.monotonic(), -1
        while True:
            assert self.held.operation_id is not None
            state = await bulk.find(self.client, self.held.operation_id)
            if not state.is_running:
                return state
            # Writing is also how a cancelled run is noticed while Shopify is at work.
            await self.note(expected=state.object_count)
            if state.object_count != count:
                moved_at, count = time.monotonic(), state.object_count
            elif time.monotonic() - moved_at > self.settings.bulk_patience.total_seconds():
                log.warning("pull.operation_stuck", operation_id=state.id, objects=count)
                await bulk.cancel(self.client, state.id)
                moved_at = time.monotonic()
            await asyncio.sleep(pause.total_seconds())
            pause = min(pause * 1.5, _POLL_MOST)

    async def _start_operation(self) -> None:
        """Waits for a slot as long as it takes: others' operations end by themselves, and the run can be cancelled."""
        stream = streams.STREAMS[self.held.stream]
        while True:
            try:
                operation = await bulk.start(self.client, stream, since=self.held.since, patience=timedelta(0))
            except bulk.BulkBusy as error:
                await self.note(reason=error.sentence)
                await asyncio.sleep(_SLOT_PAUSE.total_seconds())
            else:
                break
        started = await bulk.find(self.client, operation)
        await self.note(operation_id=operation, read_from=datetime.fromisoformat(started.created_at), cursor=None)

    async def _read_file(self, state: bulk.BulkState) -> None:
        """The result, or what a failed operation left of it, one chunk a transaction; nothing when it found nothing."""
        url = state.url or state.partial_url
        if url is None:
            return
        chunks = bulk.read_file(
            self.client,
            url,
            offset=int(self.held.cursor or 0),
            chunk_lines=self.settings.chunk_lines,
            size=state.file_size if state.is_complete else None,
        )
        await self._store_all(_pieces(chunks))

    async def _again(self, why: str, *, path: str) -> bool:
        """Begin the stream again. What is stored stays: the second reading finds it unchanged."""
        if self.held.restarts >= MAX_RESTARTS:
            raise Retriable(f"The stream {self.held.stream} was begun {MAX_RESTARTS} times and each time {why}.")
        async with self.database.writing(self.tenant_id) as session:
            self.held = await repository.update_stream(
                session,
                self.held,
                restarts=self.held.restarts + 1,
                path=path,
                operation_id=None,
                expected=None,
                cursor=None,
                reason=f"begun again: {why}",
                read_from=self.client.store_now(),
            )
            # What only the first reading saw may be gone by now.
            await repository.forget_seen(session, self.held.run_id, self.held.stream)
        return False

    async def _finish(self) -> None:
        """Mark what is gone and make the stream final."""
        held = self.held
        assert held.read_from is not None
        gone = await self._deletions()
        async with self.database.writing(self.tenant_id) as session:
            seen = await repository.count_seen(session, held.run_id, held.stream)
            missing = self._missing(sum(seen.values()))
            incomplete: dict[str, Any] = {}
            deleted = 0
            if missing:
                sentence = f"Shopify counted {missing} more records than it sent; they are looked for by their ids."
                incomplete = {"is_incomplete": True, "notes": [sentence]}
            else:
                deleted += await self._bury_unseen(session)
            for deletion in gone:
                moment = datetime.fromisoformat(deletion.at)
                deleted += await bury_by_key(
                    session, held.store_id, KINDS[deletion.kind], [(deletion.id,)], moment=moment
                )
            if deleted:
                deleted += await self._bury_orphans(session)
            await repository.update_stream(
                session,
                held,
                status=RunStatus.COMPLETED,
                finished_at=clock.now(),
                deleted=deleted,
                error=None,
                **incomplete,
            )

    def _missing(self, seen: int) -> int:
        """How many fewer distinct records came than the bulk operation says it has."""
        return max(0, self.held.expected - seen) if self.held.expected is not None else 0

    async def _bury_unseen(self, session: WriteSession) -> int:
        """After a complete reading all that it did not name; after an incremental one what its records came without.
        A stream that is dated below its root brings only the changed children of each record: there nothing is gone."""
        held = self.held
        assert held.read_from is not None
        buried = 0
        if held.since is not None and not SOURCES[held.stream].is_dated:
            return 0
        for kind in kinds_of(held.stream):
            if held.since is None:
                buried += await bury_unseen(
                    session, held.store_id, kind, run_id=held.run_id, stream=held.stream, read_from=held.read_from
                )
                continue
            for parent in kind.parents:
                if parent.seen_as is not None or KINDS[parent.kind].stream == held.stream:
                    buried += await bury_unseen_children(
                        session, held.store_id, kind, parent, run_id=held.run_id, read_from=held.read_from
                    )
        return buried

    async def _bury_orphans(self, session: WriteSession) -> int:
        """Within the stream. What other streams hold of a record that is gone is buried when all have ended: here it
        would cross with their loading."""
        held = self.held
        assert held.read_from is not None
        buried = 0
        for kind in kinds_of(held.stream):
            for parent in kind.parents:
                if KINDS[parent.kind].stream == held.stream:
                    buried += await bury_orphans(session, held.store_id, kind, parent, moment=held.read_from)
        return buried

    async def _deletions(self) -> list[streams.Deletion]:
        """What the store's event log says is gone of the stream's own records; children go with them."""
        kinds = kinds_of(self.held.stream)
        if self.held.since is None or SOURCES[self.held.stream].subject is None:
            return []
        return [
            deletion
            async for page in streams.read_deletions(self.client, self.held.since)
            for deletion in page
            if deletion.kind == kinds[0].name
        ]


async def _pieces(chunks: AsyncGenerator[bulk.FileChunk, None]) -> AsyncGenerator[Piece, None]:
    async with aclosing(chunks):
        async for chunk in chunks:
            yield Piece(chunk.lines, str(chunk.end_offset))
