"""Long work against a vendor that may fail in passing: tried again as long as it gets on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog

from syncline.kernel.errors import Fatal, Retriable, Unavailable
from syncline.runtime.connect.hearing import tell_wait

log = structlog.get_logger(__name__)

MAX_FAILURES = 8
"""Failures in a row, without anything stored between them, after which the work is given up with the reason."""

_FIRST_WAIT, _LONGEST_WAIT = 0.4, 15.0


async def persist(
    work: Callable[[], Awaitable[None]],
    *,
    mark: Callable[[], object],
    what: str,
    tell: Callable[[str], Awaitable[None]] | None = None,
    max_failures: int = MAX_FAILURES,
) -> None:
    """Run `work` until it ends by itself; `mark` changes whenever it got on. `tell` is given the sentence of what is
    waited for. Raises the `Retriable` or `Unavailable` after `max_failures` of them without progress, and anything
    else at once."""
    failures = 0
    while True:
        before = mark()
        try:
            await work()
        except (Retriable, Unavailable) as error:
            failures = failures + 1 if mark() == before else 1
            if failures >= max_failures:
                raise
            asked = error.wait if isinstance(error, Retriable) else None
            wait = min(_FIRST_WAIT * 2 ** (failures - 1), _LONGEST_WAIT) if asked is None else asked.total_seconds()
            log.warning("work is tried again", what=what, reason=error.sentence, wait_seconds=wait, failures=failures)
            tell_wait(None, error, wait)
            if tell is not None:
                with suppress(Unavailable):
                    await tell(error.sentence)
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
