"""Following a run of the full sync to its end, and what it has delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.progress import estimated
from syncline.apps.outreach.sync.repository import Counts
from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync.telling import operation_of
from syncline.apps.outreach.sync_contract import SyncMode, SyncStatus
from syncline.kernel import clock
from syncline.kernel.paging import PageRequest
from syncline.main.cli.progress import Bar, Progress, progress
from syncline.main.cli.working import follow, working
from syncline.main.cli.workspace import Workspace
from syncline.runtime.live import messages
from syncline.runtime.live.message import Level

_LONGEST_WAIT = timedelta(minutes=10)
"""Further back nobody looks for what is waited for."""
_LONG_FOR_AN_ANSWER = timedelta(seconds=3)
_AT_THE_END = {
    SyncMode.RESET: ("swapping", "what was read takes the place of what was there"),
    SyncMode.COMPARE: ("comparing", "source, store and Mixpanel"),
}


@dataclass(slots=True)
class Watched:
    """Looks at one run. What it waits for is asked only when nothing came since the last look."""

    here: Workspace
    run_id: UUID
    _read: int = -1

    async def look(self) -> tuple[Run, Mapping[str, str]]:
        async with self.here.runtime.database.reading(self.here.tenant.id) as session:
            run = await service.get(session, self.run_id)
            stands, self._read = run.counts.read == self._read, run.counts.read
            if not stands or run.status is not SyncStatus.RUNNING:
                return run, {}
            query = messages.LineQuery(
                room=operation_of(run.id).room, level=Level.WARNING, since=clock.now() - _LONGEST_WAIT
            )
            page = await messages.list_lines(session, query, PageRequest(limit=5))
        told = [line.data for line in reversed(page.items)]
        return run, {one["platform"]: one["message"] for one in told if _still(one.get("until"))}


def _still(until: object) -> bool:
    return isinstance(until, str) and datetime.fromisoformat(until) > clock.now()


@dataclass(slots=True)
class RunBars:
    """A line for each tool, and one for what comes before and after reading."""

    bars: Progress
    _shown: dict[str, Bar] = field(default_factory=dict)

    def show(self, run: Run, waits: Mapping[str, str]) -> None:
        if not run.by_platform and not run.status.is_final:
            self._bar("planning").update(0, note=_before(run))
            return
        if "planning" in self._shown:
            self._shown["planning"].finish(done=run.counts.chunks, note="stretches to read")
        for platform, counts in run.by_platform.items():
            self._show_tool(platform.value, counts, waits.get(platform.value), run)
        ending = _AT_THE_END.get(run.mode)
        if ending is not None:
            self._show_end(run, *ending)

    def _show_end(self, run: Run, name: str, note: str) -> None:
        if run.progress.current_stage == service.ENDING:
            self._bar(name).update(0, note=run.sentence or note)
        elif run.status is SyncStatus.COMPLETED and name in self._shown:
            self._shown[name].finish(done=run.counts.read)

    def _show_tool(self, name: str, counts: Counts, wait: str | None, run: Run) -> None:
        # A bar of nothing would be full.
        bar, total = self._bar(name), estimated(counts) or None
        if counts.done == counts.chunks:
            bar.finish(done=counts.read, note="" if run.mode.is_staged else f"{counts.created:,} new")
        elif run.status.is_final:
            bar.update(counts.read, total, note=run.status.value)
        else:
            bar.update(counts.read, total, note=wait or f"{counts.done:,} of {counts.chunks:,} stretches")

    def _bar(self, name: str) -> Bar:
        if name not in self._shown:
            self._shown[name] = self.bars.bar(name)
        return self._shown[name]


def _before(run: Run) -> str:
    """There is a worker: this process is one."""
    return run.sentence or "asking the tools for their campaigns"


async def follow_run(here: Workspace, run_id: UUID, *, quiet: bool) -> tuple[Run, Mapping[str, Any]]:
    """To the end of the run and of what it had delivered: the run, and how all deliveries stand. A worker of this
    process does it, and any other on the same database; interrupted, it goes on with the next one."""
    resume = f"The run goes on with the next worker; see it through with: syncline outreach follow {run_id}"
    async with working(here, resume=resume):
        with progress(quiet=quiet) as bars:
            shown, watched = RunBars(bars), Watched(here, run_id)
            run, _ = await follow(
                watched.look, show=lambda seen: shown.show(*seen), is_final=lambda seen: seen[0].status.is_final
            )
            if run.status is not SyncStatus.COMPLETED or run.mode is SyncMode.COMPARE:
                return run, await standing(here)
            return run, await _follow_deliveries(here, bars, since=run.finished_at or clock.now())


async def _follow_deliveries(here: Workspace, bars: Progress, *, since: datetime) -> Mapping[str, Any]:
    before = await standing(here)
    if not before["open"]:
        return before
    bar = bars.bar("to Mixpanel")

    def show(told: Mapping[str, Any]) -> None:
        done = told["delivered"] - before["delivered"] + told["refused"] - before["refused"]
        bar.update(done, done + told["open"], note=waited_for(told, since))

    found = await follow(
        lambda: standing(here), show=show, is_final=lambda told: not told["open"] or _is_stuck(told, since)
    )
    if not found["open"]:
        bar.finish()
    return found


def waited_for(told: Mapping[str, Any], since: datetime) -> str:
    """What stands in the way, or which answer is out; nothing as long as it gets on."""
    if _is_stuck(told, since):
        return str(told["sentence"])
    sent_at = told["sending_since"]
    out = timedelta(0) if sent_at is None else clock.now() - sent_at
    if out < _LONG_FOR_AN_ANSWER:
        return ""
    return f"no answer to what was sent {out.total_seconds():,.0f} s ago; it is looked for in Mixpanel's export"


def _is_stuck(told: Mapping[str, Any], since: datetime) -> bool:
    """What was tried since then did not work; the queue tries again later."""
    return told["sentence"] is not None and told["tried_at"] is not None and bool(told["tried_at"] > since)


async def standing(here: Workspace) -> Mapping[str, Any]:
    async with here.runtime.database.reading(here.tenant.id) as session:
        return await service.deliveries_of(session)
