"""`syncline webhooks`: what a store is to send, and what was missed. What came: see `webhooks_events`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce
from syncline.apps.commerce.webhook_management_contract import CatchUp, StoreWebhooks, SubscriptionState, WebhookCheck
from syncline.kernel import clock
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.workspace import open_workspace

app = command_group("Have stores tell of changes at once, see what came of it, and find what was missed.")

StoreName = Annotated[
    str | None,
    typer.Argument(metavar="[STORE]", help="The store's name; the only one, if left out.", show_default=False),
]


def store_view(found: StoreWebhooks) -> RenderableType:
    if found.address is None:
        return f"{found.store}: not registered. Do it with: syncline webhooks register {found.store}"
    rows = ((one.topic, one.state.value, one.since, one.reason) for one in found.subscriptions)
    told = [Text(f"{found.store} sends to {found.address}. {found.sentence or ''}")]
    if found.gap_since is not None:
        since = f"{found.gap_since:%Y-%m-%d %H:%M} UTC"
        told.append(Text(f"Since {since} webhooks may be missing: {found.gap_reason}", style="yellow"))
    if found.left_out:
        scopes = ", ".join(sorted(set(found.left_out.values())))
        told.append(Text(f"{len(found.left_out)} topics are left out: the token lacks {scopes}.", style="yellow"))
    return Group(table(("topic", "state", "since", "reason"), rows), *told)


def check_view(found: WebhookCheck) -> RenderableType:
    return Text(f"{found.store}: {found.sentence}", style="yellow" if found.refused or found.trouble else "")


def catch_up_view(found: CatchUp) -> RenderableType:
    rows = ((one.kind, one.number, one.what, one.reason.value.replace("_", " ")) for one in found.misses[:50])
    span = f"{found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC"
    told = Text(f"{found.store}, {span}: {found.sentence}")
    return Group(table(("kind", "number", "what", "why"), rows), told) if found.misses else told


@app.command()
@command
async def register(
    store: StoreName = None,
    *,
    topics: Annotated[
        list[str] | None, typer.Option("--topic", metavar="TOPIC", help="Only this topic; may be repeated.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where Shopify reaches Syncline, instead of the setting.")
    ] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Subscribe to a store's changes, and keep it so: what Shopify drops is made again.

    Without --topic all that the store's token may read. Run it again to change topics or the address; nothing is made
    twice.

    \b
    Examples:
      syncline webhooks register summer --url https://sync.example.com
      syncline webhooks register summer --topic orders/create --topic orders/updated
    """
    async with open_workspace(data_dir, tenant) as here:
        made = await here.contract(Commerce).register_webhooks(
            actor=here.actor, store=store, topics=topics or (), url=url
        )
    emit(asdict(made), as_json=as_json, show=lambda: store_view(made))


@app.command("list")
@command
async def list_webhooks(
    store: StoreName = None,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what each store is to send, whether Shopify does, and since when.

    \b
    Examples:
      syncline webhooks list
      syncline webhooks list summer --json | jq '.webhooks[].subscriptions[] | select(.state != "active")'
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).list_webhooks(actor=here.actor, store=store)

    def show() -> RenderableType:
        return Group(*map(store_view, found)) if found else "No stores. Connect one with: syncline stores add"

    emit({"webhooks": [asdict(one) for one in found]}, as_json=as_json, show=show)


@app.command()
@command
async def check(
    store: StoreName = None,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Compare with what Shopify sends, and mend. Done every quarter of an hour by itself while `syncline serve` runs.

    \b
    Examples:
      syncline webhooks check summer
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).check_webhooks(actor=here.actor, store=store)
    emit({**asdict(found), "changed": found.changed}, as_json=as_json, show=lambda: check_view(found))


@app.command()
@command
async def reconcile(
    store: StoreName = None,
    *,
    hours: Annotated[
        float | None, typer.Option(min=0.1, max=8_760, help="How far to look back; to the last look, if left out.")
    ] = None,
    last: Annotated[bool, typer.Option("--last", help="Show the looks so far instead, the newest first.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Find what webhooks missed, read it from the store, and say why it was missed.

    \b
    Examples:
      syncline webhooks reconcile summer
      syncline webhooks reconcile summer --hours 6 --json
      syncline webhooks reconcile --last
    """
    async with open_workspace(data_dir, tenant) as here:
        commerce = here.contract(Commerce)
        if last:
            found = await commerce.list_catch_ups(actor=here.actor, store=store)
            listed = {"catch_ups": [asdict(one) for one in found]}
            emit(listed, as_json=as_json, show=lambda: Group(*map(catch_up_view, found)) if found else "None so far.")
            return
        since = None if hours is None else clock.now() - timedelta(hours=hours)
        made = await commerce.catch_up_webhooks(actor=here.actor, store=store, since=since)
    emit(asdict(made), as_json=as_json, show=lambda: catch_up_view(made))


@app.command()
@command
async def remove(
    store: StoreName = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without this, only what would go is shown.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Delete all our subscriptions of a store, or of all stores, and keep none up any more. What came stays.

    \b
    Examples:
      syncline webhooks remove summer --yes
    """
    async with open_workspace(data_dir, tenant) as here:
        commerce = here.contract(Commerce)
        if not yes:
            found = await commerce.list_webhooks(actor=here.actor, store=store)
            count = sum(one.state is SubscriptionState.ACTIVE for each in found for one in each.subscriptions)
            told = f"{count} subscriptions would be deleted. To do it, add --yes."
            emit({"removed": 0, "would_remove": count}, as_json=as_json, show=lambda: told)
            return
        removed = await commerce.remove_webhooks(actor=here.actor, store=store)
    emit({"removed": removed}, as_json=as_json, show=lambda: f"{removed} subscriptions were deleted.")
