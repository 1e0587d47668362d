"""Who hears that a call to a vendor, or all of the work, waits before it is tried again: the work itself.

A client does not know for whom it works, and is often shared; the context of the task does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from syncline.kernel.errors import Retriable, Unavailable


@dataclass(frozen=True, slots=True)
class CallWait:
    """`is_asked`: the vendor said how long. `upstream` is None when the work as a whole begins again."""

    upstream: str | None
    sentence: str
    seconds: float
    is_asked: bool


_HEARS: ContextVar[Callable[[CallWait], None] | None] = ContextVar("hears_waits", default=None)


@contextmanager
def hearing_waits(hear: Callable[[CallWait], None]) -> Iterator[None]:
    """`hear` is told of the waits of this task, and of those it starts meanwhile. It must be quick, and not fail."""
    token = _HEARS.set(hear)
    try:
        yield
    finally:
        _HEARS.reset(token)


def tell_wait(upstream: str | None, error: Retriable | Unavailable, seconds: float) -> None:
    hear = _HEARS.get()
    if hear is not None:
        is_asked = isinstance(error, Retriable) and error.wait is not None
        hear(CallWait(upstream, error.sentence, seconds, is_asked))
