"""What a schedule says: how the comparison or alignment it started ended, and that nothing could be started."""

from __future__ import annotations

from uuid import UUID

from syncline.apps.commerce.contract import OperationKind, RunStatus
from syncline.apps.commerce.live import operations
from syncline.apps.commerce.live.operations import operation_of
from syncline.apps.commerce.schedule_contract import ScheduledAction
from syncline.apps.commerce.schedules.repository import ScheduleRow
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import WriteSession

_KINDS = {
    ScheduledAction.PULL: OperationKind.PULL,
    ScheduledAction.PULL_FULL: OperationKind.PULL,
    ScheduledAction.ALIGN: OperationKind.ALIGN,
}
"""The others are comparisons."""


async def schedule_failed(session: WriteSession, row: ScheduleRow, sentence: str) -> None:
    """It came round and what it was to start was refused."""
    kind = _KINDS.get(row.action, OperationKind.RECONCILE)
    await _ended(session, row, kind, new_id(), RunStatus.FAILED, sentence)


async def run_ended(
    session: WriteSession, row: ScheduleRow, *, status: RunStatus, run_id: UUID | None, sentence: str | None
) -> None:
    """Of a comparison or an alignment; a pull tells its own end."""
    kind = _KINDS.get(row.action, OperationKind.RECONCILE)
    await _ended(session, row, kind, run_id or new_id(), status, sentence)


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
