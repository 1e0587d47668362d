"""The part of the contract that is about who may approve. `Commerce` has these methods too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncline.kernel.tenant import Actor


@dataclass(frozen=True, slots=True)
class ReviewRule:
    """`four_eyes`: nobody approves what he staged himself. `is_fixed` when the operator asks for it everywhere; a
    tenant may be stricter than the installation, never laxer. `expire_after_days`: what nobody has decided so many days
    after it was staged expires; None is never. Who changed the tenant's own rule last, and when, if anybody."""

    four_eyes: bool
    is_fixed: bool
    changed_by: str | None = None
    changed_at: datetime | None = None
    expire_after_days: int | None = None


class Reviewing(Protocol):
    """Who may approve what was staged."""

    async def get_review_rule(self, *, actor: Actor) -> ReviewRule: ...

    async def set_review_rule(
        self, *, actor: Actor, four_eyes: bool | None = None, expire_after_days: int | None = None
    ) -> ReviewRule:
        """Holds for every approval, and for what is staged, from now on. What was approved stays approved, and dates
        stay as they are. None changes nothing; no days (0) are never. Raises `InvalidInput` for more than a year."""
        ...
