from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from syncline.apps.commerce.contract.types import OperationKind, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PullFinished:
    """A pull reached its end and was compared with the store."""

    store_id: UUID
    run_id: UUID
    agreed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PushFinished:
    """A push reached its end; `counts` is its changes by status."""

    store_id: UUID
    run_id: UUID
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationEnded:
    """Any of them, however it ended; `sentence` says why where it did not end well. `counts` is what it counts itself:
    records of a pull, changes by status of a push, rows of a sheet. `requested_by` may be a schedule."""

    kind: OperationKind
    operation_id: UUID
    store_id: UUID | None
    store: str | None
    status: RunStatus
    sentence: str | None
    counts: Mapping[str, int]
    requested_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesAssigned:
    """Somebody was asked to decide about `changes` staged changes; both people by their names. `store` and `batch_id`
    are None where they were not chosen by these."""

    assignee: str
    asked_by: str
    changes: int
    store: str | None
    batch_id: UUID | None
