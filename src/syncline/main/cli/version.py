"""`syncline version`."""

from __future__ import annotations

import platform

import typer

from syncline import __version__
from syncline.main.cli.console import AsJson, command, emit

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
@command
def version(*, as_json: AsJson = False) -> None:
    """Print the version.

    \b
    Examples:
      syncline version
      syncline version --json
    """
    facts = {"version": __version__, "python": platform.python_version(), "platform": platform.platform()}
    emit(facts, as_json=as_json, show=lambda: f"syncline {__version__}")
