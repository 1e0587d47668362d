"""How a comparison of the tools, the store and Mixpanel looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.outreach.reconcile.service import NOT_AT_MIXPANEL, agrees
from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync_contract import SyncStatus
from syncline.main.cli.console import cell_text, table
from syncline.main.cli.outcome import faint

_MOST_SHOWN = 40
_ALWAYS = ("source", "stored", "delivered")
_SOMETIMES = {
    "at_mixpanel": "at Mixpanel",
    "raw_at_mixpanel": "raw there",
    "forgotten": "forgotten",
    "waiting": "waiting",
    "refused": "refused",
    "missing": "missing",
    "extra": "extra",
}


def report_view(run: Run) -> RenderableType:
    """Days that differ, the sum of all, the first differences by key, and the verdict."""
    report = run.report
    if report is None:
        said = "was cancelled." if run.status is SyncStatus.CANCELLED else f"failed. {run.sentence or ''}"
        return Text(f"The comparison {said}".strip(), style="red")
    days, totals = report["days"], report["totals"]
    differing = [row for row in days if not agrees(row)]
    parts: list[RenderableType] = [_table(differing[:_MOST_SHOWN], totals, len(days))]
    if len(differing) > _MOST_SHOWN:
        parts.append(Text(f"and {len(differing) - _MOST_SHOWN:,} more days; --json has them all", style="dim"))
    found = report["differences"]
    parts += [Text.assemble(cell_text(one["event_key"]), ": ", cell_text(one["what"])) for one in found[:_MOST_SHOWN]]
    if len(found) > _MOST_SHOWN:
        parts.append(Text(f"and more; --json names the first {len(found):,}", style="dim"))
    return Group(*parts, *_verdict(report, len(days), len(differing)))


def _table(rows: Sequence[Mapping[str, Any]], totals: Mapping[str, int], days: int) -> RenderableType:
    """A column that is nought throughout is left out."""
    names = [*_ALWAYS, *(name for name in _SOMETIMES if name in totals and any(row[name] for row in (totals, *rows)))]
    shown = [(row["day"], row["namespace"], *(faint(row[name]) for name in names)) for row in rows]
    made = table(("day", "namespace", *(f">{_SOMETIMES.get(name, name)}" for name in names)), shown)
    if rows:
        made.add_section()
    made.add_row(f"all {days:,}", "", *(f"{totals[name]:,}" for name in names), style="bold")
    return made


def _verdict(report: Mapping[str, Any], days: int, differing: int) -> list[Text]:
    how = "receipts and Mixpanel's raw export" if report["read_back"] else "our receipts of what Mixpanel took"
    if report["agreed"]:
        said = Text(f"Source, store and Mixpanel agree on {report['totals']['source']:,} events, by {how}.", "green")
    elif differing:
        said = Text(f"Source, store and Mixpanel differ on {differing:,} of {days:,} days, by {how}.", "bold red")
    else:
        said = Text("The days agree, but single events do not: see above.", "bold red")
    mended = report["repaired"]
    if mended is None:
        return [said, *_hint(report)]
    sentence = f"Stored {mended['stored']:,}; {mended['sent_again']:,} wait to be sent again. Compare again to see it."
    return [said, Text(sentence, style="yellow" if any(mended.values()) else "")]


def _hint(report: Mapping[str, Any]) -> list[Text]:
    """What can be done about each kind of difference."""
    totals = report["totals"]
    is_away = any(one["what"] == NOT_AT_MIXPANEL for one in report["differences"])
    hints = {
        "`--repair` stores what is missing and sends again what was refused.": (
            totals["missing"] or totals["refused"] or is_away
        ),
        "What waits is sent by itself; compare again then.": totals["waiting"],
        "What a tool does not have any more stays, until `syncline outreach sync namespace_reset`.": totals["extra"],
    }
    return [] if report["agreed"] else [Text(hint) for hint, applies in hints.items() if applies]
