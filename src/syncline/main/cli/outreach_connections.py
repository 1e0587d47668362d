"""`syncline outreach connect`, `connections`, `test`, `disconnect`: the tools that are read and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.outreach.connections import service as connections
from syncline.apps.outreach.connections.kinds import KINDS
from syncline.apps.outreach.connections.service import Connection
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.fitting import Fitting
from syncline.main.cli.outcome import marked
from syncline.main.cli.secret_input import secret_of
from syncline.main.cli.workspace import open_workspace

app = command_group("Connect, list, test and disconnect tools.")

PlatformName = Annotated[str, typer.Argument(metavar="TOOL", help=f"One of {', '.join(KINDS)}.")]


def connections_view(found: Sequence[Connection]) -> RenderableType:
    if not found:
        return "No tools yet. Connect one with: syncline outreach connect lemlist --key -"
    listed = sorted(found, key=lambda one: list(KINDS).index(one.platform))
    troubles = [Text(f"✗ {one.platform}: {one.sentence}", style="red") for one in listed if one.sentence]
    return Group(Fitting(*(_table(listed, with_facts=wide) for wide in (True, False))), *troubles)


def _table(listed: Sequence[Connection], *, with_facts: bool) -> RenderableType:
    rows = (
        (
            marked("failed" if one.sentence else "completed", one.platform),
            one.checked_at,
            *([_facts(one)] if with_facts else []),
        )
        for one in listed
    )
    return table(("  tool", "last asked", *(["with"] if with_facts else [])), rows)


def _facts(one: Connection) -> str:
    return ", ".join(f"{name.removeprefix('base_')} {value}" for name, value in sorted(one.facts.items()))


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
        made = await connections.put(
            here.runtime, here.actor, tool, {**given, secret: secret_of(key, "the tool's key", "--key")}
        )
    emit(asdict(made), as_json=as_json, show=lambda: connections_view([made]))


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
