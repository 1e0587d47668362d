"""How runs of the full sync look: on a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.repository import Counts
from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync_contract import SyncStatus
from syncline.main.cli.console import table
from syncline.main.cli.fitting import Fitting
from syncline.main.cli.outcome import faint, marked, status_text
from syncline.main.cli.progress import duration_text, rate_text

_ID_WIDTH = 36


def run_json(run: Run, deliveries: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the API's `status` answers, and what the tables add."""
    told = {
        **service.told_of(run),
        "mode": run.mode.value,
        "namespaces": list(run.namespaces),
        "counts": service.counts_of(run),
        "platforms": {name.value: asdict(counts) for name, counts in run.by_platform.items()},
        "requested_by": run.requested_by,
        "sentence": run.sentence,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }
    return told if deliveries is None else {**told, "deliveries": dict(deliveries)}


def run_view(run: Run, deliveries: Mapping[str, Any]) -> RenderableType:
    """What it is and how far, a line a tool, and how Mixpanel stands."""
    parts: list[RenderableType] = [_headline(run)]
    if run.by_platform:
        parts.append(_tools(run))
    parts += [Text(sentence, style=style) for sentence, style in _remarks(run)]
    parts.append(_mixpanel(deliveries))
    return Group(*parts)


def _headline(run: Run) -> Text:
    which = ", ".join(run.namespaces) or "all namespaces"
    line = Text.assemble(marked(run.status, f"{run.mode} of {which}: "), _status(run))
    if run.status is SyncStatus.RUNNING:
        line.append(f", {_stage(run)}")
    if run.started_at is not None:
        line.append(f", {'after' if not run.status.is_final else 'in'} {duration_text(run.duration_ms / 1000)}")
    return line.append(f"\n  {run.id}", style="dim")


def _stage(run: Run) -> str:
    """`41 % read, about 2 min left`."""
    if run.progress.current_stage == service.ENDING:
        return "everything is read"
    eta = run.progress.eta_minutes
    return f"{run.progress.percentage:g} % read" + (f", about {eta} min left" if eta else "")


def _remarks(run: Run) -> list[tuple[str, str]]:
    told = []
    if run.sentence:
        told.append((run.sentence, "red" if run.status is SyncStatus.FAILED else "yellow"))
    if run.status is SyncStatus.QUEUED and not run.sentence:
        told.append(("It waits for a worker: start `syncline serve`, or see it through here with:", "yellow"))
        told.append((f"  syncline outreach follow {run.id}", ""))
    if run.removed:
        told.append(
            (f"{run.removed:,} {'event' if run.removed == 1 else 'events'} went that the tools have no more.", "")
        )
    return told


def _mixpanel(told: Mapping[str, Any]) -> Text:
    """Of all runs together: what one run had delivered is no number of its own."""
    parts = [
        (f"{told['delivered']:,} delivered", "green" if told["delivered"] else "dim"),
        (f"{told['waiting'] + told['sending']:,} waiting", "yellow" if told["waiting"] + told["sending"] else "dim"),
        *([(f"{told['held']:,} held back", "yellow")] if told["held"] else []),
        (f"{told['refused']:,} refused", "red" if told["refused"] else "dim"),
    ]
    line = Text("Mixpanel, all runs together: ")
    line.append(Text(", ").join(Text(words, style=style) for words, style in parts)).append(".")
    return line.append(f" {told['sentence']}", style="yellow") if told["sentence"] else line


def _tools(run: Run) -> RenderableType:
    return Fitting(*(_tools_table(run, names) for names in (_WIDE, _NARROW)))


def _rate(run: Run, counts: Counts) -> str | None:
    if run.started_at is None or not counts.read or not run.duration_ms:
        return None
    return rate_text(1000 * counts.read / run.duration_ms).removesuffix("/s")


_CELLS: dict[str, Callable[[Run, Counts], object]] = {
    ">read": lambda _, counts: faint(counts.read),
    ">new": lambda _, counts: faint(counts.created),
    ">known before": lambda _, counts: faint(counts.read - counts.created),
    ">not usable": lambda _, counts: faint(counts.unusable),
    ">events/s": _rate,
}
_WIDE = tuple(_CELLS)
_NARROW = _WIDE[:-1]


def _tools_table(run: Run, names: Sequence[str]) -> Table:
    """New and known before add up to read."""
    shown = [name for name in names if run.tells_new or name not in {">new", ">known before"}]

    def cells(counts: Counts) -> list[object]:
        return [_CELLS[name](run, counts) for name in shown]

    rows = [
        (marked("completed" if counts.done == counts.chunks else run.status, name.value), *cells(counts))
        for name, counts in run.by_platform.items()
    ]
    made = table(("  tool", *shown), rows)
    if len(rows) > 1:
        made.add_section()
        whole = (str(cell) if cell is not None else "–" for cell in cells(run.counts))
        made.add_row("  all", *whole, style="bold")
    return made


def runs_view(runs: Sequence[Run]) -> RenderableType:
    if not runs:
        return "No runs. Begin one with: syncline outreach sync"
    return Fitting(_runs_table(runs, short=False), _runs_table(runs, short=True))


def _runs_table(runs: Sequence[Run], *, short: bool) -> Table:
    """With `short` only what a narrow terminal holds, the id first: it is there to be copied."""
    if short:
        made = table(("job", "status", ">new"), ((str(run.id), _status(run), _new(run)) for run in runs))
    else:
        rows = (
            (str(run.id), run.created_at, run.mode.value, ", ".join(run.namespaces) or "all",
             _status(run), run.counts.read, _new(run), _took(run))
            for run in runs
        )  # fmt: skip
        made = table(("job", "begun", "mode", "namespaces", "status", ">read", ">new", ">took"), rows)
    made.columns[0].no_wrap, made.columns[0].min_width = True, _ID_WIDTH
    return made


def _status(run: Run) -> Text:
    """`in progress`, in its colour."""
    return Text(run.status.value.replace("_", " "), style=status_text(run.status).style)


def _new(run: Run) -> int | None:
    return run.counts.created if run.tells_new else None


def _took(run: Run) -> str | None:
    return None if run.started_at is None else duration_text(run.duration_ms / 1000)
