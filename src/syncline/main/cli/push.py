"""`syncline push`: send approved changes to the store."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import ChangeStatus, Commerce, PushAlreadyRunning, PushRun, RunStatus
from syncline.apps.commerce.push_contract import EngineConfig, Priority, Strategy
from syncline.main.cli.console import AsJson, DataDir, ExitCode, TenantSlug, command, emit, say
from syncline.main.cli.progress import Progress, progress
from syncline.main.cli.push_options import BatchSize, MaxWorkers, MinWorkers, PriorityOption, StrategyOption
from syncline.main.cli.push_view import plan_view, push_json, push_view
from syncline.main.cli.working import follow, working
from syncline.main.cli.workspace import Workspace, open_workspace

app = typer.Typer(add_completion=False)

_WAITING = (ChangeStatus.APPROVED, ChangeStatus.SENDING)
_NOT_DONE = (ChangeStatus.CONFLICT, ChangeStatus.FAILED, *_WAITING)


async def start(here: Workspace, store: str, batch: UUID | None, config: EngineConfig, *, wait: bool) -> UUID:
    """Starts a push; with `wait`, joins the one that is under way already, and lets a paused one go on."""
    commerce = here.contract(Commerce)
    try:
        run = await commerce.start_push(actor=here.actor, store=store, batch_id=batch, config=config)
    except PushAlreadyRunning as error:
        if not wait:
            raise
        say(f"Joining {error.extra['run_id']}, which is already running.", style="dim")
        run = await commerce.resume_push(actor=here.actor, run_id=UUID(str(error.extra["run_id"])))
    return run.id


async def follow_push(here: Workspace, run_id: UUID, bars: Progress) -> PushRun:
    """Show a push until it ends."""
    commerce = here.contract(Commerce)
    bar = bars.bar("changes")

    def show(run: PushRun) -> None:
        waiting = sum(run.counts.get(status, 0) for status in _WAITING)
        bar.update(run.total - waiting, run.total)

    run = await follow(
        lambda: commerce.get_push(actor=here.actor, run_id=run_id),
        show=show,
        is_final=lambda run: run.status.is_final or run.status is RunStatus.PAUSED,
    )
    if run.status is RunStatus.COMPLETED:
        bar.finish()
    return run


async def _show_plan(here: Workspace, store: str, batch: UUID | None, config: EngineConfig, *, as_json: bool) -> None:
    made = await here.contract(Commerce).plan_push(actor=here.actor, store=store, batch_id=batch, config=config)
    emit({**asdict(made), "is_blocked": made.is_blocked}, as_json=as_json, show=lambda: plan_view(made))
    if made.is_blocked:
        raise typer.Exit(ExitCode.REFUSED)


@app.command()
@command
async def push(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The store's name.")],
    *,
    batch: Annotated[UUID | None, typer.Option("--batch", help="Only this batch.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Join a push that is already running.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show what it would do and cost, and do nothing.")] = False,
    min_workers: MinWorkers = 1,
    max_workers: MaxWorkers = 8,
    batch_size: BatchSize = None,
    priority: PriorityOption = Priority.NORMAL,
    strategy: StrategyOption = Strategy.BALANCED,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Send every approved change. A value that moved in the store since it was staged is a conflict, never overwritten.

    Safe to interrupt: what is in the air is read back before anything is sent again. Exit code 4 when some were not
    applied.

    \b
    Examples:
      syncline push summer
      syncline push summer --plan
      syncline push summer --batch 019a2b3c-4d5e-7f60-8123-456789abcdef --json
      syncline push summer --strategy speed --max-workers 16
    """
    config = EngineConfig(min_workers, max_workers, batch_size, priority, strategy)
    async with open_workspace(data_dir, tenant) as here:
        if plan:
            await _show_plan(here, store, batch, config, as_json=as_json)
            return
        run_id = await start(here, store, batch, config, wait=wait)
        async with working(here):
            with progress(quiet=as_json) as bars:
                run = await follow_push(here, run_id, bars)
    emit(push_json(run), as_json=as_json, show=lambda: push_view(run))
    if run.status is not RunStatus.COMPLETED:
        raise typer.Exit(ExitCode.FAILED)
    if any(run.counts.get(status, 0) for status in _NOT_DONE):
        raise typer.Exit(ExitCode.IN_PART)
