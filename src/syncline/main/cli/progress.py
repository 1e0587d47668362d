"""Progress of long work: bars on a terminal, a line every few seconds elsewhere, nothing with `--json`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol, TextIO

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.progress import Progress as RichProgress
from rich.table import Column, Table
from rich.text import Text

_LINE_EVERY_SECONDS = 3.0
_AT_ONCE_SECONDS = 0.1
_WIDE, _WIDE_BAR, _NARROW_BAR = 110, 28, 8
_COUNT_WIDTH, _RATE_WIDTH, _TIME_WIDTH = 15, 8, 9


class Bar(Protocol):
    """One line of progress. `done` and `total` are absolute, so that an update may be lost or repeated."""

    def update(self, done: int, total: int | None = None, *, note: str | None = None) -> None: ...

    def finish(self, *, note: str | None = None, done: int | None = None) -> None:
        """Shows the bar as complete; without `done` the total, or what was done, is the whole."""
        ...


class Progress(Protocol):
    def bar(self, description: str, total: int | None = None) -> Bar: ...


@contextmanager
def progress(*, quiet: bool = False, stream: TextIO | None = None) -> Iterator[Progress]:
    """`with progress(quiet=as_json) as show: bar = show.bar("products", 2000); bar.update(500)`. Writes to stderr."""
    target = stream if stream is not None else sys.stderr
    if quiet:
        yield _Silent()
    elif target.isatty():
        shown = Console(file=target)
        with RichProgress(*columns(shown.width), console=shown, refresh_per_second=8, expand=True) as bars:
            yield RichBars(bars)
    else:
        yield _Lines(target)


def columns(width: int) -> list[ProgressColumn]:
    """Spinner, description, and a body that fits the width: see `_Body`."""
    return [
        SpinnerColumn(finished_text="[green]✓[/green]"),
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        _Body(_WIDE_BAR if width >= _WIDE else _NARROW_BAR),
    ]


class _Body(ProgressColumn):
    """Bar, n/total, rate per second, time left, note; or the note alone as long as nothing is done, for then it says
    what is waited for. Always one line."""

    max_refresh = None

    def __init__(self, bar_width: int) -> None:
        super().__init__(table_column=Column(ratio=1, no_wrap=True))
        self._bar = BarColumn(bar_width=bar_width)
        self._bar_width = bar_width

    def render(self, task: Task) -> RenderableType:
        note = Text(str(task.fields.get("note", "")), style="dim", no_wrap=True, overflow="ellipsis")
        if note and not task.completed and not task.finished:
            return note
        total = None if task.total is None else int(task.total)
        line = Table.grid(padding=(0, 1), expand=True)
        line.add_column(width=self._bar_width)
        line.add_column(width=_COUNT_WIDTH, justify="right", no_wrap=True)
        line.add_column(width=_RATE_WIDTH, justify="right", no_wrap=True)
        line.add_column(width=_TIME_WIDTH, justify="right", no_wrap=True)
        line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        line.add_row(
            self._bar(task), count_text(int(task.completed), total), Text(_rate_of(task), "cyan"), _time_of(task), note
        )
        return line


def _rate_of(task: Task) -> str:
    speed, took = task.finished_speed or task.speed, task.finished_time or 0.0
    if speed is None and took >= _AT_ONCE_SECONDS:  # done before there were two updates to tell it from
        speed = task.completed / took
    return rate_text(speed) if task.completed else ""


def _time_of(task: Task) -> Text:
    """What is left, or what it took."""
    if task.finished:
        return Text(duration_text(task.finished_time), style="dim")
    return Text(f"{duration_text(task.time_remaining)} left" if task.total and task.time_remaining is not None else "")


def count_text(done: int, total: int | None) -> str:
    return f"{done:,}" if total is None else f"{done:,}/{total:,}"


def rate_text(speed: float | None) -> str:
    if speed is None:
        return "–/s"
    if speed >= 100_000:
        return f"{speed / 1_000:,.0f}k/s"
    return f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s"


def duration_text(seconds: float | None) -> str:
    return "–:––" if seconds is None else str(timedelta(seconds=round(seconds))).removeprefix("0:").removeprefix("0")


class _Silent:
    def bar(self, _description: str, _total: int | None = None) -> Bar:
        return _SilentBar()


class _SilentBar:
    def update(self, done: int, total: int | None = None, *, note: str | None = None) -> None:
        pass

    def finish(self, *, note: str | None = None, done: int | None = None) -> None:
        pass


class RichBars:
    """Bars in a display of rich's, which the caller starts and ends."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars

    def bar(self, description: str, total: int | None = None) -> Bar:
        return _RichBar(self._bars, self._bars.add_task(escape(description), total=total, note=""))


