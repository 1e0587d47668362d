"""`syncline notify`: who is told when operations end or fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.operations.contract import (
    AddedChannel,
    Channel,
    ChannelKind,
    Delivery,
    DeliveryStatus,
    Notifications,
)
from syncline.kernel.paging import PageRequest
from syncline.main.cli.console import AsJson, DataDir, ExitCode, TenantSlug, command, command_group, emit, table
from syncline.main.cli.workspace import open_workspace

app = command_group("Have people told when operations end or fail: by mail, in Slack, or by a webhook.")

Name = Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel's name.")]
_ENDED_BADLY = (DeliveryStatus.FAILED, DeliveryStatus.UNCONFIRMED)


@app.command()
@command
async def add(
    name: Name,
    kind: Annotated[ChannelKind, typer.Argument(metavar="KIND", help="email, slack or webhook.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A mail address, or a URL.")],
    *,
    operations: Annotated[
        list[str] | None,
        typer.Option("--of", metavar="OPERATION", help="Only of pull, push, import, assignment …; repeatable."),
    ] = None,
    only_failures: Annotated[bool, typer.Option("--only-failures", help="Not of what went well.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a channel. The secret that signs what a webhook is sent is shown once.

    \b
    Examples:
      syncline notify add night-shift email ops@example.com --only-failures
      syncline notify add shop-floor slack https://hooks.slack.com/services/T0/B0/s3cret --of push --of import
      syncline notify add pager webhook https://hooks.example.com/syncline --json | jq -r .secret
    """
    async with open_workspace(data_dir, tenant) as here:
        added = await here.contract(Notifications).add_channel(
            actor=here.actor,
            name=name,
            kind=kind,
            target=target,
            operations=operations or (),
            only_failures=only_failures,
        )
    emit(asdict(added), as_json=as_json, show=lambda: _added(added))


@app.command("list")
@command
async def list_them(*, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the channels.

    \b
    Examples:
      syncline notify list
    """
    async with open_workspace(data_dir, tenant) as here:
        channels = await here.contract(Notifications).list_channels(actor=here.actor)
    emit({"channels": [asdict(one) for one in channels]}, as_json=as_json, show=lambda: _channels(channels))


@app.command()
@command
async def change(
    name: Name,
    *,
    operations: Annotated[
        list[str] | None, typer.Option("--of", metavar="OPERATION", help="Only of these; repeatable.")
    ] = None,
    only_failures: Annotated[
        bool | None, typer.Option("--only-failures/--everything", help="Not of what went well, or of that too.")
    ] = None,
    is_enabled: Annotated[bool | None, typer.Option("--on/--off", help="Switch it on or off.")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change what a channel is told of, or switch it on or off. What is not said stays.

    \b
    Examples:
      syncline notify change night-shift --off
      syncline notify change shop-floor --everything
    """
    async with open_workspace(data_dir, tenant) as here:
        changed = await here.contract(Notifications).change_channel(
            actor=here.actor, name=name, operations=operations, only_failures=only_failures, is_enabled=is_enabled
        )
    emit(asdict(changed), as_json=as_json, show=lambda: _channels([changed]))


@app.command()
@command
async def test(
    name: Name,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Tell a channel something at once, and show the receipt. Ends with 1 when it did not arrive.

    \b
    Examples:
      syncline notify test night-shift
    """
    async with open_workspace(data_dir, tenant) as here:
        receipt = await here.contract(Notifications).test_channel(actor=here.actor, name=name)
    emit(asdict(receipt), as_json=as_json, show=lambda: _receipts([receipt]))
    if receipt.status in _ENDED_BADLY:
        raise typer.Exit(ExitCode.FAILED)


@app.command()
@command
async def remove(
    name: Name,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove a channel with its receipts.

    \b
    Examples:
      syncline notify remove night-shift
    """
    async with open_workspace(data_dir, tenant) as here:
        await here.contract(Notifications).remove_channel(actor=here.actor, name=name)
    emit({"removed": name}, as_json=as_json, show=lambda: f"{name} is removed.")


@app.command()
@command
async def receipts(
    name: Annotated[str | None, typer.Argument(metavar="[CHANNEL]", help="Only this channel's.")] = None,
    *,
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many, latest first.")] = 20,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what was told, to whom, and what came of it.

    \b
    Examples:
      syncline notify receipts
      syncline notify receipts pager --status failed
    """
    async with open_workspace(data_dir, tenant) as here:
        page = await here.contract(Notifications).list_deliveries(
            actor=here.actor, channel=name, status=status, page=PageRequest(limit=limit)
        )
    body = {"deliveries": [asdict(one) for one in page.items], "total": page.total}
    emit(body, as_json=as_json, show=lambda: _receipts(page.items, is_filtered=bool(name or status)))


def _added(added: AddedChannel) -> RenderableType:
    parts: list[RenderableType] = [_channels([added.channel])]
    if added.secret is not None:
        parts.append(
            f"It signs with this secret, by Standard Webhooks; keep it, it is not shown again:\n{added.secret}"
        )
    parts.append(Text(f"Try it: syncline notify test {added.channel.name}", style="dim"))
    return Group(*parts)


def _channels(channels: Sequence[Channel]) -> RenderableType:
    if not channels:
        return "Nobody is told anything yet: syncline notify add --help"
    rows = (
        (
            one.name,
            one.kind,
            one.target,
            ", ".join(one.operations) or "everything",
            "failures" if one.only_failures else "every end",
            "on" if one.is_enabled else f"off: {one.disabled_because or 'by hand'}",
        )
        for one in channels
    )
    return table(("channel", "kind", "to", "of", "tells", "is"), rows)


def _receipts(deliveries: Sequence[Delivery], *, is_filtered: bool = False) -> RenderableType:
    if not deliveries:
        return "Nothing that was told matches." if is_filtered else "Nothing was told yet."
    rows = ((one.created_at, one.channel, one.subject, one.status, one.attempts, one.sentence) for one in deliveries)
    return table(("when", "channel", "what", "came of it", ">attempts", "because"), rows)
