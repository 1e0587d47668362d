"""The part of the contract that is about who may approve. `Commerce` has these methods too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncline.kernel.tenant import Actor


@dataclass(frozen=True, slots=True)
class ReviewRule:
    """`four_eyes`: nobody approves what he staged himself. `is_fixed` when the operator asks for it everywhere; a
    tenant may be stricter than the installation, never laxer. Who changed the tenant's own rule last, and when, if
    anybody."""

    four_eyes: bool
    is_fixed: bool
    changed_by: str | None = None
    changed_at: datetime | None = None


class Reviewing(Protocol):
    """Who may approve what was staged."""

    async def get_review_rule(self, *, actor: Actor) -> ReviewRule: ...

    async def set_review_rule(self, *, actor: Actor, four_eyes: bool) -> ReviewRule:
        """Holds for every approval from now on. What was approved stays approved."""
        ...
