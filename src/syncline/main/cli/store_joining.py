"""`syncline stores install`, `scopes` and `api-secret`: joining stores by OAuth, and what their tokens may do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce
from syncline.apps.commerce.contract.connecting import Install, InstallStatus, StoreAccess
from syncline.kernel.errors import Conflict
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, say, table
from syncline.main.cli.progress import progress
from syncline.main.cli.secret_input import secret_of
from syncline.main.cli.store_apps import Secret
from syncline.main.cli.workspace import Workspace, open_workspace

app = command_group("Join stores by OAuth.")

_LOOK_SECONDS = 0.5
_OPEN = frozenset({InstallStatus.WAITING, InstallStatus.FINISHING})


class NotInstalled(Conflict):
    code = "STORE_011"
    title = "The merchant did not allow the app"


@app.command()
@command
async def install(
    shop: Annotated[str, typer.Argument(metavar="SHOP", help="Its address, or a store's name to be allowed again.")],
    *,
    name: Annotated[str | None, typer.Option(help="What you call it; the first word of its address.")] = None,
    client_id: Annotated[str | None, typer.Option(help="Through which app, if there are several.")] = None,
    own: Annotated[
        bool, typer.Option("--own", help="A shop of the app's own organisation: nobody has to allow it.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="Only for a sandbox on this machine: its address.")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Until the merchant is back, ten minutes.")] = True,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Connect a shop by its consent page: prints where the merchant goes, and waits until he is back.

    The app has to be entered before (syncline stores app set), and `syncline serve` has to run where Shopify sends the
    merchant back to. A store that is connected already keeps its name and data and gets a new token.

    \b
    Examples:
      syncline stores install summer-store.myshopify.com
      syncline stores install summer-store --name summer --no-wait --json | jq -r .authorize_url
      syncline stores install our-own-shop --own
    """
    async with open_workspace(data_dir, tenant) as here:
        commerce = here.contract(Commerce)
        if own:
            store = await commerce.connect_by_credentials(
                actor=here.actor, shop=shop, name=name, client_id=client_id, base_url=url
            )
            emit(asdict(store), as_json=as_json, show=lambda: _connected(store.name, store.shop_domain))
            return
        begun = await commerce.start_install(actor=here.actor, shop=shop, name=name, client_id=client_id, base_url=url)
        if not wait:
            emit(asdict(begun), as_json=as_json, show=lambda: Text(str(begun.authorize_url)))
            return
        typer.echo(f"Open this as the merchant: {begun.authorize_url}", err=True)
        await _say_where(here)
        ended = await _followed(here, begun, quiet=as_json)
    if ended.status is not InstallStatus.CONNECTED:
        raise NotInstalled(ended.sentence or "Nobody came back from Shopify within ten minutes; begin again.")
    emit(asdict(ended), as_json=as_json, show=lambda: _connected(ended.store, ended.shop_domain))


async def _say_where(here: Workspace) -> None:
    (known, *_) = await here.contract(Commerce).list_apps(actor=here.actor)
    parts = urlsplit(known.redirect_uri)
    say(f"`syncline serve` has to answer at {parts.scheme}://{parts.netloc} meanwhile.", style="dim")


async def _followed(here: Workspace, begun: Install, *, quiet: bool) -> Install:
    with progress(quiet=quiet) as bars:
        bar = bars.bar(begun.shop_domain, 1)
        while True:
            now = await here.contract(Commerce).get_install(actor=here.actor, install_id=begun.id)
            if now.status not in _OPEN:
                bar.finish(note=now.status.value, done=1)
                return now
            waiting = "waiting for the merchant" if now.status is InstallStatus.WAITING else "fetching the token"
            bar.update(0, note=now.sentence or waiting)
            await asyncio.sleep(_LOOK_SECONDS)


def _connected(store: str, domain: str) -> RenderableType:
    return Text(f"{domain} is connected; it is called {store}. Look at its rights with: syncline stores scopes {store}")


@app.command()
@command
async def scopes(
    store: Annotated[
        str | None, typer.Argument(metavar="[STORE]", help="Its name or domain; all, when left out.")
    ] = None,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show how stores are connected, which features lack scopes, and whether a merchant has to allow the app again.

    \b
    Examples:
      syncline stores scopes summer
      syncline stores scopes --json | jq -r '.stores[] | select(.needs_consent) | .store'
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).list_access(actor=here.actor, store=store)
    emit({"stores": [asdict(one) for one in found]}, as_json=as_json, show=lambda: _shown(found))


def _shown(found: Sequence[StoreAccess]) -> RenderableType:
    if not found:
        return "No stores yet. Connect one with: syncline stores install SHOP"
    rows = ((a.store, a.kind.replace("_", " "), a.client_id, a.expires_at, len(a.missing)) for a in found)
    parts: list[RenderableType] = [
        table(("store", "by", "app", "token until", ">features that lack scopes"), rows),
    ]
    for one in found:
        parts += [Text(line) for line in _sentences(one)]
        if len(found) == 1 and one.missing:
            parts.append(table(("feature", "lacks"), ((name, ", ".join(lacks)) for name, lacks in one.missing.items())))
    return Group(*parts)


def _sentences(one: StoreAccess) -> list[str]:
    said = []
    if one.uninstalled_at is not None:
        said.append(f"{one.store}: the shop uninstalled the app; connect it with: syncline stores install {one.store}")
    if one.trouble is not None:
        said.append(f"{one.store}: {one.trouble}")
    if one.not_granted:
        said.append(f"{one.store}: the app asks for {', '.join(one.not_granted)}, which the shop has not allowed.")
    if one.needs_consent:
        said.append(f"{one.store}: have the merchant allow the app again with: syncline stores install {one.store}")
    if not one.has_webhook_secret:
        said.append(f"{one.store}: webhooks cannot be believed before: syncline stores api-secret {one.store}")
    return said


@app.command("api-secret")
@command
async def api_secret(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Its name or domain.")],
    *,
    secret: Secret = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Give a custom app's API secret key, which signs its webhooks. The one before is kept beside it.

    \b
    Examples:
      syncline stores api-secret summer
      syncline stores api-secret summer --secret - < secret.txt
    """
    given = secret_of(secret, "the custom app's API secret key", "--secret")
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).set_api_secret(actor=here.actor, store=store, secret=given)
    emit(asdict(found), as_json=as_json, show=lambda: Text(f"Webhooks of {found.store} can be believed now."))
