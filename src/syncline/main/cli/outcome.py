"""How runs, batches and reconciliations look on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from syncline.apps.commerce.contract import (
    ChangeBatch,
    ImportProblem,
    Overlap,
    Reconciliation,
)
from syncline.apps.commerce.staging.overlap import said
from syncline.main.cli.console import table

_STYLES = {
    "completed": "green",
    "applied": "green",
    "approved": "cyan",
    "accepted": "green",
    "conflict": "yellow",
    "skipped": "yellow",
    "expired": "yellow",
    "cancelled": "yellow",
    "failed": "red",
}


_SIGNS = {"completed": "✓", "failed": "✗", "cancelled": "–", "skipped": "–"}
_IDS = 10


def marked(status: str, name: str) -> Text:
    """The name behind `✓`, `✗`, `–`, or a point for what goes on."""
    return Text.assemble((_SIGNS.get(status, "·"), _STYLES.get(status, "")), f" {name}")


def faint(count: int) -> Text:
    """A number that only catches the eye when it is not nought."""
    return Text(f"{count:,}", style="" if count else "dim")


def status_text(status: str) -> Text:
    return Text(status, style=_STYLES.get(status, ""))


def counts_text(counts: Mapping[str, int]) -> Text:
    """`1,998 applied, 2 conflict`, each in its colour."""
    parts: list[Text] = [Text(f"{count:,} {status}", style=_STYLES.get(status, "")) for status, count in counts.items()]
    return Text(", ").join(parts) if parts else Text("none")


def batch_table(batches: Sequence[ChangeBatch]) -> Table:
    rows = ((str(b.id), b.store, b.kind, b.summary, b.author, b.created_at, counts_text(b.counts)) for b in batches)
    return table(("batch", "store", "kind", "what", "by", "staged", "changes"), rows)


def overlap_lines(overlap: Overlap | None) -> list[Text]:
    """What waits already, and what waits with another value; nothing where there is neither."""
    lines: list[Text] = []
    if overlap is not None and overlap.waiting:
        lines.append(Text(f"{said(overlap)}: not staged again", style="yellow"))
    if overlap is not None and overlap.rivals:
        batches = ", ".join(map(str, overlap.rivals_in))
        sentence = (
            f"{overlap.rivals:,} of these records wait with another value, in batch {batches}: both stay: reject one, "
            "or the one that is pushed later is a conflict"
        )
        lines.append(Text(sentence, style="yellow"))
    if overlap is not None and overlap.replaced:
        sentence = f"{overlap.replaced:,} images waited with another text: given up, for these are to be added instead"
        lines.append(Text(sentence, style="yellow"))
    return lines


def reconciliation_view(found: Reconciliation) -> RenderableType:
    """A line a kind of record; columns of differences only where there are any, and each difference by its ids."""
    parts: list[RenderableType] = [_kind_table(found)]
    for kind in found.kinds:
        for what, ids, count in (
            ("missing", kind.missing, kind.missing_count),
            ("extra", kind.extra, kind.extra_count),
            ("different", kind.stale, kind.stale_count),
        ):
            if ids:
                more = f" and {count - _IDS:,} more" if count > _IDS else ""
                parts.append(Text(f"{kind.kind} {what}: {', '.join(ids[:_IDS])}{more}", style="red"))
    parts += [Text(note, style="dim") for note in found.notes]
    if found.repaired:
        parts.append(Text(f"{found.repaired:,} records were mended before this comparison.", style="yellow"))
    parts.append(_verdict(found))
    return Group(*parts)


def _kind_table(found: Reconciliation) -> Table:
    wrong = {
        ">missing": [kind.missing_count for kind in found.kinds],
        ">extra": [kind.extra_count for kind in found.kinds],
        ">different": [kind.stale_count for kind in found.kinds],
    }
    differing = {name: counts for name, counts in wrong.items() if any(counts)}
    rows = (
        (
            marked("completed" if kind.agrees else "failed", kind.kind),
            Text("not counted", style="dim") if kind.in_store is None else kind.in_store,
            kind.in_mirror,
            *(faint(counts[number]) for counts in differing.values()),
        )
        for number, kind in enumerate(found.kinds)
    )
    made = table(("  record", ">in store", ">in mirror", *differing), rows, title=f"Reconciliation by {found.method}")
    made.title_style = "bold"
    return made


def _verdict(found: Reconciliation) -> Text:
    if found.agreed:
        return Text(f"Store and mirror agree: {sum(kind.in_mirror for kind in found.kinds):,} records.", style="green")
    differing = ", ".join(kind.kind for kind in found.kinds if not kind.agrees)
    return Text(f"Store and mirror differ in {differing}.", style="bold red")


def reconciliation_json(found: Reconciliation) -> dict[str, Any]:
    """With what is computed of it."""
    kinds = [{**asdict(kind), "agrees": kind.agrees} for kind in found.kinds]
    return {**asdict(found), "kinds": kinds, "agreed": found.agreed}


def problem_table(problems: Sequence[ImportProblem], *, most: int) -> RenderableType:
    rows = ((p.row if p.row is not None else "file", p.column, p.value, p.reason, p.severity) for p in problems[:most])
    made: list[RenderableType] = [table((">row", "column", "value", "reason", ""), rows)]
    if len(problems) > most:
        made.append(Text(f"and {len(problems) - most:,} more; --json lists them", style="dim"))
    return Group(*made)
