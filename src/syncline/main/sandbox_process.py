"""The Shopify sandbox as a child process: for `serve --with-sandbox` and for the demo."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from syncline.kernel.errors import Unavailable

_START_SECONDS = 120.0  # a store of 100,000 products takes a while to make
_PR_SET_PDEATHSIG = 1  # prctl(2)


class SandboxDidNotStart(Unavailable):
    code = "SANDBOX_001"
    title = "The sandbox did not start"


@dataclass(frozen=True)
class RunningSandbox:
    url: str
    token: str
    shop_domain: str
    pid: int


@asynccontextmanager
async def running_sandbox(arguments: Sequence[str] = ()) -> AsyncIterator[RunningSandbox]:
    """`arguments` are those of `syncline sandbox shopify`. The child ends with the block, and with this process however
    it ends. Raises `SandboxDidNotStart`."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "syncline.main", "sandbox", "shopify", "--json", "--parent", str(os.getpid())),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        # Ctrl-C goes to every process of a terminal; the store must stay while the worker finishes.
        start_new_session=True,
    )
    try:
        yield await _announced(child)
    finally:
        if child.returncode is None:
            child.terminate()
        try:
            async with asyncio.timeout(5):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()


async def _announced(child: asyncio.subprocess.Process) -> RunningSandbox:
    assert child.stdout is not None
    try:
        async with asyncio.timeout(_START_SECONDS):
            line = await child.stdout.readline()
    except TimeoutError as error:
        raise SandboxDidNotStart(f"The sandbox said nothing within {_START_SECONDS:g} s.") from error
    said = json.loads(line) if line.startswith(b"{") else {}
    if "url" not in said:
        reason = said.get("error") or "it ended without a word; its reason stands above"
        raise SandboxDidNotStart(f"The sandbox did not start: {reason}")
    return RunningSandbox(said["url"], said["token"], said["shop_domain"], child.pid)


def die_with_parent(parent: int) -> None:
    """Called by the child: it is sent SIGTERM when `parent` ends, also by `kill -9`. Elsewhere than on Linux the child
    looks every second whether its parent is still there (see `watch_parent`)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        # It ended between starting us and this line.
        raise SystemExit(0)


async def watch_parent(parent: int) -> None:
    """Returns when `parent` is no longer our parent."""
    while os.getppid() == parent:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(1.0)
