"""Programs as a benchmark sees them: seconds, memory with all their children, processor time, and how they ended."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil


class PeakTree:
    """The most memory a process and its children had together while the block ran, in bytes.

    Sampled each 50 ms as resident memory; with `shared_once` each 250 ms with every shared page divided among those who
    share it, as it must be for PostgreSQL's processes (Linux)."""

    def __init__(self, pid: int, *, shared_once: bool = False) -> None:
        self.bytes = 0
        self._process = psutil.Process(pid)
        self._shared_once = shared_once
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.is_set():
            with suppress(psutil.NoSuchProcess):
                tree = [self._process, *self._process.children(recursive=True)]
                self.bytes = max(self.bytes, sum(map(self._memory, tree)))
            self._stop.wait(0.25 if self._shared_once else 0.05)

    def _memory(self, process: psutil.Process) -> int:
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            return int(process.memory_full_info().pss if self._shared_once else process.memory_info().rss)
        return 0


@dataclass(frozen=True)
class Ran:
    """One run of a program, from its start as a process to its end."""

    seconds: float
    cpu: float
    rss: int
    code: int
    is_cut_off: bool
    """It was stopped because its time was over."""


async def run_measured(
    command: Sequence[str], *, output: Path, errors: Path, folder: Path | None, env: Mapping[str, str], limit: float
) -> Ran:
    """Runs one program, with its output in files, for at most `limit` seconds. Nothing else that this process started
    may end meanwhile: the processor time is that of all children that ended."""
    before, started = _children_cpu(), time.perf_counter()
    with output.open("wb") as out, errors.open("wb") as err:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=folder,
            env={**os.environ, "PYTHONUTF8": "1", **env},
            start_new_session=True,
        )
        with PeakTree(process.pid) as memory:
            is_cut_off = await _has_to_be_ended(process, limit)
    seconds = time.perf_counter() - started
    return Ran(seconds, _children_cpu() - before, memory.bytes, process.returncode or 0, is_cut_off)


async def _has_to_be_ended(process: asyncio.subprocess.Process, limit: float) -> bool:
    try:
        async with asyncio.timeout(limit):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        return True
    return False


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def run_quietly(*command: str, folder: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """What the program printed. Raises `ProgramFailed` with the last line it said otherwise."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1", **(env or {})},
    )
    printed, said = await process.communicate()
    if process.returncode:
        raise ProgramFailed(last_line(said.decode(errors="replace")) or last_line(printed.decode(errors="replace")))
    return printed.decode(errors="replace")


class ProgramFailed(Exception):
    """The last line it said."""


def last_line(text: str, most: int = 200) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:most] if lines else ""
