"""`syncline pull`: read a store into the mirror."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import (
    Commerce,
    NothingToDo,
    PullAlreadyRunning,
    PullMode,
    PullPath,
    PullRun,
    RunStatus,
)
from syncline.main.cli.console import AsJson, DataDir, ExitCode, TenantSlug, command, emit, say
from syncline.main.cli.progress import Progress, progress
from syncline.main.cli.pull_view import PullBars, pull_json, pull_view
from syncline.main.cli.working import follow, working
from syncline.main.cli.workspace import Workspace, open_workspace

app = typer.Typer(add_completion=False)


async def _start(here: Workspace, store: str, mode: PullMode, only: str, path: PullPath | None, *, wait: bool) -> UUID:
    streams = [name.strip() for name in only.split(",") if name.strip()]
    commerce = here.contract(Commerce)
    try:
        run = await commerce.start_pull(actor=here.actor, store=store, mode=mode, streams=streams, path=path)
    except PullAlreadyRunning as error:
        if not wait:
            raise
        say(f"Joining {error.extra['run_id']}, which is already running.", style="dim")
        return UUID(str(error.extra["run_id"]))
    return run.id


async def _cancel(here: Workspace, store: str) -> PullRun:
    commerce = here.contract(Commerce)
    last = (await commerce.overview(actor=here.actor, store=store)).last_pull
    if last is None or last.status.is_final:
        raise NothingToDo(f"No pull of {store} is running.")
    return await commerce.cancel_pull(actor=here.actor, run_id=last.id)


async def follow_pull(here: Workspace, run_id: UUID, bars: Progress) -> PullRun:
    """Show a pull's streams until it ends."""
    commerce = here.contract(Commerce)
    return await follow(
        lambda: commerce.get_pull(actor=here.actor, run_id=run_id),
        show=PullBars(bars).show,
        is_final=lambda run: run.status.is_final,
    )


@app.command()
@command
async def pull(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The store's name.")],
    *,
    full: Annotated[
        bool,
        typer.Option("--full/--incremental", help="Read everything, or what changed; the first pull is always full."),
    ] = False,
    only: Annotated[str, typer.Option(help="Some streams: products,inventory.")] = "",
    path: Annotated[PullPath | None, typer.Option(help="Overrule the plan: bulk or paged.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Join a pull that is already running.")] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Cancel the pull that is running; what it stored stays.")
    ] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Read a store into the mirror, and prove that nothing was lost: the run ends with a reconciliation.

    Safe to interrupt: `syncline pull STORE --wait` goes on where it stopped. Exit code 1 when store and mirror differ.

    \b
    Examples:
      syncline pull summer
      syncline pull summer --full
      syncline pull summer --only products --json
      syncline pull summer --wait
      syncline pull summer --cancel
    """
    chosen = PullMode.FULL if full else PullMode.INCREMENTAL
    async with open_workspace(data_dir, tenant) as here:
        if cancel:
            cancelled = await _cancel(here, store)
            emit(asdict(cancelled), as_json=as_json, show=lambda: f"Pull {cancelled.id} was cancelled.")
            return
        run_id = await _start(here, store, chosen, only, path, wait=wait)
        async with working(here):
            with progress(quiet=as_json) as bars:
                run = await follow_pull(here, run_id, bars)
    emit(pull_json(run), as_json=as_json, show=lambda: pull_view(run))
    if run.status is not RunStatus.COMPLETED:
        raise typer.Exit(ExitCode.FAILED)
