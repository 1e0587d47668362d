"""The part of the contract that is about integrity. `Commerce` has these methods too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from syncline.kernel.tenant import Actor


@dataclass(frozen=True, slots=True)
class IntegrityFinding:
    """One rule, looked at in one store's rows. `count` rows break it, of which `examples` names at most ten; `advice`
    says what to do then. `is_grave` when it cannot come from anything but a loss or a mistake of Syncline's own.
    `left_out` says why the rule was not looked at, if it was not."""

    rule: str
    count: int
    examples: Sequence[str]
    advice: str
    is_grave: bool
    left_out: str | None = None


class Integrity(Protocol):
    """Whether what is stored fits together."""

    async def check_integrity(self, *, actor: Actor, store: str) -> Sequence[IntegrityFinding]:
        """Every rule, broken or not. Reads the mirror once per rule, and asks the store nothing."""
        ...
