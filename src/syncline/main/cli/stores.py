"""`syncline stores`: the shops Syncline is connected to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce, Store, StoreRemoval, StoreReview
from syncline.main.cli import store_apps, store_joining
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.progress import Bar, progress
from syncline.main.cli.secret_input import secret_of
from syncline.main.cli.workspace import open_workspace

app = command_group("Connect, list, test and remove stores, and replace their tokens.")
app.add_typer(store_joining.app)
app.add_typer(store_apps.app, name="app")

_TOKEN = "the store's Admin API access token"  # noqa: S105 - what it is
_COLUMNS = ("name", "shop", "domain", "plan", "currency", "API version", "connected")


def _table(stores: Sequence[Store]) -> RenderableType:
    if not stores:
        return "No stores yet. Connect one with: syncline stores add NAME --domain SHOP.myshopify.com --token …"
    rows = ((s.name, s.shop_name, s.shop_domain, s.plan, s.currency, s.api_version, s.created_at) for s in stores)
    return table(_COLUMNS, rows)


@app.command()
@command
async def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it.")],
    *,
    domain: Annotated[str, typer.Option(help="The shop's permanent address, like summer-store.myshopify.com.")],
    token: Annotated[str | None, typer.Option(help="Admin API access token; - reads it from standard input.")] = None,
    url: Annotated[str | None, typer.Option(help="Only for a sandbox on this machine: its address.")] = None,
    api_version: Annotated[str | None, typer.Option(help="Shopify's API version, like 2026-10.")] = None,
    api_secret: Annotated[
        str | None,
        typer.Option(help="The custom app's API secret key, for its webhooks; - reads it from standard input."),
    ] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Connect a store. Address, token and scopes are checked with the shop first; the token is kept sealed.

    \b
    Examples:
      syncline stores add summer --domain summer-store.myshopify.com
      syncline stores add demo --domain sandbox-supply.myshopify.com --url http://127.0.0.1:9393 --token shpat_sandbox
    """
    async with open_workspace(data_dir, tenant) as here:
        commerce = here.contract(Commerce)
        given = secret_of(token, _TOKEN, "--token")
        secret = None if api_secret is None else secret_of(api_secret, "the app's API secret key", "--api-secret")
        store = await commerce.add_store(
            actor=here.actor, name=name, shop_domain=domain, token=given, base_url=url, api_version=api_version
        )
        if secret is not None:
            await commerce.set_api_secret(actor=here.actor, store=name, secret=secret)
    emit(asdict(store), as_json=as_json, show=lambda: _table([store]))


@app.command("list")
@command
async def list_stores(
    *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """List the connected stores.

    \b
    Examples:
      syncline stores list
      syncline stores list --json | jq -r '.stores[].name'
    """
    async with open_workspace(data_dir, tenant) as here:
        stores = await here.contract(Commerce).list_stores(actor=here.actor)
    emit({"stores": [asdict(store) for store in stores]}, as_json=as_json, show=lambda: _table(stores))


@app.command("test")
@command
async def test_store(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Its name or domain.")],
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Ask a store whether address, token and scopes are still right.

    \b
    Examples:
      syncline stores test summer
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).test_store(actor=here.actor, store=store)
        (access,) = await here.contract(Commerce).list_access(actor=here.actor, store=found.name)
    told = "address, token and scopes are right."
    if access.not_granted:
        told = f"address and token are right; look at what it has not allowed: syncline stores scopes {found.name}"
    said = Text(f"{found.shop_name} ({found.shop_domain}) answers; {told}")
    emit(asdict(found), as_json=as_json, show=lambda: said)


@app.command("token")
@command
async def replace_token(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Its name or domain.")],
    *,
    token: Annotated[str | None, typer.Option(help="Admin API access token; - reads it from standard input.")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Replace a store's token, after it was revoked or given other scopes. It is checked with the shop first.

    \b
    Examples:
      syncline stores token summer
      syncline stores token summer --token - < token.txt
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).replace_token(
            actor=here.actor, store=store, token=secret_of(token, _TOKEN, "--token")
        )
    said = Text(f"{found.shop_name} ({found.shop_domain}) accepts the new token.")
    emit(asdict(found), as_json=as_json, show=lambda: said)


@app.command()
@command
async def remove(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Its name or domain.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove a store with its token, records, changes, receipts and schedules. The shop itself is not touched.

    Refused while a pull or a push of it runs. What was removed can be pulled again, but changes and receipts, and with
    them every undo, are gone for good.

    \b
    Examples:
      syncline stores remove summer --dry-run
      syncline stores remove summer --yes
    """
    async with open_workspace(data_dir, tenant) as here:
        commerce = here.contract(Commerce)
        found = await commerce.remove_store(actor=here.actor, store=store, dry_run=True)
        if not dry_run:
            if not yes:
                typer.echo(_counted(found), err=True)
                typer.confirm(f"Remove {found.store.name} for good", abort=True, err=True)
            with progress(quiet=as_json) as bars:
                made: dict[str, Bar] = {}

                def tell(what: str, rows: int) -> None:
                    if what not in made:
                        made[what] = bars.bar(what.replace("_", " "))
                    made[what].update(rows)

                found = await commerce.remove_store(actor=here.actor, store=store, progress=tell)
    body = {**asdict(found), "dry_run": dry_run}
    emit(body, as_json=as_json, show=lambda: _removal(found, dry_run=dry_run))


def _counted(found: StoreRemoval) -> str:
    return (
        f"{found.store.name} ({found.store.shop_domain}): {sum(found.records.values()):,} records, "
        f"{sum(found.changes.values()):,} changes, {found.schedules:,} schedules"
    )


def _removal(found: StoreRemoval, *, dry_run: bool) -> RenderableType:
    rows = [(kind.replace("_", " "), count) for kind, count in found.records.items()]
    rows += [(f"changes, {status}", count) for status, count in found.changes.items()]
    rows += [("schedules", found.schedules)]
    said = "would go; nothing was removed." if dry_run else "was removed."
    return Group(table(("what", ">how many"), rows), Text(f"{found.store.name} {said}"))


@app.command()
@command
async def review(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The store.")],
    what: Annotated[StoreReview, typer.Argument(metavar="WHAT", help="inbound or none.")],
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Have what others change in the store staged for review, as pulls see it; or no longer.

    \b
    Examples:
      syncline stores review summer-store inbound
      syncline review list --store summer-store --where "direction:inbound status:pending"
    """
    async with open_workspace(data_dir, tenant) as here:
        store = await here.contract(Commerce).set_store_review(actor=here.actor, store=name, review=what)
    told = {
        StoreReview.INBOUND: f"What others change in {store.name} waits for review from the next pull on.",
        StoreReview.NONE: f"What others change in {store.name} is taken over without review.",
    }
    emit(asdict(store), as_json=as_json, show=lambda: told[store.review])
