"""`syncline schedule`: pulls, comparisons and alignments that start by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.alignment_contract import AlignedBy
from syncline.apps.commerce.contract import Commerce
from syncline.apps.commerce.schedule_contract import Schedule, ScheduledAction
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.main.cli.console import AsJson, DataDir, ExitCode, TenantSlug, command, command_group, emit, table
from syncline.main.cli.outcome import reconciliation_view, status_text
from syncline.main.cli.progress import progress
from syncline.main.cli.pull import follow_pull
from syncline.main.cli.pull_view import pull_view
from syncline.main.cli.working import follow, working
from syncline.main.cli.workspace import Workspace, open_workspace

app = command_group("Have pulls, comparisons and alignments start by themselves, and see what became of them.")

ScheduleId = Annotated[UUID, typer.Argument(metavar="SCHEDULE", help="Its id, from `syncline schedule list`.")]

_ACTIONS = {
    ScheduledAction.PULL: "pull",
    ScheduledAction.PULL_FULL: "pull --full",
    ScheduledAction.RECONCILE_COUNTS: "reconcile --depth counts",
    ScheduledAction.RECONCILE_IDS: "reconcile --depth ids",
    ScheduledAction.RECONCILE_CONTENT: "reconcile --depth content",
    ScheduledAction.ALIGN: "align",
}
_ID_WIDTH = 36
_DEPTHS = ("counts", "ids", "content")


def _chosen_action(*, full: bool, reconcile: str | None) -> ScheduledAction:
    if full and reconcile is not None:
        raise InvalidInput("Give --full or --reconcile, not both: a schedule does one thing. Add a second schedule.")
    if reconcile is not None and reconcile not in _DEPTHS:
        raise InvalidInput(f"There is no depth {reconcile!r}; use counts, ids or content.")
    if reconcile is not None:
        return ScheduledAction(f"reconcile_{reconcile}")
    return ScheduledAction.PULL_FULL if full else ScheduledAction.PULL


def _chosen_timing(every: str | None, cron: str | None) -> str:
    if (every is None) == (cron is None):
        raise InvalidInput('Say when, in one of two ways: --every 1h, or --cron "0 3 * * 0".')
    return cron if cron is not None else f"every {str(every).removeprefix('every').strip()}"


def schedule_table(schedules: Sequence[Schedule]) -> RenderableType:
    """With the sentence of each last run below it, where there is one."""
    rows = ((one.id, one.store, _does(one), _timing(one), _next(one), *_last(one)) for one in schedules)
    made = table(("schedule", "store", "does", "when", "next", "last", "ended"), rows)
    made.columns[0].no_wrap, made.columns[0].min_width = True, _ID_WIDTH  # it is there to be copied
    parts: list[RenderableType] = [made]
    parts += [
        Text(f"{one.store}, {_does(one)}: {one.last_run.sentence}", style="yellow")
        for one in schedules
        if one.last_run is not None and one.last_run.sentence
    ]
    return Group(*parts)


def _does(one: Schedule) -> str:
    if one.alignment is None:
        return _ACTIONS[one.action]
    where = f" where {one.alignment.where}" if one.alignment.where else ""
    return f"align {', '.join(one.alignment.fields)} with {one.alignment.source} by {one.alignment.by.value}{where}"


def _timing(one: Schedule) -> str:
    return one.timing if one.timing.startswith("every") else f"{one.timing} {one.zone}"


def _next(one: Schedule) -> object:
    if one.next_run_at is None:
        return Text("paused", style="yellow")
    late = (clock.now() - one.next_run_at).total_seconds()
    return Text(f"due for {late / 60:,.0f} min", style="yellow") if late > 90 else one.next_run_at


def _last(one: Schedule) -> tuple[object, object]:
    if one.last_run is None:
        return None, None
    ended = status_text(one.last_run.status)
    return one.last_run.at, ended.append(f", {one.failures} in a row") if one.failures > 1 else ended


def _show_one(one: Schedule, *, as_json: bool) -> None:
    emit(asdict(one), as_json=as_json, show=lambda: schedule_table([one]))


@app.command()
@command
async def add(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The store's name.")],
    *,
    every: Annotated[str | None, typer.Option(metavar="INTERVAL", help="A number and m, h or d: 15m, 1h, 1d.")] = None,
    cron: Annotated[
        str | None, typer.Option(metavar="FIELDS", help='Minute, hour, day, month, weekday: "0 3 * * 0".')
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, not only what changed.")] = False,
    reconcile: Annotated[
        str | None, typer.Option(metavar="DEPTH", help="Compare instead of pulling: counts, ids or content.")
    ] = None,
    align: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Copy fields from this store instead of pulling.")
    ] = None,
    fields: Annotated[
        list[str] | None, typer.Option("--field", metavar="FIELD", help="With --align: what to copy; may be repeated.")
    ] = None,
    by: Annotated[AlignedBy, typer.Option(help="With --align: what tells that records are the same.")] = AlignedBy.SKU,
    where: Annotated[str, typer.Option(help="With --align: which records of the source.")] = "",
    zone: Annotated[str, typer.Option(help="The time zone in which the cron is read, like Europe/Berlin.")] = "UTC",
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a schedule. It runs while `syncline serve` does; a time that was missed is made up once.

    While a pull of the store runs, an incremental one is left out, and a full one or a comparison waits for it. An
    alignment waits for pulls of either store, and stages what differs by then for review.

    \b
    Examples:
      syncline schedule add summer --every 1h
      syncline schedule add summer --cron "0 3 * * 0" --full --zone Europe/Berlin
      syncline schedule add summer --cron "30 5 * * *" --reconcile ids
      syncline schedule add outlet --every 1h --align main --field price --field compare_at_price
    """
    action, timing = _chosen_action(full=full, reconcile=reconcile), _chosen_timing(every, cron)
    if align is not None and action is not ScheduledAction.PULL:
        raise InvalidInput("Give --align without --full and --reconcile: a schedule does one thing. Add a second one.")
    if align is None and (fields or where):
        raise InvalidInput("--field and --where belong to --align: say which store to copy from.")
    async with open_workspace(data_dir, tenant) as here:
        commerce = here.contract(Commerce)
        if align is None:
            made = await commerce.add_schedule(actor=here.actor, store=store, action=action, timing=timing, zone=zone)
        else:
            made = await commerce.schedule_alignment(
                actor=here.actor,
                source=align,
                target=store,
                fields=fields or [],
                timing=timing,
                by=by,
                where=where,
                zone=zone,
            )
    _show_one(made, as_json=as_json)


