"""A worker inside a command: what it starts is also carried out, whether or not a server runs beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from syncline.main.cli.console import say
from syncline.main.cli.workspace import Workspace
from syncline.main.probe import PROBE
from syncline.main.targets import APPS
from syncline.runtime.bus import Relay
from syncline.runtime.jobs import Worker

R = TypeVar("R")

_LOOK_SECONDS = 0.2
_AGAIN = "The same command with --wait goes on from there."
_GRACE = timedelta(seconds=2)
"""How long an interrupted command lets its jobs finish by themselves; the next worker goes on with them."""


@asynccontextmanager
async def working(here: Workspace, *, resume: str = _AGAIN) -> AsyncIterator[None]:
    """Jobs are done and events delivered while the block runs, by this process and by any other worker on the same
    database. `resume` says to whoever interrupts it how it goes on."""
    stop, owner = asyncio.Event(), asyncio.current_task()
    jobs = [PROBE, *(job for app in APPS for job in app.jobs)]
    worker = Worker(here.runtime.database, jobs, runtime=here.runtime, grace=_GRACE)
    relay = Relay(here.runtime.database, [handler for app in APPS for handler in app.handlers], runtime=here.runtime)
    running = [asyncio.create_task(part.run(stop)) for part in (worker, relay)]
    # A part that failed does nothing any more: whoever waits for its work is not left waiting.
    for part in running:
        part.add_done_callback(lambda _: None if stop.is_set() or owner is None else owner.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if not any(part.done() for part in running):
            say(f"Stopping when what is under way can be left. {resume}")
        raise
    finally:
        stop.set()
        await asyncio.gather(*running)


async def follow(look: Callable[[], Awaitable[R]], *, show: Callable[[R], None], is_final: Callable[[R], bool]) -> R:
    """Look again and again until the run has ended; its last state."""
    while True:
        seen = await look()
        show(seen)
        if is_final(seen):
            return seen
        await asyncio.sleep(_LOOK_SECONDS)
