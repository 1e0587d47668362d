"""What the benchmarks share: a store to read, a process to measure, a table to print."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil

from syncline.apps.accounts.contract import DEFAULT_TENANT, KeyRing
from syncline.apps.commerce.contract import Commerce
from syncline.kernel.tenant import Actor
from syncline.main.collecting import start_left_out
from syncline.main.compose import compose
from syncline.main.sandbox_process import RunningSandbox
from syncline.main.schema import open_access
from syncline.main.settings import load_settings
from syncline.runtime.app import Runtime
from syncline.runtime.observe import logs

STORE = "bench"


@dataclass(frozen=True)
class Bench:
    """A runtime on the data directory and whoever acts in it."""

    runtime: Runtime
    actor: Actor

    @property
    def commerce(self) -> Commerce:
        return self.runtime.contract(Commerce)


@asynccontextmanager
async def opened(data_dir: Path) -> AsyncIterator[Bench]:
    """As a server and a command are: what was loaded is left out of collections."""
    logs.configure(level="WARNING", pretty=None)
    settings = load_settings(data_dir=data_dir)
    async with open_access(settings, upgrade=True) as access, compose(settings, access) as runtime:
        tenant = await runtime.contract(KeyRing).find_tenant(slug=DEFAULT_TENANT)
        if tenant is None:
            raise LookupError("the first migration makes this tenant")
        with start_left_out():
            yield Bench(runtime, Actor(tenant_id=tenant.id, name="bench", role="owner"))


async def connect_store(bench: Bench, sandbox: RunningSandbox) -> None:
    await bench.commerce.add_store(
        actor=bench.actor, name=STORE, shop_domain=sandbox.shop_domain, token=sandbox.token, base_url=sandbox.url
    )


@dataclass(frozen=True)
class Cpu:
    """CPU seconds of a process and all its children, also of those that have ended and were waited for."""

    seconds: float

    @classmethod
    def of(cls, pid: int) -> Cpu:
        total = 0.0
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return cls(total)

    def since(self, before: Cpu) -> float:
        return self.seconds - before.seconds


class PeakMemory:
    """The most resident memory this process had while the block ran, sampled each 20 ms, in bytes."""

    def __init__(self) -> None:
        self.bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        process = psutil.Process()
        while not self._stop.is_set():
            self.bytes = max(self.bytes, process.memory_info().rss)
            self._stop.wait(0.02)


async def child(module: str, *arguments: str) -> dict[str, Any]:
    """Runs `python -m module arguments` and returns the JSON of its last line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONUTF8": "1"}
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{module} {' '.join(arguments)} ended with {process.returncode}")
    found: dict[str, Any] = json.loads(output.decode().strip().splitlines()[-1])
    return found


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Prints a Markdown table and returns it."""
    lines = [
        "| " + " | ".join(columns) + " |",
        "|" + "|".join("---" for _ in columns) + "|",
        *("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows),
    ]
    text = "\n".join(lines)
    print(f"\n{title}\n\n{text}\n", flush=True)
    return text


def _cell(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.2f}" if cell < 100 else f"{cell:,.0f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def machine() -> str:
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"
    )


def write_between(page: Path, name: str, text: str) -> None:
    """Replaces what stands between `<!-- name:begin -->` and `<!-- name:end -->`."""
    before, _, rest = page.read_text().partition(f"<!-- {name}:begin -->")
    _, _, after = rest.partition(f"<!-- {name}:end -->")
    page.write_text(f"{before}<!-- {name}:begin -->\n{text}\n<!-- {name}:end -->{after}")
