"""What a bulk operation says."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from syncline.apps.commerce.batch.repository import BatchRow, Tally
from syncline.apps.commerce.batch_contract import BatchRefusal, BatchRun, BatchStatus
from syncline.apps.commerce.contract import OperationKind, RunStatus
from syncline.apps.commerce.live import operations
from syncline.apps.commerce.live.operations import operation_of
from syncline.runtime.db.session import WriteSession
from syncline.runtime.live.announcing import Pace
from syncline.runtime.live.message import Operation

MOST_LINES = 100
"""Refused products named one by one in the log of an operation; its results have all of them."""


async def batch_began(session: WriteSession, run: BatchRun) -> None:
    operation = operation_of(OperationKind.BATCH, run.id, run.store)
    await operations.began(session, operation, requested_by=run.requested_by, summary=run.summary)


async def batch_ended(
    session: WriteSession, held: BatchRow, *, status: BatchStatus, tally: Tally, sentence: str | None
) -> None:
    await operations.ended(
        session,
        _operation_of(held),
        store_id=held.store_id,
        status=RunStatus(status.value),
        requested_by=held.author.name,
        sentence=sentence,
        counts={name: count for name, count in tally.values.items() if count},
    )


@dataclass(slots=True)
class BatchTelling:
    """Says how an operation gets on, like a push: not more often than anybody can read. What is refused has a line."""

    pace: Pace = field(default_factory=Pace)
    began_at: float = field(default_factory=time.monotonic)
    lines: int = 0

    async def progressed(self, session: WriteSession, held: BatchRow, tally: Tally) -> None:
        """Products a second, and how long it will be at that."""
        if not self.pace.is_due():
            return
        seconds = time.monotonic() - self.began_at
        rate = tally.processed / seconds if seconds > 0 else 0.0
        facts = {
            **tally.values,
            "status": BatchStatus.RUNNING.value,
            "done": tally.processed,
            "per_second": round(rate, 1),
            "eta_seconds": round((tally.total - tally.processed) / rate, 1) if rate else None,
        }
        await operations.progressed(session, _operation_of(held), facts)

    async def refused(self, session: WriteSession, held: BatchRow, refusals: Sequence[BatchRefusal]) -> None:
        for one in refusals[: MOST_LINES + 1 - self.lines]:
            self.lines += 1
            sentence = f"{one.label}: {one.sentence}"
            if self.lines > MOST_LINES:
                sentence = "More products were refused; the results of the operation name them all."
            await operations.warned(session, _operation_of(held), sentence, product_id=one.product_id)


def _operation_of(held: BatchRow) -> Operation:
    return operation_of(OperationKind.BATCH, held.id, held.request.store)
