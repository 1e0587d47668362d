"""The one place that asks what time it is, so that tests can answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present moment, timezone-aware, in UTC."""
    return _source()


@contextmanager
def frozen(moment: datetime) -> Iterator[None]:
    """Inside the block `now()` answers `moment`. For tests only."""
    global _source  # noqa: PLW0603 - the clock of this process
    before = _source
    _source = lambda: moment  # noqa: E731
    try:
        yield
    finally:
        _source = before


def iso(moment: datetime) -> str:
    """`2026-11-22T10:00:00.123456Z`; whole seconds lose the fraction."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
