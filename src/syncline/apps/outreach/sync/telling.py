"""What a run says to whoever watches.

Its beginning and end are said in the transaction that makes them so. While it is read, a task beside the workers says
how far it is: storing waits for nobody, and a message that is lost costs nothing, as the next one tells the whole.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

from sqlalchemy import Row

from syncline.apps.outreach.sync import repository
from syncline.apps.outreach.sync.progress import estimated, share_of
from syncline.apps.outreach.sync.repository import Counts
from syncline.apps.outreach.sync_contract import Platform, SyncMode, SyncRequest, SyncStatus
from syncline.kernel import clock
from syncline.kernel.errors import Unavailable
from syncline.kernel.tenant import TenantId
from syncline.runtime.connect.hearing import CallWait, hearing_waits
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.live.announcing import LEAST_SECONDS_BETWEEN, announce, log_line
from syncline.runtime.live.message import Level, MessageType, Operation

KIND: Final = "outreach"
_SHORT_SECONDS = 1.0
"""A shorter wait is no news."""
_WINDOW: Final = 20
"""Looks back over which the rate is taken."""


def operation_of(run_id: UUID) -> Operation:
    return Operation(KIND, run_id)


async def began(session: WriteSession, run_id: UUID, request: SyncRequest, *, requested_by: str) -> None:
    if request.tracks_progress:
        told = {
            "requested_by": requested_by,
            "mode": request.mode.value,
            "platforms": [one.value for one in request.platforms],
            "namespaces": list(request.namespaces),
        }
        await announce(session, operation_of(run_id), MessageType.START, told)


async def ended(
    session: WriteSession,
    run_id: UUID,
    request: SyncRequest,
    *,
    status: SyncStatus,
    sentence: str | None,
    counts: Mapping[str, int],
) -> None:
    if not request.tracks_progress:
        return
    if status is SyncStatus.FAILED:
        await log_line(session, operation_of(run_id), sentence or "It failed.", level=Level.ERROR)
    told = {"status": status.value, "sentence": sentence, "mode": request.mode.value, "counts": dict(counts)}
    await announce(session, operation_of(run_id), MessageType.COMPLETE, told)


@dataclass(frozen=True, slots=True)
class _Read:
    """A chunk that is done."""

    platform: str
    campaign: str
    read: int
    created: int


@dataclass(eq=False)
class RunTelling:
    """Of one run in one process, for all its workers there."""

    database: Database
    tenant: TenantId
    run_id: UUID
    mode: SyncMode
    workers: int = 0
    _read: list[_Read] = field(default_factory=list)
    _skipped: list[str] = field(default_factory=list)
    _waits: dict[str | None, CallWait] = field(default_factory=dict)
    _samples: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def stored(self, chunk: Row[Any]) -> None:
        """A step of it was committed; `chunk` is as it is now."""
        if chunk.status == repository.DONE:
            self._read.append(_Read(chunk.platform, chunk.campaign, chunk.read, chunk.created))
        self._news.set()

    def skipped(self, chunk: Row[Any], sentence: str) -> None:
        self._skipped.append(f"{chunk.platform}, {chunk.campaign}: {sentence}")
        self._news.set()

    def heard(self, wait: CallWait) -> None:
        if wait.seconds >= _SHORT_SECONDS:
            self._waits[wait.upstream] = wait
            self._news.set()

    def enter(self) -> None:
        self.workers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._tell())

    async def leave(self) -> None:
        self.workers -= 1
        if not self.workers and self._task is not None:
            self._over.set()
            self._news.set()
            task, self._task = self._task, None
            await task

    async def _tell(self) -> None:
        """As many seconds after what was said as there were messages, times the processes that say so too."""
        while True:
            await self._news.wait()
            self._news.clear()
            seconds = LEAST_SECONDS_BETWEEN
            # What cannot be said now is said with the next message, or by nobody: the run does not depend on it.
            with suppress(Unavailable):
                seconds *= await self._say()
            if self._over.is_set():
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), seconds)

    async def _say(self) -> float:
        async with self.database.writing(self.tenant) as session:
            found = (await repository.count(session, [self.run_id]))[self.run_id]
            lines = self._lines()
            operation = operation_of(self.run_id)
            await announce(session, operation, MessageType.PROGRESS, self._facts(found))
            for level, sentence, facts in lines:
                await log_line(session, operation, sentence, level=level, **facts)
        elsewhere = sum(one.reading for one in found.values()) / max(1, self.workers)
        return (1 + len(lines)) * max(1.0, elsewhere)

    def _lines(self) -> list[tuple[Level, str, dict[str, Any]]]:
        """At most one of each sort."""
        lines: list[tuple[Level, str, dict[str, Any]]] = []
        read, self._read = self._read, []
        skipped, self._skipped = self._skipped, []
        waits, self._waits = self._waits, {}
        if read:
            lines.append((Level.INFO, _read_sentence(read, self.mode), {"chunks": len(read)}))
        if skipped:
            more = f" (and {len(skipped) - 1:,} more)" if len(skipped) > 1 else ""
            lines.append((Level.WARNING, f"{skipped[0]}{more}", {"skipped": len(skipped)}))
        if waits:
            longest = max(waits.values(), key=lambda one: one.seconds)
            until = clock.iso(clock.now() + timedelta(seconds=longest.seconds))
            facts = {"platform": longest.upstream, "wait_seconds": round(longest.seconds, 1), "until": until}
            lines.append((Level.WARNING, wait_sentence(longest), facts))
        return lines

    def _facts(self, found: Mapping[Platform, Counts]) -> dict[str, Any]:
        whole = repository.total(found.values())
        rate, total = self._rate(whole.read), sum(map(estimated, found.values()))
        return {
            "stage": "reading",
            "percentage": round(100 * share_of(found), 1),
            "read": whole.read,
            "total": total,
            "created": whole.created,
            "unusable": whole.unusable,
            "chunks": whole.chunks,
            "chunks_done": whole.done,
            "per_second": round(rate, 1),
            "eta_seconds": round((total - whole.read) / rate, 1) if rate else None,
            "platforms": {
                name.value: {"read": one.read, "total": estimated(one), "created": one.created}
                for name, one in found.items()
            },
        }

    def _rate(self, read: int) -> float:
        """Records a second over the last looks, of all processes together."""
        self._samples.append((time.monotonic(), read))
        (first_at, first), (last_at, last) = self._samples[0], self._samples[-1]
        return (last - first) / (last_at - first_at) if last_at > first_at else 0.0


class _Silent(RunTelling):
    """For a run that nobody wants to watch."""

    def enter(self) -> None:
        pass

    async def leave(self) -> None:
        pass


_TELLINGS: WeakValueDictionary[UUID, RunTelling] = WeakValueDictionary()


@asynccontextmanager
async def telling_of(
    database: Database, tenant: TenantId, run_id: UUID, request: SyncRequest
) -> AsyncIterator[RunTelling]:
    """While a worker reads. Shared by the run's workers of this process, who are heard waiting for tools."""
    found = _TELLINGS.get(run_id)
    if found is None:
        kind = RunTelling if request.tracks_progress else _Silent
        found = _TELLINGS[run_id] = kind(database, tenant, run_id, request.mode)
    found.enter()
    try:
        with hearing_waits(found.heard):
            yield found
    finally:
        await found.leave()


def wait_sentence(wait: CallWait) -> str:
    """`lemlist asks to wait 2 s`, or what else is the matter."""
    seconds = f"{wait.seconds:,.0f} s"
    if wait.upstream is None:
        return f"The worker goes on in {seconds}: {wait.sentence}"
    if wait.is_asked:
        return f"{wait.upstream} asks to wait {seconds}: {wait.sentence}"
    return f"{wait.upstream} is asked again in {seconds}: {wait.sentence}"


def _read_sentence(read: Sequence[_Read], mode: SyncMode) -> str:
    last = read[-1]
    more = f" and {len(read) - 1:,} more" if len(read) > 1 else ""
    counts = f"{sum(one.read for one in read):,} read"
    if not mode.is_staged:
        counts += f", {sum(one.created for one in read):,} new"
    return f"{last.platform}, {last.campaign}{more}: {counts}."
