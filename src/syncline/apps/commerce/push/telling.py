"""What a push says."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from syncline.apps.commerce.contract import ChangeStatus, OperationKind, RunStatus, Store
from syncline.apps.commerce.live import operations
from syncline.apps.commerce.live.operations import operation_of
from syncline.apps.commerce.push.repository import End, PushRow, count_changes
from syncline.runtime.db.session import WriteSession
from syncline.runtime.live.announcing import Pace

MOST_LINES = 100
"""Changes named one by one in the log of a push; the receipts have all of them."""

_WAITING = (ChangeStatus.APPROVED, ChangeStatus.SENDING)
_TROUBLE = (ChangeStatus.CONFLICT, ChangeStatus.FAILED)


async def push_began(session: WriteSession, store: Store, run: PushRow) -> None:
    operation = operation_of(OperationKind.PUSH, run.id, store.name)
    await operations.began(session, operation, requested_by=run.requested_by, total=run.total)


async def push_ended(
    session: WriteSession,
    run: PushRow,
    store: str | None,
    *,
    status: RunStatus,
    sentence: str | None,
    counts: Mapping[str, int],
) -> None:
    operation = operation_of(OperationKind.PUSH, run.id, store)
    await operations.ended(
        session,
        operation,
        store_id=run.store_id,
        status=status,
        sentence=sentence,
        counts=counts,
        requested_by=run.requested_by,
    )


@dataclass(slots=True)
class PushTelling:
    """Says how a push gets on, in the transactions that settle its changes."""

    store: str | None
    pace: Pace = field(default_factory=Pace)
    began_at: float = field(default_factory=time.monotonic)
    here: int = 0
    lines: int = 0

    async def settled(self, session: WriteSession, held: PushRow, ends: Sequence[End]) -> None:
        """What was written needs no line; what was not, has one."""
        operation = operation_of(OperationKind.PUSH, held.id, self.store)
        self.here += len(ends)
        for end in ends:
            if end.settled.status in _TROUBLE and self.lines <= MOST_LINES:
                self.lines += 1
                sentence = f"{end.change.label}: {end.settled.sentence or end.settled.outcome}"
                if self.lines > MOST_LINES:
                    sentence = "More changes were not written; the receipts of the batch name them all."
                await operations.warned(
                    session,
                    operation,
                    sentence,
                    change=str(end.change.id),
                    outcome=end.settled.outcome,
                    vendor_code=end.settled.vendor_code,
                )
        if self.pace.is_due():
            await self.say(session, held)

    async def wait(self, session: WriteSession, held: PushRow, sentence: str) -> None:
        """What it waits for."""
        await operations.warned(session, operation_of(OperationKind.PUSH, held.id, self.store), sentence)

    async def say(self, session: WriteSession, held: PushRow) -> None:
        counts = await count_changes(session, held.id)
        left = sum(counts.get(status, 0) for status in _WAITING)
        seconds = time.monotonic() - self.began_at
        rate = self.here / seconds if seconds > 0 else 0.0
        facts = {
            "status": held.status.value,
            "worker": held.epoch,
            "total": held.total,
            "done": held.total - left,
            "counts": counts,
            "per_second": round(rate, 1),
            "eta_seconds": round(left / rate, 1) if rate else None,
        }
        await operations.progressed(session, operation_of(OperationKind.PUSH, held.id, self.store), facts)
