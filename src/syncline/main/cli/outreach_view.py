"""How runs of the full sync are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.outreach.connections.service import Connection
from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.service import Run
from syncline.main.cli.console import table

_MOST_SHOWN = 40
_COUNTS = (
    "source", "stored", "delivered", "at_mixpanel", "raw_at_mixpanel", "forgotten", "waiting", "refused",
    "missing", "extra",
)  # fmt: skip


def run_json(run: Run) -> dict[str, Any]:
    return {
        **service.told_of(run),
        "mode": run.mode.value,
        "namespaces": list(run.namespaces),
        "removed": run.removed,
        "sentence": run.sentence,
        "created_at": run.created_at,
    }


def connections_view(found: Sequence[Connection]) -> RenderableType:
    if not found:
        return "No tools yet. Connect one with: syncline outreach connect lemlist --key -"
    rows = (
        (one.platform, ", ".join(f"{name} {value}" for name, value in one.facts.items()), one.checked_at, one.sentence)
        for one in found
    )
    return table(("tool", "with", "asked", "what is wrong"), rows)


def run_view(run: Run) -> RenderableType:
    rows = [
        ("job", str(run.id)),
        ("mode", run.mode.value),
        ("namespaces", ", ".join(run.namespaces) or "all"),
        ("status", run.status.value),
        ("read", run.counts.read),
        ("new", run.counts.created),
        ("taken away", run.removed),
        ("not usable", run.counts.unusable),
        ("people", run.people),
        ("took", f"{run.duration_ms / 1000:.1f} s"),
        *([("note", run.sentence)] if run.sentence else []),
    ]
    return table(("", ">"), rows)


def delivery_view(run: Run, told: Mapping[str, Any]) -> RenderableType:
    said = f"Mixpanel: {told['delivered']:,} delivered, {told['waiting'] + told['sending']:,} wait, "
    said += f"{told['held']:,} held, {told['refused']:,} refused. {told['sentence'] or ''}"
    eta = run.progress.eta_minutes
    going = f"{run.progress.percentage:g} % read" + (f", about {eta} min to go" if eta else "")
    return Group(run_view(run), *([] if run.status.is_final else [Text(going)]), Text(said.strip()))


def runs_view(runs: Sequence[Run]) -> RenderableType:
    rows = (
        (str(run.id), run.created_at, run.mode.value, ", ".join(run.namespaces) or "all", run.status.value,
         run.counts.read, run.counts.created, f"{run.duration_ms / 1000:.1f} s")
        for run in runs
    )  # fmt: skip
    return table(("job", "begun", "mode", "namespaces", "status", ">read", ">new", ">took"), rows)


def report_view(run: Run) -> RenderableType:
    if run.report is None:
        return run_view(run)
    names = [name for name in _COUNTS if name in run.report["totals"]]
    days = run.report["days"]
    shown = [row for row in days if len(days) <= _MOST_SHOWN or not _is_even(row)][:_MOST_SHOWN]
    rows = [(row["day"], row["namespace"], *(row[name] for name in names)) for row in shown]
    rows.append(("all", "", *(run.report["totals"][name] for name in names)))
    differences = [Text(f"{one['event_key']}: {one['what']}") for one in run.report["differences"][:_MOST_SHOWN]]
    said = "Source, store and Mixpanel agree." if run.report["agreed"] else "They do not agree."
    if run.report["repaired"] is not None:
        mended = run.report["repaired"]
        said += f" Stored {mended['stored']:,}, and {mended['sent_again']:,} wait to be sent again."
    return Group(table(("day", "namespace", *(f">{name}" for name in names)), rows), *differences, Text(said))


def _is_even(row: Mapping[str, Any]) -> bool:
    return bool(row["source"] == row["stored"] == row["delivered"] + row["forgotten"])
