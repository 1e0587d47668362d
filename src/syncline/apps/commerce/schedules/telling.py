"""What a schedule says: how the comparison it started ended, and that nothing could be started."""

from __future__ import annotations

from uuid import UUID

from syncline.apps.commerce.contract import OperationKind, RunStatus
from syncline.apps.commerce.live import operations
from syncline.apps.commerce.live.operations import operation_of
from syncline.apps.commerce.schedule_contract import ScheduledAction
from syncline.apps.commerce.schedules.repository import ScheduleRow
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import WriteSession

_PULLS = (ScheduledAction.PULL, ScheduledAction.PULL_FULL)


async def schedule_failed(session: WriteSession, row: ScheduleRow, sentence: str) -> None:
    """It came round and what it was to start was refused."""
    kind = OperationKind.PULL if row.action in _PULLS else OperationKind.RECONCILE
    await _ended(session, row, kind, new_id(), RunStatus.FAILED, sentence)


async def comparison_ended(
    session: WriteSession, row: ScheduleRow, *, status: RunStatus, run_id: UUID | None, sentence: str | None
) -> None:
    await _ended(session, row, OperationKind.RECONCILE, run_id or new_id(), status, sentence)


async def _ended(
    session: WriteSession, row: ScheduleRow, kind: OperationKind, run_id: UUID, status: RunStatus, sentence: str | None
) -> None:
    await operations.ended(
        session,
        operation_of(kind, run_id, row.store),
        store_id=row.store_id,
        status=status,
        sentence=sentence,
        requested_by=f"schedule {row.timing}",
    )
