"""How a secret comes to a command: by its option, from standard input, or typed unseen."""

from __future__ import annotations

import sys

import typer

from syncline.kernel.errors import InvalidInput


def secret_of(given: str | None, what: str, option: str) -> str:
    """From the option, or from standard input, so that it need not stand in the shell's history. `what` is what it is,
    like `the app's secret`. Raises `InvalidInput` when there is none."""
    if given == "-" or (given is None and not sys.stdin.isatty()):
        given = sys.stdin.readline().strip()
    elif given is None:
        given = typer.prompt(what[0].upper() + what[1:], hide_input=True)
    if not given:
        raise InvalidInput(f"Give {what} with {option}, or on standard input with {option} -.")
    return given
