"""`syncline outreach jobs`: what runs by itself, and how it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.outreach.contract import Outreach, RoutineState, RoutineStatus
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.fitting import Fitting
from syncline.main.cli.workspace import open_workspace

app = command_group("See how the hourly sync and the deliveries are; run, stop and resume them.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="periodic_sync or mixpanel_sync.")]
_STYLES = {
    RoutineStatus.HEALTHY: "green",
    RoutineStatus.LATE: "yellow",
    RoutineStatus.FAILING: "red",
    RoutineStatus.DISABLED: "yellow",
}


def _view(found: Sequence[RoutineState]) -> RenderableType:
    troubles = [Text(f"{one.name}: {one.sentence}", style=_STYLES[one.status]) for one in found if one.sentence]
    return Group(Fitting(*(_table(found, is_wide=wide) for wide in (True, False))), *troubles)


def _table(found: Sequence[RoutineState], *, is_wide: bool) -> RenderableType:
    rows = (
        (
            one.name,
            Text("running" if one.is_running else one.status.value, style=_STYLES[one.status]),
            one.last_run,
            one.next_run,
            None if one.lag_seconds is None else str(timedelta(seconds=round(one.lag_seconds))),
            *([one.about] if is_wide else []),
        )
        for one in found
    )
    return table(("job", "is", "last run", "next run", ">behind", *(["what it does"] if is_wide else [])), rows)


@app.command()
@command
async def status(*, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show both jobs: last run, next run, how far each is behind, and what is wrong. Exit code 1 when one is failing.

    \b
    Examples:
      syncline outreach jobs status
      syncline outreach jobs status --json | jq '.jobs[] | select(.status != "healthy")'
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Outreach).list_routines(actor=here.actor)
    emit({"jobs": [asdict(one) for one in found]}, as_json=as_json, show=lambda: _view(found))
    if any(one.status is RoutineStatus.FAILING for one in found):
        raise typer.Exit(1)


@app.command()
@command
async def trigger(
    name: Name, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Have a job run now, by the next free worker. Its own times stay.

    \b
    Examples:
      syncline outreach jobs trigger periodic_sync
    """
    async with open_workspace(data_dir, tenant) as here:
        started = await here.contract(Outreach).trigger_routine(actor=here.actor, name=name)
    said = f"{name} was started ({started}); a worker does it: `syncline serve`, or `syncline outreach follow`."
    emit({"name": name, "started": started}, as_json=as_json, show=lambda: said)


@app.command()
@command
async def enable(
    name: Name, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Let a job run at its times again.

    \b
    Examples:
      syncline outreach jobs enable periodic_sync
    """
    await _switch(name, tenant=tenant, data_dir=data_dir, as_json=as_json, on=True)


@app.command()
@command
async def disable(
    name: Name, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Keep a job from running at its times; what runs goes on, and `trigger` still runs it.

    \b
    Examples:
      syncline outreach jobs disable mixpanel_sync
    """
    await _switch(name, tenant=tenant, data_dir=data_dir, as_json=as_json, on=False)


async def _switch(name: str, *, tenant: str, data_dir: DataDir, as_json: bool, on: bool) -> None:
    async with open_workspace(data_dir, tenant) as here:
        changed = await here.contract(Outreach).switch_routine(actor=here.actor, name=name, is_enabled=on)
    emit(asdict(changed), as_json=as_json, show=lambda: _view([changed]))
