"""One stream of one run, from wherever it stands to its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Final

import structlog

from syncline.apps.commerce.contract import RunStatus
from syncline.apps.commerce.pull import repository
from syncline.apps.commerce.pull.ahead import Piece
from syncline.apps.commerce.pull.bulk_reading import BulkReading
from syncline.apps.commerce.pull.ending import finish
from syncline.apps.commerce.pull.holding import Holding
from syncline.apps.commerce.pull.repository import LeaseLost
from syncline.connectors.shopify import bulk, planner, streams
from syncline.connectors.shopify.sources import SOURCES

log = structlog.get_logger(__name__)

END: Final = "end"
"""The cursor of a paged stream whose last page is stored."""

_BY_VARIANTS: Final = frozenset({streams.INVENTORY.name, streams.INVENTORY_ITEMS.name})
"""Streams whose size Shopify does not tell. The mirror does not know it either while it is being filled."""

_CHANGED_SHARE: Final = 0.02
"""The part of a store that an incremental pull is taken to find changed, for the plan only."""


@dataclass(slots=True)
class StreamWork(Holding):
    """Plans, reads and ends the stream."""

    async def run(self) -> None:
        """From where the row says the stream stands: after a commit whose answer was lost only the database knows."""
        try:
            await self.note(status=RunStatus.RUNNING)
            if self.held.path is None:
                await self._plan()
            while not await self._read_once():
                log.info("pull.stream_restarted", stream=self.held.stream, restarts=self.held.restarts)
            await finish(self)
        except LeaseLost:
            await self._let_go()
            raise

    async def _let_go(self) -> None:
        async with self.database.reading(self.tenant_id) as session:
            run = await repository.find_run(session, self.held.run_id)
        if run is not None and run.status.is_final and self.held.path == "bulk":
            await BulkReading(self).let_go()

    async def _plan(self) -> None:
        """Bulk or paged, by predicted time from what this store took before."""
        stream = streams.STREAMS[self.held.stream]
        counts = await streams.count(self.client, stream)
        known = [count for count in counts.values() if count is not None]
        is_full = self.held.since is None
        async with self.database.reading(self.tenant_id) as session:
            state = await repository.find_state(session, self.held.store_id, self.held.stream)
        variants = await streams.count_variants(self.client) if stream.name in _BY_VARIANTS else None
        plan = planner.predict(
            stream,
            {"variant": variants, **counts},
            bucket=self.client.limiter.bucket,
            share=1.0 if is_full else _CHANGED_SHARE,
            locations=counts.get("location") or 1,
            measured=planner.Measured.load(state.rates),
        )
        wanted = self.held.path_wanted
        path = plan.path if wanted is None or SOURCES[self.held.stream].is_paged_only else wanted
        await self.note(
            path=path,
            reason=plan.reason if path == plan.path else f"{path}: asked for",
            total=sum(known) if is_full and len(known) == len(counts) else None,
            read_from=self.client.store_now(),
        )

    async def _read_once(self) -> bool:
        """True when the stream was read to its end; False when it must begin again another way."""
        if self.held.path == "paged":
            await self.store_all(self._pages())
            await self._learn_pages()
            return True
        return await BulkReading(self).run()

    async def _learn_pages(self) -> None:
        """What a page took weighs in the next plan."""
        took = streams.page_seconds(self.client, streams.STREAMS[self.held.stream])
        if took is None:
            return
        async with self.database.writing(self.tenant_id) as session:
            before = await repository.find_state(session, self.held.store_id, self.held.stream)
            rates = replace(planner.Measured.load(before.rates), page_seconds=took).dump()
            await repository.keep_state(session, self.held.store_id, self.held.stream, rates=rates)

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