class _RichBar:
    def __init__(self, bars: RichProgress, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def update(self, done: int, total: int | None = None, *, note: str | None = None) -> None:
        shown = {} if note is None else {"note": escape(note)}
        if total is not None:
            # Not by `update`, which forgets the speed with each new total: an estimate has one at every look.
            task = self._own
            task.total = total
            if total > done:
                task.finished_time = None
        self._bars.update(self._task, completed=done, **shown)  # type: ignore[arg-type] # fields are open

    @property
    def _own(self) -> Task:
        return next(task for task in self._bars.tasks if task.id == self._task)

    def finish(self, *, note: str | None = None, done: int | None = None) -> None:
        task = self._own
        if task.finished:
            return
        whole = task.completed if task.total is None else max(task.total, task.completed)
        self.update(int(whole) if done is None else done, int(whole) if done is None else done, note=note)


class _Lines:
    def __init__(self, target: TextIO) -> None:
        self._target = target

    def bar(self, description: str, total: int | None = None) -> Bar:
        return _LineBar(self._target, description, total)


class _LineBar:
    """Prints when something was done and a few seconds passed, and once at the end."""

    def __init__(self, target: TextIO, description: str, total: int | None) -> None:
        self._target = target
        self._description = description
        self._total = total
        self._done = 0
        self._before: int | None = None
        """What was done already when it was first looked at: that took none of our time."""
        self._note = ""
        self._started = time.monotonic()
        self._printed = self._started
        self._finished = False

    def update(self, done: int, total: int | None = None, *, note: str | None = None) -> None:
        self._look(done)
        self._done = done
        self._total = total if total is not None else self._total
        self._note = note if note is not None else self._note
        if time.monotonic() - self._printed >= _LINE_EVERY_SECONDS:
            self._print(self._left())

    def finish(self, *, note: str | None = None, done: int | None = None) -> None:
        if self._finished:
            return
        self._finished = True
        self._note = note if note is not None else self._note
        whole = max(self._done, self._total or 0) if done is None else done
        self._look(whole)
        self._done = self._total = whole
        self._print(f"done in {duration_text(time.monotonic() - self._started)}")

    def _look(self, done: int) -> None:
        if self._before is None:
            self._before = done if time.monotonic() - self._started < _AT_ONCE_SECONDS else 0

    @property
    def _own(self) -> int:
        return self._done - (self._before or 0)

    def _left(self) -> str:
        if not self._total or not self._own:
            return ""
        seconds = (self._total - self._done) * (time.monotonic() - self._started) / self._own
        return f"{duration_text(max(0.0, seconds))} left"

    def _print(self, ending: str) -> None:
        self._printed = time.monotonic()
        elapsed = max(self._printed - self._started, 0.001)
        share = f"{100 * self._done / self._total:.0f} %" if self._total else ""
        rate = rate_text(self._own / elapsed) if self._own or not self._done else ""
        parts = [count_text(self._done, self._total), share, rate, ending, self._note]
        print(f"{self._description}: {', '.join(part for part in parts if part)}", file=self._target, flush=True)
