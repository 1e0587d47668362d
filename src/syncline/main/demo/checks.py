"""The counts that have to agree at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """`expected` is known from elsewhere than `found`: from the sandbox's own state, or from what was asked for."""

    what: str
    expected: int
    found: int

    @property
    def agrees(self) -> bool:
        return self.expected == self.found


def disagreeing(checks: Sequence[Check]) -> list[Check]:
    return [check for check in checks if not check.agrees]
