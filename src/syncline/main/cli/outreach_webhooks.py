"""`syncline outreach webhooks`: addresses that lemlist and Smartlead send to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.outreach.sync_contract import Platform
from syncline.apps.outreach.webhooks import service
from syncline.apps.outreach.webhooks.service import Door, OpenedDoor
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.secret_input import secret_of
from syncline.main.cli.workspace import open_workspace

app = command_group("Make, list and remove addresses that lemlist and Smartlead send events to.")

_ID_WIDTH = 36


def _listed(found: Sequence[Door], received: Mapping[str, int]) -> RenderableType:
    if not found:
        return "No addresses. Make one with: syncline outreach webhooks add lemlist --url https://syncline.example.com"
    rows = (
        (str(one.id), one.platform, "by us" if one.is_registered else "by hand", one.created_at, one.created_by)
        for one in found
    )
    made = table(("webhook", "tool", "entered there", "made", "by"), rows)
    made.columns[0].no_wrap, made.columns[0].min_width = True, _ID_WIDTH
    counts = ", ".join(f"{name} {count:,}" for name, count in sorted(received.items())) or "nothing yet"
    return Group(made, Text(f"Received: {counts}."))


def _opened(opened: OpenedDoor, public_url: str | None) -> RenderableType:
    """The address is shown this once."""
    door = opened.door
    if public_url is not None:
        return Text(f"{door.platform} sends to {public_url.rstrip('/')}{opened.path} from now on.")
    return Group(
        Text(f"Enter this in {door.platform}, behind the address at which it reaches this installation:"),
        Text(opened.path, no_wrap=True, overflow="ignore"),
        Text("It is shown this once, and whoever knows it may send.", style="yellow"),
    )


@app.command("list")
@command
async def list_webhooks(
    *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """List the addresses, and count what came.

    \b
    Examples:
      syncline outreach webhooks list
    """
    async with open_workspace(data_dir, tenant) as here, here.runtime.database.reading(here.tenant.id) as session:
        found, received = await service.list_doors(session), await service.received(session)
    told = {"webhooks": [asdict(one) for one in found], "received": dict(received)}
    emit(told, as_json=as_json, show=lambda: _listed(found, received))


@app.command()
@command
async def add(
    tool: Annotated[Platform, typer.Argument(metavar="TOOL", help="lemlist or smartlead.")],
    *,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Where the tool reaches this installation; it is then told.", show_default=False
        ),
    ] = None,
    signing_secret: Annotated[
        str | None,
        typer.Option(help="Smartlead's own, if it signs; - reads it from standard input.", show_default=False),
    ] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make an address, and with --url have the tool send to it. Without, enter the path there yourself.

    \b
    Examples:
      syncline outreach webhooks add lemlist --url https://syncline.example.com
      syncline outreach webhooks add smartlead --url https://syncline.example.com --signing-secret -
    """
    secret = None if signing_secret is None else secret_of(signing_secret, "its secret", "--signing-secret")
    _check(tool, url, secret)
    async with open_workspace(data_dir, tenant) as here:
        opened = await service.open_door(here.runtime, here.actor, tool, public_url=url, signing_secret=secret)
    told = {"webhook": asdict(opened.door), "path": opened.path}
    emit(told, as_json=as_json, show=lambda: _opened(opened, url))


def _check(tool: Platform, url: str | None, secret: str | None) -> None:
    """As the API does."""
    wrong = list[FieldError]()
    if url is not None and not (url.startswith(("https://", "http://")) and url.isprintable() and " " not in url):
        wrong.append(FieldError("url", "Give an address that begins with https://, like https://syncline.example.com."))
    if secret is not None and (tool is not Platform.SMARTLEAD or not secret):
        wrong.append(FieldError("signing-secret", "Only Smartlead signs; give its secret, or leave it out."))
    if wrong:
        raise InvalidInput(f"{wrong[0].field}: {wrong[0].message}", fields=wrong)


@app.command()
@command
async def remove(
    webhook: Annotated[UUID, typer.Argument(metavar="WEBHOOK", help="Its id, from `syncline outreach webhooks list`.")],
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove an address; the tool is told, if it was told of it. What came stays.

    \b
    Examples:
      syncline outreach webhooks remove 01a20193-4e72-70e7-a846-5fae67bee546
    """
    async with open_workspace(data_dir, tenant) as here:
        await service.close_door(here.runtime, here.actor, webhook)
    emit({"removed": str(webhook)}, as_json=as_json, show=lambda: f"Webhook address {webhook} was removed.")
