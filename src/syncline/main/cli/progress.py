"""Progress of long work: bars on a terminal, a line every few seconds elsewhere, nothing with `--json`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

_LINE_EVERY_SECONDS = 3.0


class Bar(Protocol):
    """One line of progress. `done` and `total` are absolute, so that an update may be lost or repeated."""

    def update(self, done: int, total: int | None = None, *, note: str | None = None) -> None: ...

    def finish(self, *, note: str | None = None) -> None:
        """Shows the bar as complete; without a total, what was done is the whole."""
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
        with RichProgress(*columns(), console=Console(file=target), refresh_per_second=8) as bars:
            yield RichBars(bars)
    else:
        yield _Lines(target)


def columns() -> list[ProgressColumn]:
    """Description, bar, n/total, rate per second, time left, note."""
    return [
        SpinnerColumn(finished_text="[green]✓[/green]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        _Count(),
        _Rate(),
        _TimeLeft(),
        TextColumn("[dim]{task.fields[note]}[/dim]"),
    ]


class _Count(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(count_text(int(task.completed), None if task.total is None else int(task.total)))


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if speed is None and task.finished_time:  # done before there were two updates to tell it from
            speed = task.completed / task.finished_time
        return Text(rate_text(speed), style="cyan")


class _TimeLeft(ProgressColumn):
    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        if task.finished:
            return Text(duration_text(task.finished_time), style="dim")
        return Text(f"{duration_text(task.time_remaining)} left")


def count_text(done: int, total: int | None) -> str:
    return f"{done:,}" if total is None else f"{done:,}/{total:,}"


def rate_text(speed: float | None) -> str:
    if speed is None:
        return "–/s"
    return f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s"


def duration_text(seconds: float | None) -> str:
    return "–:––" if seconds is None else str(timedelta(seconds=round(seconds))).removeprefix("0:")


class _Silent:
    def bar(self, _description: str, _total: int | None = None) -> Bar:
        return _SilentBar()


class _SilentBar:
    def update(self, done: int, total: int | None = None, *, note: str | None = None) -> None:
        pass

    def finish(self, *, note: str | None = None) -> None:
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
        self._bars.update(self._task, completed=done, total=total, **shown)  # type: ignore[arg-type] # fields are open

    def finish(self, *, note: str | None = None) -> None:
        task = next(task for task in self._bars.tasks if task.id == self._task)
        whole = task.completed if task.total is None else max(task.total, task.completed)
        self.update(int(whole), int(whole), note=note)


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
        self._note = ""
        self._started = time.monotonic()
        self._printed = self._started
        self._finished = False

    def update(self, done: int, total: int | None = None, *, note: str | None = None) -> None:
        self._done = done
        self._total = total if total is not None else self._total
        self._note = note if note is not None else self._note
        if time.monotonic() - self._printed >= _LINE_EVERY_SECONDS:
            self._print(self._left())

    def finish(self, *, note: str | None = None) -> None:
        if self._finished:
            return
        self._finished = True
        self._note = note if note is not None else self._note
        if self._total is None:
            self._total = self._done
        self._done = max(self._done, self._total)
        self._print(f"done in {duration_text(time.monotonic() - self._started)}")

    def _left(self) -> str:
        if not self._total or not self._done:
            return ""
        seconds = (self._total - self._done) * (time.monotonic() - self._started) / self._done
        return f"{duration_text(max(0.0, seconds))} left"

    def _print(self, ending: str) -> None:
        self._printed = time.monotonic()
        elapsed = max(self._printed - self._started, 0.001)
        share = f"{100 * self._done / self._total:.0f} %" if self._total else ""
        parts = [count_text(self._done, self._total), share, rate_text(self._done / elapsed), ending, self._note]
        print(f"{self._description}: {', '.join(part for part in parts if part)}", file=self._target, flush=True)
