"""`syncline db`: for the person who looks after the database."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import RenderableType

from syncline.kernel.errors import Unavailable
from syncline.main.cli.console import AsJson, DataDir, ExitCode, command, command_group, emit, table
from syncline.main.cli.workspace import prepare
from syncline.main.targets import migration_sources
from syncline.runtime.db import migrate
from syncline.runtime.db.access import Access

app = command_group("Look after the database: address, programs, migrations.")


class NoPrograms(Unavailable):
    code = "DB_005"
    title = "There are no matching client programs here"


@app.command()
@command
def url(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Print the operator's address, for psql and pg_dump. This role sees every tenant's rows.

    Syncline's own server runs as long as some Syncline process uses it: keep `syncline serve` running meanwhile.

    \b
    Examples:
      psql "$(syncline db url)"
      pg_dump "$(syncline db url)" > backup.sql
    """
    with Access(prepare(data_dir).database) as access:
        address = access.operator_url
        emit({"url": address, "embedded": access.is_embedded}, as_json=as_json, show=lambda: _plain(address))


@app.command("bin")
@command
def show_bin(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Print the folder with the psql, pg_dump and other programs that match Syncline's own server.

    \b
    Examples:
      PATH="$(syncline db bin):$PATH" pg_dump "$(syncline db url)" > backup.sql
    """
    with Access(prepare(data_dir).database) as access:
        folder = access.bin_dir
    if folder is None:
        raise NoPrograms("SYNCLINE_DATABASE_URL names a server of yours; use the programs that came with it.")
    emit({"bin": str(folder)}, as_json=as_json, show=lambda: _plain(str(folder)))


@app.command()
@command
def upgrade(
    target: Annotated[str, typer.Argument(help="`heads` for everything, or one branch: commerce@head.")] = "heads",
    *,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Apply the migrations that are missing. Safe to repeat, and by two processes at once.

    \b
    Examples:
      syncline db upgrade
      syncline db upgrade commerce@head
    """
    with Access(prepare(data_dir).database) as access:
        applied = migrate.upgrade(access.operator_url, migration_sources(), target)
    text = "\n".join(f"applied {revision}" for revision in applied) or "Nothing to do: the database is up to date."
    emit({"success": True, "applied": applied}, as_json=as_json, show=lambda: text)


@app.command()
@command
def downgrade(
    target: Annotated[str, typer.Argument(help="How far: commerce@-1 (one back), commerce@base (all), base.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Undo migrations. What only they can hold is deleted with them: make a backup first.

    \b
    Examples:
      syncline db downgrade commerce@-1
      syncline db downgrade base --yes
    """
    if not yes:
        typer.confirm(f"Undo migrations down to {target}? Data in the tables that go is deleted", abort=True, err=True)
    with Access(prepare(data_dir).database) as access:
        undone = migrate.downgrade(access.operator_url, migration_sources(), target)
    text = "\n".join(f"undone {revision}" for revision in undone) or "Nothing to undo."
    emit({"success": True, "rolled_back": undone}, as_json=as_json, show=lambda: text)


@app.command()
@command
def status(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show where each branch of migrations stands. Exit code 1 when some are missing.

    \b
    Examples:
      syncline db status
      syncline db status --json
    """
    with Access(prepare(data_dir).database) as access:
        branches = migrate.status(access.operator_url, migration_sources())
    behind = sum(len(branch.pending) for branch in branches)

    def show() -> RenderableType:
        rows = ((one.name, one.current, one.head, len(one.pending)) for one in branches)
        return table(("branch", "at", "newest", ">missing"), rows)

    emit({"up_to_date": not behind, "branches": [asdict(one) for one in branches]}, as_json=as_json, show=show)
    if behind:
        raise typer.Exit(ExitCode.FAILED)


def _plain(text: str) -> None:
    # Not through the console: an address must come out as it is, in one piece.
    print(text)
