"""Begin, progress and end of an operation: to whoever watches, and to the apps that listen.

Each is said in the transaction that makes it so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from syncline.apps.commerce.contract import OperationEnded, OperationKind, RunStatus
from syncline.runtime.bus import publish
from syncline.runtime.db.session import WriteSession
from syncline.runtime.live.announcing import announce, log_line
from syncline.runtime.live.message import Level, MessageType, Operation


def operation_of(kind: OperationKind, run_id: UUID, store: str | None) -> Operation:
    return Operation(kind.value, run_id, store)


async def began(session: WriteSession, operation: Operation, *, requested_by: str, **facts: Any) -> None:
    """It exists and waits for its turn, or runs already."""
    await announce(session, operation, MessageType.START, {"requested_by": requested_by, **facts})
    await _status(session, operation, "running")


async def progressed(session: WriteSession, operation: Operation, facts: Mapping[str, Any], *, part: str = "") -> None:
    """How far it is. Ask a `Pace` first."""
    await announce(session, operation, MessageType.PROGRESS, facts, part=part)


async def noted(session: WriteSession, operation: Operation, sentence: str, **facts: Any) -> None:
    await log_line(session, operation, sentence, **facts)


async def warned(session: WriteSession, operation: Operation, sentence: str, **facts: Any) -> None:
    await log_line(session, operation, sentence, level=Level.WARNING, **facts)


async def ended(
    session: WriteSession,
    operation: Operation,
    *,
    store_id: UUID | None,
    status: RunStatus,
    requested_by: str,
    sentence: str | None = None,
    counts: Mapping[str, int] | None = None,
) -> None:
    """It is over. Call it once, where the end becomes true."""
    found = dict(counts or {})
    if status is RunStatus.FAILED:
        await log_line(session, operation, sentence or "It failed.", level=Level.ERROR)
    told = {"status": status.value, "sentence": sentence, "counts": found, "requested_by": requested_by}
    await announce(session, operation, MessageType.COMPLETE, told)
    await _status(session, operation, status.value)
    event = OperationEnded(
        kind=OperationKind(operation.kind),
        operation_id=operation.id,
        store_id=store_id,
        store=operation.store,
        status=status,
        sentence=sentence,
        counts=found,
        requested_by=requested_by,
    )
    await publish(session, event)


async def _status(session: WriteSession, operation: Operation, state: str) -> None:
    """For whoever watches a store and not one operation."""
    facts = {"store": operation.store, "kind": operation.kind, "operation": operation.room, "state": state}
    await announce(session, operation, MessageType.STATUS, facts)
