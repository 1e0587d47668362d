"""Long work against a store that may fail in passing: tried again as long as it gets on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from syncline.kernel.errors import Fatal, Retriable, Unavailable

log = structlog.get_logger(__name__)

MAX_FAILURES = 8
"""Failures in a row, without anything stored between them, after which the work is given up with the reason."""

_FIRST_WAIT, _LONGEST_WAIT = 0.4, 15.0


async def persist(work: Callable[[], Awaitable[None]], *, mark: Callable[[], object], what: str) -> None:
    """Run `work` until it ends by itself; `mark` changes whenever it got on. Raises its `Retriable` or `Unavailable`
    after `MAX_FAILURES` of them without progress, and anything else at once."""
    failures = 0
    while True:
        before = mark()
        try:
            await work()
        except (Retriable, Unavailable) as error:
            failures = failures + 1 if mark() == before else 1
            if failures >= MAX_FAILURES:
                raise
            asked = error.wait if isinstance(error, Retriable) else None
            wait = min(_FIRST_WAIT * 2 ** (failures - 1), _LONGEST_WAIT) if asked is None else asked.total_seconds()
            log.warning("work is tried again", what=what, reason=error.sentence, wait_seconds=wait, failures=failures)
            await asyncio.sleep(wait)
        else:
            return


def weightiest(group: BaseExceptionGroup[Any]) -> BaseException:
    """The one error of a group that a person should read: our own mistakes before what stops the work for good, that
    before what may pass."""
    leaves: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        else:
            leaves.append(one)
    return min(leaves, key=_weight)


def _weight(error: BaseException) -> int:
    if isinstance(error, Retriable | Unavailable):
        return 2
    return 1 if isinstance(error, Fatal) else 0
