"""Where what is being done came from, for entries that are recorded far from the edge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Origin:
    """`entries` counts what was recorded from here, so that the edge does not record the same once more."""

    address: str | None = None
    entries: int = 0


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
