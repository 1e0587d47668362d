"""What a bulk operation says."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncline.apps.commerce.batch.repository import BatchRow, Tally
from syncline.apps.commerce.batch_contract import BatchRun, BatchStatus
from syncline.apps.commerce.contract import OperationKind, RunStatus
from syncline.apps.commerce.live import operations
from syncline.apps.commerce.live.operations import operation_of
from syncline.runtime.db.session import WriteSession
from syncline.runtime.live.announcing import Pace


async def batch_began(session: WriteSession, run: BatchRun) -> None:
    operation = operation_of(OperationKind.BATCH, run.id, run.store)
    await operations.began(session, operation, requested_by=run.requested_by, summary=run.summary)


async def batch_ended(
    session: WriteSession, held: BatchRow, *, status: BatchStatus, tally: Tally, sentence: str | None
) -> None:
    await operations.ended(
        session,
        operation_of(OperationKind.BATCH, held.id, held.request.store),
        store_id=held.store_id,
        status=RunStatus(status.value),
        requested_by=held.author.name,
        sentence=sentence,
        counts={name: count for name, count in tally.values.items() if count},
    )


@dataclass(slots=True)
class BatchTelling:
    """Says how an operation gets on, not more often than anybody can read."""

    pace: Pace = field(default_factory=Pace)

    async def progressed(self, session: WriteSession, held: BatchRow, tally: Tally) -> None:
        if self.pace.is_due():
            operation = operation_of(OperationKind.BATCH, held.id, held.request.store)
            await operations.progressed(session, operation, {**tally.values, "done": tally.processed})
