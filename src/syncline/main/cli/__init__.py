"""The `syncline` command: one file per command, each thin over a facade.

Exit codes, the same everywhere: 0 done; 1 failed; 2 the request was not understood; 3 refused (a conflict, something
already running, not allowed); 4 done in part, with the rest listed.
"""

from __future__ import annotations

from typing import Annotated

import typer

from syncline import __version__
from syncline.main.cli.lazy import COMMANDS, LazyGroup
from syncline.main.collecting import leave_loaded_out

EPILOG = "Exit codes: 0 done, 1 failed, 2 not understood, 3 refused, 4 done in part."

app = typer.Typer(
    cls=LazyGroup,
    name="syncline",
    help="Pull a store, see every change before it happens, approve it, push it, undo it.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

__all__ = ["COMMANDS", "app", "run"]


def _print_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"syncline {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _print_version(wanted=value), is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def run() -> None:
    """The console script."""
    app(obj=leave_loaded_out)
