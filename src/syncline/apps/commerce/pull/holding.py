"""What a worker holds while it reads one stream. Every chunk commits rows, keys, counts and cursor together, so a
worker that dies costs one chunk; the next one finds all it needs in the stream's row."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

from syncline.apps.commerce.metrics import RECORDS
from syncline.apps.commerce.mirror.loading import Loaded, refresh_statistics
from syncline.apps.commerce.mirror.merging import Notice
from syncline.apps.commerce.pull import repository
from syncline.apps.commerce.pull.ahead import Piece, Ready, ready_ahead
from syncline.apps.commerce.pull.repository import StreamRow
from syncline.apps.commerce.pull.telling import StreamTelling
from syncline.apps.commerce.settings import CommerceSettings
from syncline.connectors.shopify.client import ShopifyClient
from syncline.kernel.errors import Retriable
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database

MAX_RESTARTS: Final = 3
_GROWTH: Final = 10
"""The planner's statistics are taken anew each time a stream has written so many times more rows."""


@dataclass(slots=True)
class Holding:
    """One stream of one run in the hands of a worker, with the row as it was last committed."""

    database: Database
    tenant_id: TenantId
    client: ShopifyClient
    settings: CommerceSettings
    held: StreamRow
    telling: StreamTelling = field(default_factory=lambda: StreamTelling(None))
    notice: Notice | None = None
    written: int = 0
    look_again_at: int = 4_000

    async def note(self, **values: Any) -> None:
        async with self.database.writing(self.tenant_id) as session:
            held = await repository.update_stream(session, self.held, **values)
        self.held = held

    async def tell(self, sentence: str) -> None:
        """What the stream waits for, for whoever looks at it."""
        async with self.database.writing(self.tenant_id) as session:
            held = await repository.update_stream(session, self.held, error=sentence)
            await self.telling.wait(session, held, sentence)
        self.held = held

    async def store_all(self, pieces: AsyncGenerator[Piece, None]) -> None:
        held = self.held
        async with aclosing(ready_ahead(self.database, self.tenant_id, held.store_id, held.stream, pieces)) as ahead:
            async for ready in ahead:
                await self._store(ready)

    async def _store(self, ready: Ready) -> None:
        assert self.held.read_from is not None
        async with self.database.writing(self.tenant_id) as session:
            loaded = await ready.store(session, self.held.store_id, read_from=self.held.read_from, notice=self.notice)
            held = await repository.record_chunk(session, self.held, cursor=ready.cursor, loaded=loaded)
            await self.telling.chunk(session, held)
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

    async def begin_again(self, why: str, path: str) -> bool:
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
                slices=None,
                expected=None,
                cursor=None,
                reason=f"begun again: {why}",
                read_from=self.client.store_now(),
            )
            # What only the first reading saw may be gone by now.
            await repository.forget_seen(session, self.held.run_id, self.held.stream)
        return False
