from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


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
