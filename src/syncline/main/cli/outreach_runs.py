"""`syncline outreach sync`, `follow`, `status`, `cancel`, `history`, `reconcile`: runs of the full sync."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import typer

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.asking import parse
from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync_contract import SyncMode, SyncNotFound, SyncStatus
from syncline.kernel import clock
from syncline.main.cli.console import AsJson, DataDir, ExitCode, TenantSlug, command, command_group, emit
from syncline.main.cli.outreach_asking import in_fields, refused_in_options
from syncline.main.cli.outreach_following import follow_run, standing
from syncline.main.cli.outreach_report import report_view
from syncline.main.cli.outreach_view import run_json, run_view, runs_view
from syncline.main.cli.workspace import Workspace, open_workspace
from syncline.runtime.db.session import Session

app = command_group("Begin, follow, cancel and compare runs.")

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The id that `sync` answered, or `history` lists.")]
LatestJob = Annotated[
    str | None, typer.Argument(metavar="[JOB]", help="The latest run, when left out.", show_default=False)
]
OptionalDay = Annotated[
    str | None, typer.Option(metavar="DAY", help="Like 2024-01-31; inclusive, UTC.", show_default=False)
]
Workers = Annotated[int, typer.Option(min=1, max=16, help="Stretches that are read at the same time.")]
NamespaceList = Annotated[
    str, typer.Option(metavar="NAMES", help="Only these, separated by commas; all when left out.", show_default=False)
]
PlatformList = Annotated[
    str, typer.Option(metavar="TOOLS", help="lemlist, smartlead, or both with a comma.", show_default="both")
]


@app.command()
@command
async def sync(
    mode: Annotated[
        str,
        typer.Argument(metavar="[MODE]", help="delta_since_last, full_historical, date_range or namespace_reset."),
    ] = SyncMode.DELTA.value,
    *,
    platforms: PlatformList = "",
    namespaces: NamespaceList = "",
    since: OptionalDay = None,
    until: OptionalDay = None,
    workers: Workers = 4,
    batch_size: Annotated[int, typer.Option(min=1, max=1000, help="Records in one step.")] = 1000,
    mixpanel: Annotated[bool, typer.Option("--mixpanel/--no-mixpanel", help="Whether Mixpanel is told.")] = True,
    attio: Annotated[bool, typer.Option("--attio/--no-attio", help="Whether people go to Attio.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Work here and follow it to its end, or leave it to a worker.")
    ] = True,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Read lemlist and Smartlead into event_source, and tell Mixpanel what is new.

    Safe to interrupt: it goes on where it stopped, with the next worker or with `syncline outreach follow`. Exit code
    1 when the run fails, 3 when one is running, 4 when Mixpanel did not take everything yet.

    \b
    Examples:
      syncline outreach sync full_historical
      syncline outreach sync date_range --since 2024-01-01 --until 2024-01-01 --namespaces test
      syncline outreach sync --platforms lemlist --json
    """
    told = in_fields(platforms=platforms, namespaces=namespaces, since=since, until=until, workers=workers)
    told |= {
        "syncMode": mode,
        "batchSize": batch_size,
        "enableMixpanelTracking": mixpanel,
        "enableAttioSync": attio,
    }
    async with open_workspace(data_dir, tenant) as here:
        with refused_in_options():
            request = parse(told, now=clock.now())
        async with here.runtime.database.writing(here.tenant.id) as session:
            run = await service.start(session, here.runtime, request, actor=here.actor, config=told)
        if wait:
            await _see_through(here, run.id, as_json=as_json)
        else:
            deliveries = await standing(here)
            emit(run_json(run, deliveries), as_json=as_json, show=lambda: run_view(run, deliveries))


async def _see_through(here: Workspace, run_id: UUID, *, as_json: bool) -> None:
    run, deliveries = await follow_run(here, run_id, quiet=as_json)
    if run.mode is SyncMode.COMPARE:
        _show_report(run, as_json=as_json)
        return
    emit(run_json(run, deliveries), as_json=as_json, show=lambda: run_view(run, deliveries))
    _exit(run, deliveries)


def _exit(run: Run, deliveries: Mapping[str, Any]) -> None:
    if run.status is not SyncStatus.COMPLETED:
        raise typer.Exit(ExitCode.FAILED)
    if deliveries["open"]:
        raise typer.Exit(ExitCode.IN_PART)


def _show_report(run: Run, *, as_json: bool) -> None:
    emit({**run_json(run), "report": run.report}, as_json=as_json, show=lambda: report_view(run))
    if run.report is None or not run.report["agreed"]:
        raise typer.Exit(ExitCode.FAILED)


