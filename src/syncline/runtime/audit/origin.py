"""Where what is being done came from, for entries that are recorded far from the edge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """What one thing was and is, as far as it differs; None where it was not, or is not any more."""

    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(slots=True)
class Origin:
    """`entries` counts what was recorded from here, so that the edge does not record the same once more. `changes` is
    what services said they changed, for the entry that is still to be written; `changed` how many there were."""

    address: str | None = None
    entries: int = 0
    changes: list[Change] = field(default_factory=list)
    changed: int = 0

    def told(self) -> dict[str, Any]:
        """The changes as an entry holds them: `before`, `after` and `details`."""
        if not self.changes:
            return {"before": None, "after": None, "details": {}}
        more = {} if self.changed == 1 else {"changes": self.changed}
        before = {one.subject: one.before for one in self.changes if one.before is not None}
        after = {one.subject: one.after for one in self.changes if one.after is not None}
        return {"before": before or None, "after": after or None, "details": more}


_current: ContextVar[Origin | None] = ContextVar("audit_origin", default=None)


@contextmanager
def origin(address: str | None) -> Iterator[Origin]:
    """Inside the block entries say that they came from `address`."""
    here = Origin(address)
    token = _current.set(here)
    try:
        yield here
    finally:
        _current.reset(token)


def current_origin() -> Origin:
    return _current.get() or Origin()
