"""How bulk operations look on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from syncline.apps.commerce.batch_contract import BatchPart, BatchPreview, BatchRefusal, BatchRun, ProposedChange
from syncline.apps.commerce.staging.diff import FieldChange, render_change
from syncline.kernel.paging import Page
from syncline.main.cli.console import cell_text, table
from syncline.main.cli.outcome import counts_text, status_text


def _counted(what: BatchRun | BatchPreview) -> str:
    parts = [
        f"{what.staged:,} changes",
        f"{what.unchanged:,} products as wanted already" if what.unchanged else "",
        f"{what.waiting:,} with this staged already" if what.waiting else "",
        f"{what.refused:,} refused" if what.refused else "",
    ]
    batches = f" in {what.parts:,} batches" if what.parts > 1 else ""
    return parts[0] + batches + "".join(f", {part}" for part in parts[1:] if part)


def run_view(run: BatchRun) -> RenderableType:
    total = f" of {run.total:,}" if run.total is not None else ""
    lines: list[RenderableType] = [
        Text.assemble(f"{run.id} {run.store} {run.operation}: ", status_text(run.status)),
        cell_text(run.summary),
        f"{run.processed:,}{total} products: {_counted(run)}",
    ]
    lines += [Text(run.error, style="yellow")] if run.error else []
    lines += [Text(f"repeats {run.retries}", style="dim")] if run.retries else []
    lines += [Text(f"repeated by {run.retried_by}", style="dim")] if run.retried_by else []
    return Group(*lines)


def run_table(runs: Sequence[BatchRun]) -> Table:
    rows = (
        (str(run.id), run.store, run.summary, run.requested_by, run.created_at, status_text(run.status), run.staged)
        for run in runs
    )
    return table(("operation", "store", "what", "by", "asked", "status", ">changes"), rows)


def parts_table(parts: Sequence[BatchPart]) -> RenderableType:
    """The batches that hold something, and what to do with them."""
    staged = [part for part in parts if part.batch_id is not None]
    if not staged:
        return Text("Nothing was staged.", style="dim")
    rows = ((str(part.batch_id), part.products, part.staged, counts_text(part.counts)) for part in staged)
    hint = f"Look:    syncline review list --batch {staged[0].batch_id}\nApprove: syncline review approve --batch …"
    return Group(table(("batch", ">products", ">changes", "now"), rows), hint)


def refusal_table(refusals: Page[BatchRefusal]) -> RenderableType:
    if not refusals.items:
        return ""
    rows = ((one.product_id, one.label, one.sentence) for one in refusals.items)
    made = table((">product", "record", "why not"), ((str(number), label, why) for number, label, why in rows))
    more = refusals.total - len(refusals.items)
    return Group(made, f"and {more:,} more") if more > 0 else made


def preview_view(found: BatchPreview) -> RenderableType:
    parts: list[RenderableType] = [cell_text(found.summary), f"{found.products:,} products: {_counted(found)}"]
    if found.changes:
        parts.append(table(("record", "field", "before → after"), _lines(found.changes)))
    if found.staged > len(found.changes):
        parts.append(f"and {found.staged - len(found.changes):,} more changes")
    parts.append(refusal_table(Page(found.refusals, found.refused, 1, len(found.refusals) or 1)))
    return Group(*parts)


def _lines(changes: Sequence[ProposedChange]) -> Iterator[Sequence[object]]:
    for change in changes:
        for place, (field, after) in enumerate(change.after.items()):
            line = render_change(FieldChange(field, change.before.get(field), after))
            yield ("" if place else change.label, field, line)
