"""What a pull says."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from uuid import UUID

from syncline.apps.commerce.contract import OperationKind, PullMode, RunStatus, Store
from syncline.apps.commerce.live import operations
from syncline.apps.commerce.live.operations import operation_of
from syncline.apps.commerce.pull.repository import RunRow, StreamRow, list_streams
from syncline.apps.commerce.stores.repository import find_by_id
from syncline.runtime.db.session import WriteSession
from syncline.runtime.live.announcing import Pace


async def pull_began(
    session: WriteSession,
    store: Store,
    run_id: UUID,
    *,
    mode: PullMode,
    streams: list[str],
    left_out: dict[str, str],
    requested_by: str,
) -> None:
    operation = operation_of(OperationKind.PULL, run_id, store.name)
    await operations.began(session, operation, requested_by=requested_by, mode=mode.value, streams=streams)
    for stream, sentence in left_out.items():
        await operations.warned(session, operation, sentence, stream=stream)


async def pull_ended(session: WriteSession, run: RunRow, *, status: RunStatus, sentence: str | None) -> None:
    row = await find_by_id(session, run.store_id)
    streams = await list_streams(session, run.id)
    names = ("read", "inserted", "updated", "unchanged", "deleted")
    counts = {name: sum(int(getattr(stream, name)) for stream in streams) for name in names}
    await operations.ended(
        session,
        operation_of(OperationKind.PULL, run.id, row.store.name if row else None),
        store_id=run.store_id,
        status=status,
        sentence=sentence,
        counts=counts,
        requested_by=run.requested_by,
    )


@dataclass(slots=True)
class StreamTelling:
    """Says how one stream gets on, in the transactions of its chunks. The rate is that of this worker, which may have
    taken the stream up in the middle."""

    store: str | None
    pace: Pace = field(default_factory=Pace)
    began_at: float = field(default_factory=time.monotonic)
    began_with: int | None = None

    async def chunk(self, session: WriteSession, held: StreamRow) -> None:
        """After each; says something at most once a second."""
        if self.began_with is None:
            self.began_with = held.read
        if self.pace.is_due():
            await self._say(session, held)

    async def end(self, session: WriteSession, held: StreamRow) -> None:
        await self._say(session, held)
        operation = operation_of(OperationKind.PULL, held.run_id, self.store)
        sentence = f"{held.stream}: {held.read:,} read, {held.inserted:,} new, {held.updated:,} changed,"
        await operations.noted(session, operation, f"{sentence} {held.deleted:,} gone.", stream=held.stream)

    async def note(self, session: WriteSession, held: StreamRow, sentence: str) -> None:
        operation = operation_of(OperationKind.PULL, held.run_id, self.store)
        await operations.noted(session, operation, f"{held.stream}: {sentence}", stream=held.stream)

    async def wait(self, session: WriteSession, held: StreamRow, sentence: str) -> None:
        """What it waits for."""
        operation = operation_of(OperationKind.PULL, held.run_id, self.store)
        await operations.warned(session, operation, f"{held.stream}: {sentence}", stream=held.stream)

    async def _say(self, session: WriteSession, held: StreamRow) -> None:
        seconds = time.monotonic() - self.began_at
        here = held.read - (self.began_with or 0)
        rate = here / seconds if here and seconds > 0 else 0.0
        whole = held.expected or held.total
        left = max(0, whole - held.read) if whole is not None else None
        facts = {
            "stream": held.stream,
            "status": held.status,
            "path": held.path,
            "worker": held.epoch,
            "read": held.read,
            "total": whole,
            "inserted": held.inserted,
            "updated": held.updated,
            "unchanged": held.unchanged,
            "deleted": held.deleted,
            "per_second": round(rate, 1),
            "eta_seconds": None if left is None or not rate else round(left / rate, 1),
        }
        operation = operation_of(OperationKind.PULL, held.run_id, self.store)
        await operations.progressed(session, operation, facts, part=held.stream)