@app.command()
@command
async def follow(
    job: LatestJob = None,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """See a run through that was begun elsewhere, or was interrupted: work on it here and follow it to its end.

    Exit codes as of `sync`, or of `reconcile` for a comparison.

    \b
    Examples:
      syncline outreach follow
      syncline outreach follow 5f1c0d0a4be34f5f9d1c6a2b7e8f9a0b --json
    """
    async with open_workspace(data_dir, tenant) as here:
        async with here.runtime.database.reading(here.tenant.id) as session:
            run = await _chosen(session, job)
        await _see_through(here, run.id, as_json=as_json)


@app.command()
@command
async def status(
    job: LatestJob = None,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show how a run is, and what waits for Mixpanel.

    \b
    Examples:
      syncline outreach status
      syncline outreach status 5f1c0d0a4be34f5f9d1c6a2b7e8f9a0b --json
    """
    async with open_workspace(data_dir, tenant) as here, here.runtime.database.reading(here.tenant.id) as session:
        run = await _chosen(session, job)
        told = await service.deliveries_of(session)
    emit(run_json(run, told), as_json=as_json, show=lambda: run_view(run, told))


async def _chosen(session: Session, job: str | None) -> Run:
    """Raises `SyncNotFound`."""
    if job is not None:
        return await service.get(session, _id(job))
    latest = await service.list_runs(session, limit=1)
    if not latest:
        raise SyncNotFound("No run was begun yet; begin one with `syncline outreach sync`.")
    return latest[0]


@app.command()
@command
async def cancel(
    job: JobId, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Cancel a run; what it stored stays. One that has ended stays as it ended, with exit code 3.

    \b
    Examples:
      syncline outreach cancel 5f1c0d0a4be34f5f9d1c6a2b7e8f9a0b
    """
    async with open_workspace(data_dir, tenant) as here, here.runtime.database.writing(here.tenant.id) as session:
        before = await service.get(session, _id(job))
        run = await service.cancel(session, here.runtime.queue, before.id)
    said = f"{run.id} was cancelled; the {run.counts.created:,} events that it stored stay."
    if before.status.is_final:
        said = f"{run.id} had ended before: {run.status}."
    emit(run_json(run), as_json=as_json, show=lambda: said)
    if before.status.is_final:
        raise typer.Exit(ExitCode.REFUSED)


@app.command()
@command
async def history(
    *,
    status: Annotated[SyncStatus | None, typer.Option(help="Only those that are so.", show_default=False)] = None,
    mode: Annotated[SyncMode | None, typer.Option(help="Only of this mode.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="The latest so many.")] = 20,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List runs, the latest first.

    \b
    Examples:
      syncline outreach history --limit 5
      syncline outreach history --status failed --mode delta_since_last --json
    """
    async with open_workspace(data_dir, tenant) as here, here.runtime.database.reading(here.tenant.id) as session:
        runs = await service.list_runs(session, limit=limit, status=status, mode=mode)
    emit({"jobs": [run_json(run) for run in runs]}, as_json=as_json, show=lambda: runs_view(runs))


@app.command()
@command
async def reconcile(
    *,
    since: OptionalDay = None,
    until: OptionalDay = None,
    platforms: PlatformList = "",
    namespaces: NamespaceList = "",
    repair: Annotated[bool, typer.Option("--repair", help="Store what is missing; send what Mixpanel lacks.")] = False,
    read_back: Annotated[bool, typer.Option("--read-back", help="Compare with Mixpanel's raw export.")] = False,
    workers: Workers = 4,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Compare the tools, event_source and Mixpanel by day and namespace, and name what differs. Exit code 1 if any.

    \b
    Examples:
      syncline outreach reconcile --since 2024-01-01 --until 2024-01-31
      syncline outreach reconcile --read-back --repair --json
    """
    told = in_fields(platforms=platforms, namespaces=namespaces, since=since, until=until, workers=workers)
    told["batchSize"] = 1000
    async with open_workspace(data_dir, tenant) as here:
        with refused_in_options():
            async with here.runtime.database.writing(here.tenant.id) as session:
                run = await service.start_comparison(
                    session, here.runtime, told, actor=here.actor, repair=repair, read_back=read_back
                )
        await _see_through(here, run.id, as_json=as_json)


def _id(job: str) -> UUID:
    try:
        return UUID(job)
    except ValueError as error:
        raise service.not_found(job) from error
