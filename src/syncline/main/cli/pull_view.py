"""How a pull looks: while it runs, at its end, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from syncline.apps.commerce.contract import PullPath, PullRun, RunStatus, StreamProgress
from syncline.apps.commerce.pull.service import PULL_STREAMS
from syncline.main.cli.console import table
from syncline.main.cli.fitting import Fitting
from syncline.main.cli.outcome import faint, marked, reconciliation_json, reconciliation_view
from syncline.main.cli.progress import Bar, Progress, rate_text

Cell = Callable[[StreamProgress], object]


def in_order(streams: Sequence[StreamProgress]) -> list[StreamProgress]:
    """As the store is read: products before what hangs on them."""
    place = {name: number for number, name in enumerate(PULL_STREAMS)}
    return sorted(streams, key=lambda one: (place.get(one.stream, len(place)), one.stream))


def phase_of(stream: StreamProgress, *, is_stuck: bool) -> str:
    """What a stream is doing, in a few words. `is_stuck`: it failed in passing and has not moved since."""
    if stream.status == RunStatus.QUEUED:
        return "waits for its turn"
    if is_stuck and stream.error is not None:
        return f"tries again: {stream.error}"
    if stream.path is None:
        return "planning"
    if stream.path == PullPath.BULK and stream.read == 0:
        if stream.expected is None:
            return "asks Shopify for a bulk operation"
        return f"waiting for Shopify's bulk operation: {stream.expected:,} objects so far"
    return stream.path


@dataclass
class PullBars:
    """A bar for each stream of a run that is read, and one for the comparison at its end."""

    bars: Progress
    _shown: dict[str, Bar] = field(default_factory=dict)
    _read: dict[str, int] = field(default_factory=dict)

    def show(self, run: PullRun) -> None:
        read = [one for one in in_order(run.streams) if one.status != RunStatus.SKIPPED]
        for stream in read:
            self._show_stream(stream)
        if run.started_at is not None and not run.status.is_final and all(one.finished_at for one in read):
            self._bar("comparison").update(0, note="store against mirror")
        if run.reconciliation is not None and "comparison" in self._shown:
            compared = sum(kind.in_mirror for kind in run.reconciliation.kinds)
            self._shown["comparison"].finish(note=f"{compared:,} records {_agreement(run)}", done=compared)

    def _show_stream(self, stream: StreamProgress) -> None:
        bar = self._bar(stream.stream)
        if stream.finished_at is None:
            is_stuck = self._read.get(stream.stream, stream.read) == stream.read
            bar.update(stream.read, _total(stream), note=phase_of(stream, is_stuck=is_stuck))
        elif stream.status == RunStatus.COMPLETED:
            bar.finish(note=f"{stream.inserted + stream.updated:,} written", done=stream.read)
        else:
            bar.update(stream.read, _total(stream), note=stream.status)
        self._read[stream.stream] = stream.read

    def _bar(self, name: str) -> Bar:
        if name not in self._shown:
            self._shown[name] = self.bars.bar(name)
        return self._shown[name]


def _total(stream: StreamProgress) -> int | None:
    """What a plan counted may be less than what comes: a bar that is past its end tells nothing."""
    return None if stream.total is None else max(stream.total, stream.read)


def _agreement(run: PullRun) -> str:
    return "agree" if run.reconciliation is not None and run.reconciliation.agreed else "compared, and some differ"


def pull_view(run: PullRun) -> RenderableType:
    """A line a stream, what was left out or went wrong, and the proof."""
    parts: list[RenderableType] = [streams_view(run)]
    for stream in in_order(run.streams):
        parts += [Text(sentence, style=style) for sentence, style in _remarks(stream)]
    if run.error:
        parts.append(Text(run.error, style="red"))
    if run.reconciliation is not None:
        parts += ["", reconciliation_view(run.reconciliation)]
    return Group(*parts)


def streams_view(run: PullRun) -> RenderableType:
    """The table alone."""
    read = [one for one in in_order(run.streams) if one.status != RunStatus.SKIPPED]
    return Fitting(*(_stream_table(run, read, columns, room) for columns, room in _CHOICES))


def _remarks(stream: StreamProgress) -> list[tuple[str, str]]:
    told = [(note, "yellow") for note in stream.notes]
    if stream.status == RunStatus.SKIPPED and stream.error:
        told.append((f"– {stream.error}", "yellow"))
    elif stream.status == RunStatus.FAILED and stream.error:
        told.append((f"✗ {stream.stream}: {stream.error}", "red"))
    return told


def seconds_of(begun: datetime | None, ended: datetime | None) -> float | None:
    return None if begun is None or ended is None else (ended - begun).total_seconds()


def _rate(records: int, seconds: float | None) -> float | None:
    return records / seconds if seconds else None


def _note(stream: StreamProgress) -> str:
    if stream.is_incomplete:
        return "came short"
    return f"{stream.duplicates:,} came twice" if stream.duplicates else ""


_CELLS: dict[str, Cell] = {
    "  stream": lambda one: marked(one.status, one.stream),
    "path": lambda one: one.path,
    ">read": lambda one: faint(one.read),
    ">new": lambda one: faint(one.inserted),
    ">changed": lambda one: faint(one.updated),
    ">same": lambda one: faint(one.unchanged),
    ">gone": lambda one: faint(one.deleted),
    ">seconds": lambda one: _seconds_text(seconds_of(one.started_at, one.finished_at)),
    ">records/s": lambda one: _rate_text(_rate(one.read, seconds_of(one.started_at, one.finished_at))),
    "note": _note,
}
_WHOLE = tuple(_CELLS)
_NO_NOTE, _SHORT = _WHOLE[:-1], _WHOLE[:-2]
_CHOICES = ((_WHOLE, 1), (_WHOLE, 0), (_NO_NOTE, 0), (_SHORT, 0))
"""Columns and the room beside each, widest first."""


def _seconds_text(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:,.1f}"


def _rate_text(rate: float | None) -> str | None:
    return None if not rate else rate_text(rate).removesuffix("/s")


def _stream_table(run: PullRun, streams: Sequence[StreamProgress], columns: Sequence[str], room: int) -> Table:
    """The last line is the run as a whole."""
    used = [name for name in columns if name != "note" or any(_note(one) for one in streams)]
    made = table(used, ([_CELLS[name](one) for name in used] for one in streams))
    if len(streams) > 1:
        made.add_section()
        made.add_row(*(_sum_text(run, streams, name) for name in used), style="bold")
    made.padding = (0, room)
    return made


_SUMMED: dict[str, Callable[[StreamProgress], int]] = {
    ">read": lambda one: one.read,
    ">new": lambda one: one.inserted,
    ">changed": lambda one: one.updated,
    ">same": lambda one: one.unchanged,
    ">gone": lambda one: one.deleted,
}


def _sum_text(run: PullRun, streams: Sequence[StreamProgress], name: str) -> str | Text:
    if name in _SUMMED:
        return f"{sum(_SUMMED[name](one) for one in streams):,}"
    seconds = seconds_of(run.started_at, run.finished_at)
    told: dict[str, str | Text | None] = {
        "  stream": marked(run.status, "all"),
        ">seconds": _seconds_text(seconds),
        ">records/s": _rate_text(_rate(sum(one.read for one in streams), seconds)),
    }
    return told.get(name) or ""


def pull_json(run: PullRun) -> dict[str, Any]:
    """Everything that is known of the run, with what the table computes."""
    seconds = seconds_of(run.started_at, run.finished_at)
    read = sum(one.read for one in run.streams)
    streams = [
        {**asdict(one), "seconds": took, "records_per_second": _rate(one.read, took)}
        for one in in_order(run.streams)
        for took in [seconds_of(one.started_at, one.finished_at)]
    ]
    return {
        **asdict(run),
        "streams": streams,
        "read": read,
        "seconds": seconds,
        "records_per_second": _rate(read, seconds),
        "reconciliation": None if run.reconciliation is None else reconciliation_json(run.reconciliation),
    }
