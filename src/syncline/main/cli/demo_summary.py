"""The last screen: what happened, how fast, and whether every count agrees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from syncline.main.cli.console import table
from syncline.main.cli.demo_steps import Timing
from syncline.main.cli.progress import rate_text
from syncline.main.demo.checks import Check, disagreeing
from syncline.main.demo.shop import Traffic

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything the last screen shows, and what `--json` prints."""

    timings: Sequence[Timing]
    checks: Sequence[Check]
    traffic: Traffic
    seconds: float

    @property
    def agreed(self) -> bool:
        return not disagreeing(self.checks)


def summary_view(summary: Summary) -> RenderableType:
    # Side by side where the terminal is wide enough.
    tables = Columns([_timings(summary.timings), _checks(summary.checks)], padding=(0, 3))
    panel = Panel(
        Group(tables, "", _verdict(summary)),
        title="[bold]What happened[/bold]",
        title_align="left",
        box=box.ROUNDED,
        border_style="green" if summary.agreed else "red",
    )
    return Constrain(panel, WIDTH)


def _timings(timings: Sequence[Timing]) -> Table:
    rows = ((one.what, one.records, f"{one.seconds:.1f} s", rate_text(one.records / one.seconds)) for one in timings)
    return _narrow(("step", ">records", ">time", ">rate"), rows)


def _checks(checks: Sequence[Check]) -> Table:
    rows = ((_mark(check), check.what, check.expected, check.found) for check in checks)
    return _narrow(("", "count", ">expected", ">found"), rows)


def _narrow(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    made = table(columns, rows)
    made.box = None
    made.padding = (0, 2, 0, 0)
    return made


def _mark(check: Check) -> Text:
    return Text("✓", style="green") if check.agrees else Text("✗", style="bold red")


def _verdict(summary: Summary) -> Text:
    traffic = summary.traffic
    facts = (
        f"{traffic.requests:,} requests, {traffic.points:,.0f} query points, {traffic.throttled:,} throttled;"
        f" {summary.seconds:.0f} s in all."
    )
    wrong = disagreeing(summary.checks)
    if not wrong:
        return Text.assemble((f"All {len(summary.checks)} counts agree. ", "bold green"), facts)
    named = "; ".join(f"{one.what}: {one.expected:,} expected, {one.found:,} found" for one in wrong)
    return Text.assemble((f"{len(wrong)} of {len(summary.checks)} counts do not agree: {named}. ", "bold red"), facts)


def invitation(*, url: str, key: str, data_dir: Path, bin_dir: Path) -> Text:
    """What to look at and to try while the server is up."""
    return Text.assemble(
        ("\nThe server is up. ", "bold green"), "Its API page: ", (f"{url}/docs", "bold cyan"), "\n",
        "To try next, in another terminal:\n\n",
        f"  export SYNCLINE_DATA_DIR={data_dir} PATH={bin_dir}:$PATH\n",
        f"  export KEY={key}\n\n",
        '  syncline change demo --where "tag:clearance status:active" --set price=-20%~.99\n',
        "  syncline review list --store demo --status pending\n",
        f'  curl -H "Authorization: Bearer $KEY" {url}/api/enhanced-sync/status\n\n',
        ("Ctrl-C stops the server, its database and the store.", "dim"),
    )  # fmt: skip
