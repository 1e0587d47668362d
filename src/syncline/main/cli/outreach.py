"""`syncline outreach`: lemlist and Smartlead to Mixpanel and Attio."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import typer

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.outreach.connections import service as connections
from syncline.apps.outreach.connections.kinds import KINDS
from syncline.apps.outreach.contract import DEFAULT_NAMESPACE, EventIdentity, Outreach
from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.asking import parse
from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync_contract import SyncMode, SyncNotFound, SyncStatus
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.main.cli.console import AsJson, DataDir, ExitCode, TenantSlug, command, command_group, emit
from syncline.main.cli.outreach_view import (
    connections_view,
    delivery_view,
    report_view,
    run_json,
    run_view,
    runs_view,
)
from syncline.main.cli.progress import progress
from syncline.main.cli.working import follow, working
from syncline.main.cli.workspace import Workspace, open_workspace

app = command_group("Read lemlist and Smartlead, and tell Mixpanel each event once.")

PlatformName = Annotated[str, typer.Argument(metavar="TOOL", help=f"One of {', '.join(KINDS)}.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The id that `sync` answered.")]
OptionalDay = Annotated[str | None, typer.Option(metavar="DAY", help="Like 2024-01-31; inclusive, UTC.")]
Workers = Annotated[int, typer.Option(min=1, max=16, help="Chunks that are read at the same time.")]
NamespaceList = Annotated[str, typer.Option(help="Only these, separated by commas; all when left out.")]
PlatformList = Annotated[str, typer.Option(help="lemlist, smartlead, or both.")]


@app.command()
@command
async def connect(
    tool: PlatformName,
    *,
    key: Annotated[str | None, typer.Option(help="Its key, password or token; - reads it from standard input.")] = None,
    project: Annotated[str | None, typer.Option(help="Of Mixpanel: the project's id.")] = None,
    user: Annotated[str | None, typer.Option(help="Of Mixpanel: the service account's name.")] = None,
    region: Annotated[str | None, typer.Option(help="Of Mixpanel: us, eu or in.")] = None,
    plan: Annotated[str | None, typer.Option(help="Of Smartlead: standard, pro, old or none, for its limits.")] = None,
    url: Annotated[str | None, typer.Option(help="Only for a sandbox on this machine: its address.")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Connect a tool. It is asked first; what does not work is not kept. The key is kept sealed.

    \b
    Examples:
      syncline outreach connect lemlist --key -
      syncline outreach connect mixpanel --project 4242 --user svc.abc --key -
      syncline outreach connect lemlist --key lemlist-key-sandbox --url http://127.0.0.1:8091/lemlist/api
    """
    secret = KINDS[tool].secret[0] if tool in KINDS else "key"
    given = {"project": project, "username": user, "region": region, "plan": plan, "base_url": url}
    async with open_workspace(data_dir, tenant) as here:
        made = await connections.put(here.runtime, here.actor, tool, {**given, secret: _secret(key)})
    emit(asdict(made), as_json=as_json, show=lambda: connections_view([made]))


def _secret(given: str | None) -> str:
    """From the option, or from standard input, so that it need not stand in the shell's history."""
    if given == "-" or (given is None and not sys.stdin.isatty()):
        given = sys.stdin.readline().strip()
    elif given is None:
        given = typer.prompt("Key", hide_input=True)
    if not given:
        raise InvalidInput("Give the tool's key with --key, or on standard input with --key -.")
    return given


