"""`syncline sync`: pushes as they go on: start, look, pause, resume, stop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import typer

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce, PushRun, RunNotFound
from syncline.apps.commerce.push_contract import EngineConfig, Priority, Strategy
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit
from syncline.main.cli.push_options import BatchSize, MaxWorkers, MinWorkers, PriorityOption, StrategyOption
from syncline.main.cli.push_view import push_json, status_view
from syncline.main.cli.workspace import Workspace, open_workspace

app = command_group("Start, watch, pause, resume and stop pushes that worker processes carry out.")

StoreName = Annotated[str, typer.Argument(metavar="STORE", help="The store's name.")]


@app.command()
@command
async def start(
    store: StoreName,
    *,
    batch: Annotated[UUID | None, typer.Option("--batch", help="Only this batch.")] = None,
    min_workers: MinWorkers = 1,
    max_workers: MaxWorkers = 8,
    batch_size: BatchSize = None,
    priority: PriorityOption = Priority.NORMAL,
    strategy: StrategyOption = Strategy.BALANCED,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Start a push and return at once; the workers of `syncline serve` carry it out. `syncline push` does it here.

    \b
    Examples:
      syncline sync start summer
      syncline sync start summer --strategy cost --priority batch --json
    """
    config = EngineConfig(min_workers, max_workers, batch_size, priority, strategy)
    async with open_workspace(data_dir, tenant) as here:
        run = await here.contract(Commerce).start_push(actor=here.actor, store=store, batch_id=batch, config=config)
    emit(push_json(run), as_json=as_json, show=lambda: status_view([run]))


@app.command()
@command
async def status(
    store: Annotated[str | None, typer.Argument(metavar="[STORE]", help="Only this store.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over, at most 20.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show pushes, what each worker does, and what they cost. Without --all, those that go on, or else the last one.

    \b
    Examples:
      syncline sync status
      syncline sync status summer --all --json
    """
    async with open_workspace(data_dir, tenant) as here:
        runs = list(await here.contract(Commerce).list_pushes(actor=here.actor, store=store))
    live = [run for run in runs if not run.status.is_final]
    shown = runs if everything else live or runs[:1]
    emit({"pushes": [push_json(run) for run in shown]}, as_json=as_json, show=lambda: status_view(shown))


@app.command()
@command
async def pause(
    store: StoreName,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let the push of a store finish what is in flight, and wait.

    \b
    Examples:
      syncline sync pause summer
      syncline sync pause summer --json
    """
    async with open_workspace(data_dir, tenant) as here:
        await _wish(here, store, here.contract(Commerce).pause_push, as_json=as_json)


@app.command()
@command
async def resume(
    store: StoreName,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let a paused push go on. `syncline push STORE --wait` does it here and waits for it.

    \b
    Examples:
      syncline sync resume summer
      syncline sync resume summer --json
    """
    async with open_workspace(data_dir, tenant) as here:
        await _wish(here, store, here.contract(Commerce).resume_push, as_json=as_json)


@app.command()
@command
async def stop(
    store: StoreName,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let the push of a store finish what is in flight, and end it; what was not begun stays approved.

    \b
    Examples:
      syncline sync stop summer
      syncline sync stop summer --json
    """
    async with open_workspace(data_dir, tenant) as here:
        await _wish(here, store, here.contract(Commerce).stop_push, as_json=as_json)


async def _wish(here: Workspace, store: str, wish: Callable[..., Awaitable[PushRun]], *, as_json: bool) -> None:
    live = await here.contract(Commerce).list_pushes(actor=here.actor, store=store, live_only=True, limit=1)
    if not live:
        raise RunNotFound(
            f"No push to {store} is running or paused; `syncline sync status {store} --all` shows the last."
        )
    run = await wish(actor=here.actor, run_id=live[0].id)
    emit(push_json(run), as_json=as_json, show=lambda: status_view([run]))
