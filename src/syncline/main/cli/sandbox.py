"""`syncline sandbox`: vendor doubles as servers of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from starlette.types import ASGIApp

from syncline.kernel.errors import InvalidInput, Unavailable
from syncline.main.cli.console import AsJson, command, command_group, say
from syncline.main.cli.sandbox_outreach import outreach
from syncline.main.cli.sandbox_serving import serve_double
from syncline.main.cli.sandbox_slack import slack
from syncline.main.listening import listen, local_url
from syncline.main.sandbox_process import die_with_parent
from syncline.runtime.observe import logs
from syncline.sandbox.shopify.app import create_app
from syncline.sandbox.shopify.csv_store import CsvNotReadableError, load_csv
from syncline.sandbox.shopify.faults import parse_faults
from syncline.sandbox.shopify.generator import generate
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.schema import SchemaUnavailableError
from syncline.sandbox.shopify.state import Store

_TOKEN = SandboxOptions().token

app = command_group("Run a local double of a vendor, to try things without an account.")


class Plan(StrEnum):
    """How many points a second the shop restores: 100, 200, 1,000, 2,000."""

    STANDARD = "standard"
    ADVANCED = "advanced"
    PLUS = "plus"
    ENTERPRISE = "enterprise"


class NoSchema(Unavailable):
    code = "SANDBOX_002"
    title = "Shopify's published schema is not here"


@app.callback()
def _group() -> None:
    """Run a local double of a vendor, to try things without an account."""


@app.command()
@command
async def shopify(
    more_csv: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="More files of --from-csv."),
    ] = None,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8090,
    products: Annotated[int, typer.Option(min=0, help="How many products to make.")] = 2_000,
    variants_per_product: Annotated[
        float, typer.Option(min=1, help="How many variants a product has on average.")
    ] = 4.5,
    orders: Annotated[int, typer.Option(min=0, help="How many orders to make.")] = 0,
    customers: Annotated[int, typer.Option(min=0, help="How many customers to make.")] = 0,
    collections: Annotated[int, typer.Option(min=0, help="How many collections to make.")] = 0,
    metafields_per_product: Annotated[
        float, typer.Option(min=0, help="How many metafields a product has on average; a variant has a quarter.")
    ] = 0,
    media_per_product: Annotated[float, typer.Option(min=0, help="How many media a product has on average.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same store.")] = 1,
    from_csv: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="A Shopify product CSV to load instead of making a store."),
    ] = None,
    plan: Annotated[Plan, typer.Option(help="Whose rate limits apply.")] = Plan.STANDARD,
    limits: Annotated[bool, typer.Option("--limits/--no-limits", help="Whether requests are limited at all.")] = True,
    faults: Annotated[str, typer.Option(help='What goes wrong, e.g. "throttle=3,502=1%,slow=2s".')] = "",
    token: Annotated[str, typer.Option(help="The access token that is accepted.")] = _TOKEN,
    consent: Annotated[
        bool, typer.Option("--consent", help="The consent page waits for somebody to press Install.")
    ] = False,
    token_seconds: Annotated[
        float, typer.Option(min=1, help="How long a token granted by OAuth lasts.")
    ] = SandboxOptions().access_seconds,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
    as_json: AsJson = False,
) -> None:
    """Run a Shopify store that is not there: its Admin API with costs, limits, bulk operations and faults.

    With --json one line is printed when it listens: {"url", "token", "shop_domain", "products", "variants"}.

    \b
    Examples:
      syncline sandbox shopify
      syncline sandbox shopify --products 10000 --seed 7 --plan plus
      syncline sandbox shopify --orders 5000 --customers 3000 --collections 40
      syncline sandbox shopify --port 0 --json --from-csv products.csv more.csv
    """
    options = _options(plan=plan, limits=limits, faults=faults, token=token, seed=seed)
    options = replace(options, consent=consent, access_seconds=token_seconds)
    csv_files = [*(from_csv or []), *(more_csv or [])]
    some: dict[str, Any] = {"orders": orders, "customers": customers, "collections": collections}
    some |= {"metafields_per_product": metafields_per_product, "media_per_product": media_per_product}
    make = partial(generate, products=products, seed=seed, variants_per_product=variants_per_product, **some)
    if not csv_files and parent is None:
        say(f"Making a store of {products:,} products…", style="dim")
    await _run(options, partial(_make_store, make, csv_files), host=host, port=port, parent=parent, as_json=as_json)


app.command()(outreach)
app.command()(slack)


async def _run(
    options: SandboxOptions, make: Callable[[], Store], *, host: str, port: int, parent: int | None, as_json: bool
) -> None:
    """Makes the store and serves it until it is stopped; with a parent, until that one ends."""
    if parent is not None:
        die_with_parent(parent)
    logs.configure(level="WARNING", pretty=None)
    with listen(host, port) as listener:
        store = await asyncio.to_thread(make)
        facts = {
            "url": local_url(host, listener.getsockname()[1]),
            "token": options.token,
            "shop_domain": store.shop.domain,
            "products": len(store.products),
            "variants": len(store.variants),
        }
        application = await asyncio.to_thread(_application, store, options)
        await serve_double(application, listener, facts, parent=parent, as_json=as_json, show=lambda: _welcome(facts))


def _options(*, plan: Plan, limits: bool, faults: str, token: str, seed: int) -> SandboxOptions:
    try:
        parse_faults(faults)
    except ValueError as error:
        raise InvalidInput(f"--faults: {error}") from error
    return SandboxOptions(token=token, plan=plan.value, limits=limits, faults=faults, seed=seed)


def _make_store(make: Callable[[Store], object], csv_files: list[Path]) -> Store:
    store = Store()
    if not csv_files:
        make(store)
        return store
    try:
        load_csv(store, csv_files)
    except CsvNotReadableError as error:
        raise InvalidInput(str(error)) from error
    return store


def _application(store: Store, options: SandboxOptions) -> ASGIApp:
    try:
        return create_app(store, options)
    except SchemaUnavailableError as error:
        raise NoSchema(str(error)) from error


def _welcome(facts: dict[str, object]) -> str:
    return (
        f"[green]Shopify sandbox[/green] at {facts['url']}:"
        f" {facts['products']:,} products, {facts['variants']:,} variants\n"
        f"shop domain {facts['shop_domain']}, access token {facts['token']}. Ctrl-C stops it."
    )
