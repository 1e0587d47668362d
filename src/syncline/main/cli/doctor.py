"""`syncline doctor`: looks at this machine and installation and says what to do."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.console import RenderableType
from rich.text import Text

from syncline.main.cli.console import AsJson, DataDir, ExitCode, command, emit, table
from syncline.main.cli.workspace import prepare
from syncline.main.examination import Verdict, examine

app = typer.Typer(add_completion=False, rich_markup_mode="rich")

_SIGNS = {Verdict.GOOD: ("✓", "green"), Verdict.NOTE: ("!", "yellow"), Verdict.BAD: ("✗", "red")}


@app.command()
@command
async def doctor(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Check this machine and installation, and say what to do.

    Whether an installation that runs does its work is asked by `syncline verify`. Exit code 0 when Syncline can run
    here, 1 when something must be mended first; notes do not count.

    \b
    Examples:
      syncline doctor
      syncline doctor --json | jq '.findings[] | select(.verdict != "good")'
    """
    findings = await examine(prepare(data_dir))
    bad = [finding for finding in findings if finding.verdict is Verdict.BAD]

    def show() -> RenderableType:
        rows = ((Text(*_SIGNS[one.verdict]), one.what, one.found, one.advice) for one in findings)
        return table(("", "checked", "found", "what to do"), rows)

    facts = {"success": not bad, "findings": [{**asdict(one), "verdict": one.verdict.value} for one in findings]}
    emit(facts, as_json=as_json, show=show)
    if bad:
        raise typer.Exit(ExitCode.FAILED)
