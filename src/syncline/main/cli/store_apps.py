"""`syncline stores app`: the apps at Shopify that stores are connected through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce
from syncline.apps.commerce.contract.connecting import ShopifyApp
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.secret_input import secret_of
from syncline.main.cli.workspace import open_workspace

app = command_group("Enter an app's client id and secret, rotate the secret, list and remove apps.")

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="From the app's page at Shopify.")]
Secret = Annotated[str | None, typer.Option(help="The app's secret; - reads it from standard input.")]


def _table(found: Sequence[ShopifyApp]) -> RenderableType:
    if not found:
        return "No app yet. Enter one with: syncline stores app set CLIENT_ID"
    rows = ((a.client_id, a.stores, ", ".join(a.scopes), a.has_other_secret, a.rotated_at) for a in found)
    columns = ("client id", ">stores", "scopes", "old secret kept", "rotated")
    return Group(
        table(columns, rows),
        Text(f"Redirect address, to be entered on the app's page at Shopify: {found[0].redirect_uri}"),
    )


@app.command("set")
@command
async def set_app(
    client_id: ClientId,
    *,
    secret: Secret = None,
    scopes: Annotated[
        str | None, typer.Option(help="What merchants are asked for, with commas; all, for a new app.")
    ] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Enter an app, or replace its secret and scopes. The secret is kept sealed.

    \b
    Examples:
      syncline stores app set 8f2c1d0e5a
      syncline stores app set 8f2c1d0e5a --secret - --scopes read_products,write_products < secret.txt
    """
    given = secret_of(secret, "the app's secret", "--secret")
    chosen = [one.strip() for one in (scopes or "").split(",") if one.strip()]
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).set_app(
            actor=here.actor, client_id=client_id, secret=given, scopes=chosen
        )
    emit(asdict(found), as_json=as_json, show=lambda: _table([found]))


@app.command()
@command
async def show(*, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the apps, without their secrets.

    \b
    Examples:
      syncline stores app show
      syncline stores app show --json | jq -r '.apps[].redirect_uri'
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).list_apps(actor=here.actor)
    emit({"apps": [asdict(one) for one in found]}, as_json=as_json, show=lambda: _table(found))


@app.command()
@command
async def rotate(
    client_id: ClientId,
    *,
    secret: Secret = None,
    done: Annotated[bool, typer.Option("--done", help="The old secret was revoked at Shopify: forget it.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Replace an app's secret. What Shopify signed with the old one is believed until --done.

    \b
    Examples:
      syncline stores app rotate 8f2c1d0e5a            # after a new secret was made at Shopify
      syncline stores app rotate 8f2c1d0e5a --done     # an hour after the old one was revoked there
    """
    given = None if done else secret_of(secret, "the app's new secret", "--secret")
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).rotate_app(actor=here.actor, client_id=client_id, secret=given)
    told = "The old secret is forgotten." if done else "Both secrets are believed; end it with --done."
    emit(asdict(found), as_json=as_json, show=lambda: Text(told))


@app.command()
@command
async def remove(
    client_id: ClientId,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Forget an app. Refused while stores are connected through it.

    \b
    Examples:
      syncline stores app remove 8f2c1d0e5a
    """
    async with open_workspace(data_dir, tenant) as here:
        await here.contract(Commerce).remove_app(actor=here.actor, client_id=client_id)
    emit({"removed": client_id}, as_json=as_json, show=lambda: Text(f"The app {client_id} is forgotten."))