@app.command("connections")
@command
async def list_connections(
    *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """List the connected tools, without their keys.

    \b
    Examples:
      syncline outreach connections
    """
    async with open_workspace(data_dir, tenant) as here, here.runtime.database.reading(here.tenant.id) as session:
        found = await connections.list_all(session)
    emit({"connections": [asdict(one) for one in found]}, as_json=as_json, show=lambda: connections_view(found))


@app.command("test")
@command
async def test_connection(
    tool: PlatformName, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Ask a tool whether its key is still right.

    \b
    Examples:
      syncline outreach test lemlist
    """
    async with open_workspace(data_dir, tenant) as here:
        found, told = await connections.test(here.runtime, here.actor, tool)
    emit({**asdict(found), "told": told}, as_json=as_json, show=lambda: f"{tool} answers: {told}.")


@app.command()
@command
async def disconnect(
    tool: PlatformName, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Forget a tool's key. What was read and delivered stays.

    \b
    Examples:
      syncline outreach disconnect attio
    """
    async with open_workspace(data_dir, tenant) as here, here.runtime.database.writing(here.tenant.id) as session:
        await connections.remove(session, tool)
    emit({"platform": tool, "removed": True}, as_json=as_json, show=lambda: f"{tool} is disconnected.")


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
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Work here and follow it to its end.")] = True,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Read lemlist and Smartlead into event_source, and tell Mixpanel what is new.

    Safe to interrupt: the next worker goes on where it stopped. Exit code 1 when the run fails, 3 when one is running.

    \b
    Examples:
      syncline outreach sync full_historical
      syncline outreach sync date_range --since 2024-01-01 --until 2024-01-01 --namespaces test
      syncline outreach sync --platforms lemlist --json
    """
    body = {
        "syncMode": mode,
        "platforms": platforms or None,
        "namespaces": namespaces or None,
        "startDate": since,
        "endDate": until,
        "parallelWorkers": workers,
        "batchSize": batch_size,
        "enableMixpanelTracking": mixpanel,
        "enableAttioSync": attio,
    }
    told = {name: value for name, value in body.items() if value is not None}
    async with open_workspace(data_dir, tenant) as here:
        request = parse(told, now=clock.now())
        async with here.runtime.database.writing(here.tenant.id) as session:
            run = await service.start(session, here.runtime, request, actor=here.actor, config=told)
        if wait:
            run = await _follow(here, run.id, as_json=as_json)
    emit(run_json(run), as_json=as_json, show=lambda: run_view(run))
    _exit(run)


async def _follow(here: Workspace, run_id: UUID, *, as_json: bool) -> Run:
    """To the end of the run, and of what it had delivered."""
    async with working(here):
        with progress(quiet=as_json) as bars:
            bar = bars.bar("reading")

            def show(run: Run) -> None:
                bar.update(run.counts.read, run.progress.total_items or None, note=run.progress.current_stage)

            run = await follow(lambda: _get(here, run_id), show=show, is_final=lambda one: one.status.is_final)
            bar.finish(done=run.counts.read)
            if run.status is SyncStatus.COMPLETED and run.mode is not SyncMode.COMPARE:
                told = bars.bar("telling Mixpanel")
                await follow(
                    lambda: _standing(here),
                    show=lambda one: told.update(one["delivered"], one["delivered"] + one["open"]),
                    is_final=lambda one: one["open"] == 0 or one["sentence"] is not None,
                )
                told.finish()
    return run


async def _get(here: Workspace, run_id: UUID) -> Run:
    async with here.runtime.database.reading(here.tenant.id) as session:
        return await service.get(session, run_id)


async def _standing(here: Workspace) -> dict[str, Any]:
    async with here.runtime.database.reading(here.tenant.id) as session:
        return await service.deliveries_of(session)


def _exit(run: Run) -> None:
    if run.status in {SyncStatus.FAILED, SyncStatus.CANCELLED}:
        raise typer.Exit(ExitCode.FAILED)


@app.command()
@command
async def status(
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="The latest run, when left out.")] = None,
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
        latest = await service.list_runs(session, limit=1)
        if job is None and not latest:
            raise SyncNotFound("No sync was begun yet; begin one with `syncline outreach sync`.")
        run = latest[0] if job is None else await service.get(session, _id(job))
        told = await service.deliveries_of(session)
    emit({**run_json(run), "deliveries": told}, as_json=as_json, show=lambda: delivery_view(run, told))


@app.command()
@command
async def cancel(
    job: JobId, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Cancel a run; what it stored stays.

    \b
    Examples:
      syncline outreach cancel 5f1c0d0a4be34f5f9d1c6a2b7e8f9a0b
    """
    async with open_workspace(data_dir, tenant) as here, here.runtime.database.writing(here.tenant.id) as session:
        run = await service.cancel(session, here.runtime.queue, _id(job))
    emit(run_json(run), as_json=as_json, show=lambda: f"{run.id} is {run.status}.")


@app.command()
@command
async def history(
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="The latest so many.")] = 20,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List past runs, the latest first.

    \b
    Examples:
      syncline outreach history --limit 5
    """
    async with open_workspace(data_dir, tenant) as here, here.runtime.database.reading(here.tenant.id) as session:
        runs = await service.list_runs(session, limit=limit)
    emit({"jobs": [run_json(run) for run in runs]}, as_json=as_json, show=lambda: runs_view(runs))


@app.command()
@command
async def keys(
    platform: Annotated[str, typer.Argument(metavar="PLATFORM", help="lemlist or smartlead.")],
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.")],
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="Like email_sent.")],
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Whom it is about.")],
    *,
    activity: Annotated[str | None, typer.Option(help="The activity's id, if it has one.")] = None,
    timestamp_ms: Annotated[int | None, typer.Option(help="Its moment, if it has no activity's id.")] = None,
    namespace: Annotated[str, typer.Option(help="The namespace it belongs to.")] = DEFAULT_NAMESPACE,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make an event's key, and record it in event_source. The same event has the same key for ever.

    \b
    Examples:
      syncline outreach keys lemlist cam_1 email_sent sam@example.com --activity act_1
    """
    identity = EventIdentity(platform, campaign, kind, email, namespace, activity, timestamp_ms)
    async with open_workspace(data_dir, tenant) as here:
        made = await here.contract(Outreach).generate_key(actor=here.actor, identity=identity)
    emit(asdict(made), as_json=as_json, show=lambda: made.event_key)


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
    body = {
        "platforms": platforms or None,
        "namespaces": namespaces or None,
        "startDate": since,
        "endDate": until,
        "parallelWorkers": workers,
        "batchSize": 1000,
    }
    told = {name: value for name, value in body.items() if value is not None}
    async with open_workspace(data_dir, tenant) as here:
        async with here.runtime.database.writing(here.tenant.id) as session:
            run = await service.start_comparison(
                session, here.runtime, told, actor=here.actor, repair=repair, read_back=read_back
            )
        run = await _follow(here, run.id, as_json=as_json)
    emit({**run_json(run), "report": run.report}, as_json=as_json, show=lambda: report_view(run))
    if run.report is None or not run.report["agreed"]:
        raise typer.Exit(ExitCode.FAILED)


def _id(job: str) -> UUID:
    try:
        return UUID(job)
    except ValueError as error:
        raise service.not_found(job) from error
