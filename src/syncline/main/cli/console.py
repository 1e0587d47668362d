"""What every command shares: options, output for people or programs, errors as one sentence, and exit codes."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer
from rich import box
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from syncline.kernel.errors import ConnectorOutcome, DomainError, InvalidInput, SynclineError

P = ParamSpec("P")


class ExitCode(IntEnum):
    """What a script can tell apart."""

    DONE = 0
    FAILED = 1
    NOT_UNDERSTOOD = 2
    REFUSED = 3
    IN_PART = 4


DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="SYNCLINE_DATA_DIR",
        help="Where Syncline keeps its database and keys.",
        show_default="./.syncline if it exists, else your data folder",
        file_okay=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
TenantSlug = Annotated[str, typer.Option("--tenant", envvar="SYNCLINE_TENANT", help="Whose data.")]


def command_group(help_text: str) -> typer.Typer:
    """A Typer for one module of commands, with the options that all of them have."""
    return typer.Typer(help=help_text, no_args_is_help=True, add_completion=False, rich_markup_mode="rich")


# A pipe has no width: long enough that no cell is cut, as nobody can widen it.
_PIPE_WIDTH = 200


def console(*, stderr: bool = False) -> Console:
    """A console on standard output, or on standard error for what is not the result. Made anew each time, because
    standard streams are replaced under test."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, emoji=False, soft_wrap=not stream.isatty())


def emit(value: Any, *, as_json: bool, show: Callable[[], RenderableType | None]) -> None:
    """The result of a command: `value` as JSON for programs, or what `show` draws for people."""
    if as_json:
        # Flushed: who reads it from a pipe may wait for this line while the command goes on, as with `serve --json`.
        text = json.dumps(value, ensure_ascii=False, default=to_json, indent=2 if sys.stdout.isatty() else None)
        print(text, flush=True)
        return
    drawn = show()
    if drawn is not None:
        console().print(drawn)


def to_json(value: object) -> object:
    """For `json.dumps(default=...)`: moments as ISO 8601, everything else as its text."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> Table:
    """A plain table. Columns whose header begins with `>` are numbers and stand right; None shows as a dash. Cells are
    text, not markup: a product may be called “[red]”."""
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    for row in rows:
        made.add_row(*(cell_text(cell) for cell in row))
    return made


_CONTROLS = {code: "·" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) != "\n"}


def cell_text(cell: object) -> str | Text:
    """A cell as it is shown. What a shop calls things is shown to the character, but no control character of it reaches
    the terminal, which would obey it."""
    if isinstance(cell, Text):
        return cell
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, datetime):
        return cell.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return Text(str(cell).translate(_CONTROLS))


def say(sentence: str, *, style: str | None = None) -> None:
    """One line for a person, on standard error so that it never mixes with a result."""
    console(stderr=True).print(escape(sentence), style=style)


def exit_code_of(error: SynclineError) -> ExitCode:
    if isinstance(error, InvalidInput):
        return ExitCode.NOT_UNDERSTOOD
    if isinstance(error, DomainError) and error.status in {401, 403, 409}:
        return ExitCode.REFUSED
    return ExitCode.FAILED


def error_body(error: SynclineError) -> dict[str, Any]:
    """The same members as the problem documents of the API."""
    body: dict[str, Any] = {"success": False, "code": "CLI_001", "error": str(error)}
    if isinstance(error, DomainError):
        fields = [{"field": wrong.field, "message": wrong.message} for wrong in error.fields]
        body |= {"code": error.code, "error": error.sentence, "fields": fields, **error.extra}
    elif isinstance(error, ConnectorOutcome):
        body |= {"code": f"CON_{type(error).__name__}", "error": error.sentence, "vendor_code": error.vendor_code}
    return body


def fail(error: SynclineError, *, as_json: bool) -> typer.Exit:
    """Shows `error` and gives back the exit to raise."""
    body = error_body(error)
    if as_json:
        print(json.dumps(body, ensure_ascii=False, default=to_json))
    else:
        out = console(stderr=True)
        out.print(f"[red]{escape(body['error'])}[/red] [dim]{escape(body['code'])}[/dim]")
        # A sentence that was said whole above is not said again under its field.
        untold = [wrong for wrong in body.get("fields", []) if wrong["message"] not in body["error"]]
        for wrong in untold[:20]:
            out.print(f"  {escape(wrong['field'])}: {escape(wrong['message'])}")
        if len(untold) > 20:
            out.print(f"  and {len(untold) - 20:,} more; --json lists them all")
    return typer.Exit(exit_code_of(error))


def command(function: Callable[P, Coroutine[Any, Any, None] | None]) -> Callable[P, None]:
    """Decorator under `@app.command()`: runs async functions, and turns our errors into one sentence and an exit code.

    The function's own `as_json` argument decides how an error is shown.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json", False))
        try:
            result = function(*args, **kwargs)
            if inspect.iscoroutine(result):
                _run_async(result)
        except SynclineError as error:
            raise fail(error, as_json=as_json) from error
        except OSError as error:
            if error.filename is None:
                raise
            trouble = InvalidInput(f"{error.filename}: {error.strerror}.")
            raise fail(trouble, as_json=as_json) from error

    return run


def _run_async(work: Coroutine[Any, Any, None]) -> None:
    # uvloop has no Windows build; there the standard loop does.
    if sys.platform == "win32":
        asyncio.run(work)
        return
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)