@app.command("list")
@command
async def list_schedules(
    store: Annotated[
        str | None, typer.Argument(metavar="[STORE]", help="Only this store's.", show_default=False)
    ] = None,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the schedules, with the next time and how the last run ended.

    \b
    Examples:
      syncline schedule list
      syncline schedule list summer --json | jq '.schedules[] | select(.failures > 0)'
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).list_schedules(actor=here.actor, store=store)

    def show() -> RenderableType:
        return schedule_table(found) if found else "No schedules. Add one with: syncline schedule add STORE --every 1h"

    emit({"schedules": [asdict(one) for one in found]}, as_json=as_json, show=show)


@app.command()
@command
async def pause(
    schedule: ScheduleId,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Pause a schedule until it is resumed. What it started goes on.

    \b
    Examples:
      syncline schedule pause 01a20193-4e72-70e7-a846-5fae67bee546
    """
    await _switch(schedule, tenant=tenant, data_dir=data_dir, as_json=as_json, on=False)


@app.command()
@command
async def resume(
    schedule: ScheduleId,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let a paused schedule go on from now; what it missed meanwhile is not made up.

    \b
    Examples:
      syncline schedule resume 01a20193-4e72-70e7-a846-5fae67bee546
    """
    await _switch(schedule, tenant=tenant, data_dir=data_dir, as_json=as_json, on=True)


async def _switch(schedule: UUID, *, tenant: str, data_dir: DataDir, as_json: bool, on: bool) -> None:
    async with open_workspace(data_dir, tenant) as here:
        changed = await here.contract(Commerce).change_schedule(actor=here.actor, schedule_id=schedule, is_enabled=on)
    _show_one(changed, as_json=as_json)


@app.command()
@command
async def remove(
    schedule: ScheduleId,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove a schedule. What it started goes on.

    \b
    Examples:
      syncline schedule remove 01a20193-4e72-70e7-a846-5fae67bee546
    """
    async with open_workspace(data_dir, tenant) as here:
        await here.contract(Commerce).remove_schedule(actor=here.actor, schedule_id=schedule)
    emit({"removed": str(schedule)}, as_json=as_json, show=lambda: f"Schedule {schedule} was removed.")


@app.command("run-now")
@command
async def run_now(
    schedule: ScheduleId,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Do at once what a schedule does, and see it through. Its next time stays. Exit code 1 when it fails.

    \b
    Examples:
      syncline schedule run-now 01a20193-4e72-70e7-a846-5fae67bee546
    """
    async with open_workspace(data_dir, tenant) as here:
        begun = await here.contract(Commerce).run_schedule(actor=here.actor, schedule_id=schedule)
        async with working(here):
            ended, view = await _see_through(here, begun, quiet=as_json)
    emit(asdict(ended), as_json=as_json, show=lambda: Group(schedule_table([ended]), *view))
    if ended.last_run is None or ended.last_run.status != "completed":
        raise typer.Exit(ExitCode.FAILED)


async def _see_through(here: Workspace, begun: Schedule, *, quiet: bool) -> tuple[Schedule, Sequence[RenderableType]]:
    commerce = here.contract(Commerce)
    run_id = begun.last_run.run_id if begun.last_run is not None else None
    with progress(quiet=quiet) as bars:
        if run_id is not None:
            run = await follow_pull(here, run_id, bars)
            return await _again(here, begun), [pull_view(run)]
        bar = bars.bar("aligning" if begun.alignment is not None else "comparing")
        ended = await follow(
            lambda: _again(here, begun),
            show=lambda _: bar.update(0),
            is_final=lambda one: one.last_run is None or one.last_run.status != "running",
        )
    found = (await commerce.overview(actor=here.actor, store=begun.store)).last_reconciliation
    compared = ended.last_run is not None and found is not None and ended.last_run.run_id == found.id
    return ended, [reconciliation_view(found)] if compared and found is not None else []


async def _again(here: Workspace, one: Schedule) -> Schedule:
    found = await here.contract(Commerce).list_schedules(actor=here.actor, store=one.store)
    return next(each for each in found if each.id == one.id)
