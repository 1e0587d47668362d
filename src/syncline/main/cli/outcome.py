"""How runs, batches and reconciliations look on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from syncline.apps.commerce.contract import (
    ChangeBatch,
    ImportProblem,
    KindCount,
    PullRun,
    PushRun,
    Reconciliation,
)
from syncline.main.cli.console import table

_STYLES = {"completed": "green", "applied": "green", "approved": "cyan", "conflict": "yellow", "failed": "red"}


def status_text(status: str) -> Text:
    return Text(status, style=_STYLES.get(status, ""))


def counts_text(counts: Mapping[str, int]) -> Text:
    """`1,998 applied, 2 conflict`, each in its colour."""
    parts: list[Text] = [Text(f"{count:,} {status}", style=_STYLES.get(status, "")) for status, count in counts.items()]
    return Text(", ").join(parts) if parts else Text("none")


def batch_table(batches: Sequence[ChangeBatch]) -> Table:
    rows = ((str(b.id), b.store, b.kind, b.summary, b.author, b.created_at, counts_text(b.counts)) for b in batches)
    return table(("batch", "store", "kind", "what", "by", "staged", "changes"), rows)


def pull_view(run: PullRun) -> RenderableType:
    rows = (
        (
            s.stream,
            s.path or "–",
            status_text(s.status),
            s.read,
            s.inserted,
            s.updated,
            s.unchanged,
            s.deleted,
            _seconds(s.started_at, s.finished_at),
        )
        for s in run.streams
    )
    columns = ("stream", "path", "status", ">read", ">new", ">changed", ">unchanged", ">gone", ">seconds")
    parts: list[RenderableType] = [table(columns, rows)]
    parts += [Text(note, style="yellow") for stream in run.streams for note in stream.notes]
    if run.error:
        parts.append(Text(run.error, style="red"))
    if run.reconciliation is not None:
        parts.append(reconciliation_view(run.reconciliation))
    return Group(*parts)


def _seconds(start: datetime | None, end: datetime | None) -> str:
    return "–" if start is None or end is None else f"{(end - start).total_seconds():.1f}"


def push_view(run: PushRun) -> RenderableType:
    line = Text.assemble(f"{run.total:,} changes to {run.store}: ", counts_text(run.counts))
    return Group(line, Text(run.error, style="red")) if run.error else line


def _kind_row(kind: KindCount) -> Sequence[object]:
    mark = Text("agrees", style="green") if kind.agrees else Text("differs", style="red")
    store = "not counted by Shopify" if kind.in_store is None else kind.in_store
    return (kind.kind, store, kind.in_mirror, kind.missing_count, kind.extra_count, kind.stale_count, mark)


def reconciliation_view(found: Reconciliation) -> RenderableType:
    columns = ("record", ">in store", ">in mirror", ">missing", ">extra", ">different", "")
    parts: list[RenderableType] = [
        table(columns, map(_kind_row, found.kinds), title=f"Reconciliation by {found.method}")
    ]
    for kind in found.kinds:
        for what, ids in (("missing", kind.missing), ("extra", kind.extra), ("different", kind.stale)):
            if ids:
                parts.append(Text(f"{kind.kind} {what}: {', '.join(ids[:10])}", style="red"))
    parts += [Text(note, style="dim") for note in found.notes]
    if found.repaired:
        parts.append(Text(f"{found.repaired:,} records were mended before this comparison.", style="yellow"))
    return Group(*parts)


def problem_table(problems: Sequence[ImportProblem], *, most: int) -> RenderableType:
    rows = ((p.row if p.row is not None else "file", p.column, p.value, p.reason, p.severity) for p in problems[:most])
    made: list[RenderableType] = [table((">row", "column", "value", "reason", ""), rows)]
    if len(problems) > most:
        made.append(Text(f"and {len(problems) - most:,} more; --json lists them", style="dim"))
    return Group(*made)
