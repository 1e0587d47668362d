"""The id that ties a request's answer, log lines, jobs and events together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from syncline.kernel.ids import new_id

# What a caller may choose: long enough for a traceparent, and nothing that could break a log line or a header.
_ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,128}")

_current: ContextVar[str | None] = ContextVar("correlation_id", default=None)


def correlation_id() -> str | None:
    """The id of what is being worked on in this context, if anything is."""
    return _current.get()


def accept(candidate: str | None) -> str:
    """`candidate` when it is safe to repeat, else a new id: a caller's bad id must not cost them their request."""
    if candidate and _ACCEPTED.fullmatch(candidate):
        return candidate
    return new_id().hex


@contextmanager
def correlated(value: str) -> Iterator[str]:
    """Inside the block every log line and problem answer carries `value`."""
    token = _current.set(value)
    try:
        yield value
    finally:
        _current.reset(token)
