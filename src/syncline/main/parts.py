"""Parts of a process that run beside the API: kept running, restarted when they fall, stopped together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from syncline.runtime.http.health import Check, CheckResult
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 15.0


class Part:
    """Something that runs until told to stop, such as the worker. When it raises it is started again after a wait that
    doubles, because a database that restarts must not need a person to restart Syncline too."""

    def __init__(self, name: str, run: Callable[[asyncio.Event], Awaitable[None]]) -> None:
        self.name = name
        self._run = run
        self._up = False
        self._restarts = 0
        self._trouble = "has not started yet"

    async def keep_running(self, stop: asyncio.Event) -> None:
        """Returns once `stop` is set and the part has finished its work."""
        wait = _FIRST_WAIT
        while not stop.is_set():
            began = asyncio.get_running_loop().time()
            self._up = True
            try:
                await self._run(stop)
                if stop.is_set():
                    break
                self._fell("ended by itself")
            except Exception as error:  # the last resort of this part: logged, shown in health, started again
                self._fell(f"failed ({type(error).__name__})")
                log.exception("part fell and is started again", part=self.name, wait_seconds=wait)
            if asyncio.get_running_loop().time() - began > 4 * _LONGEST_WAIT:
                wait = _FIRST_WAIT
            await _sleep_unless(stop, wait * random.uniform(0.5, 1.0))
            wait = min(wait * 2, _LONGEST_WAIT)
        self._up = False
        self._trouble = "is stopping"

    def _fell(self, trouble: str) -> None:
        self._up = False
        self._restarts += 1
        self._trouble = f"{trouble} and is being started again; see the log"

    def check(self) -> Check:
        async def look() -> CheckResult:
            if self._up:
                return CheckResult.up(restarts=self._restarts)
            return CheckResult.down(f"the {self.name} {self._trouble}", restarts=self._restarts)

        return Check(self.name, look)


async def _sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
