"""`syncline demo`: the whole product on a store made up on this machine."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from syncline.apps.accounts.contract import KeyRing
from syncline.main.cli.console import AsJson, ExitCode, command, emit
from syncline.main.cli.demo_screen import Screen
from syncline.main.cli.demo_steps import Demo
from syncline.main.cli.demo_summary import Summary, invitation, summary_view
from syncline.main.cli.sandbox import NoSchema
from syncline.main.cli.working import working
from syncline.main.cli.workspace import open_workspace, prepare
from syncline.main.demo.place import empty_database, forget_settings, held_place
from syncline.main.listening import BadAddress, listen
from syncline.main.sandbox_process import RunningSandbox, running_sandbox
from syncline.main.schema import open_access
from syncline.main.serve import ServeOptions, serve
from syncline.main.settings import Settings
from syncline.runtime.db.access import Access
from syncline.sandbox.shopify.schema import SchemaUnavailableError, cache_folder, ensure_schema_files

app = typer.Typer(add_completion=False)

_HOST = "127.0.0.1"
_PORT = 8080
_BESIDES = {"--collections": 40, "--media-per-product": 1.5, "--metafields-per-product": 1.5}


@app.command()
@command
async def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Stop after the summary; exit code 0 only if every count agrees.")
    ] = False,
    products: Annotated[int, typer.Option(min=200, help="Size of the made-up store.")] = 2_000,
    orders: Annotated[int, typer.Option(min=0, help="How many orders it has.")] = 5_000,
    customers: Annotated[int, typer.Option(min=0, help="How many customers it has.")] = 3_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same store.")] = 1,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Of the API.", show_default=f"{_PORT}, or a free one if that is taken"),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="A folder of the demo's own, emptied at each start.", show_default="./.syncline-demo"),
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Also draw what it says into this SVG file.")] = None,
    as_json: AsJson = False,
) -> None:
    """See it all on a store made up on this machine: pull, change, review, push, a conflict, undo, proof, a schedule.

    Then the server stays up until Ctrl-C. Nothing leaves this machine, and no other installation is touched.

    \b
    Examples:
      syncline demo
      syncline demo --once
      syncline demo --products 500 --port 0 --data-dir ./try
    """
    started = time.perf_counter()
    forget_settings()
    port = _chosen_port(port)
    screen = Screen(quiet=as_json, picture=picture)
    with held_place(data_dir) as folder:
        settings = prepare(folder)
        screen.step("Make a place to work in", "a PostgreSQL of its own, and a Shopify store that is not there")
        await _fetch_schema(screen)
        size = {"--products": products, "--orders": orders, "--customers": customers, **_BESIDES}
        arguments = (
            "--port",
            "0",
            "--seed",
            str(seed),
            "--plan",
            "plus",
            *(str(w) for one in size.items() for w in one),
        )
        async with _emptied(settings), running_sandbox(arguments) as sandbox:
            screen.show(
                _place_text(folder, sandbox, f"{products:,} products, {orders:,} orders, {customers:,} customers")
            )
            summary = await _run(folder, sandbox, screen, started)
            screen.show("", summary_view(summary))
            screen.draw("make demo")
            if as_json:
                emit({**asdict(summary), "agreed": summary.agreed}, as_json=True, show=lambda: None)
            if not once:
                await _stay(settings, port, screen)
    if not summary.agreed:
        raise typer.Exit(ExitCode.FAILED)


def _chosen_port(asked: int | None) -> int:
    """Found out before any work, so that a port that is taken is not met at the end of it."""
    if asked is not None:
        listen(_HOST, asked).close()
        return asked
    try:
        listen(_HOST, _PORT).close()
    except BadAddress:
        return 0
    return _PORT


async def _fetch_schema(screen: Screen) -> None:
    if not cache_folder().is_dir():
        screen.show(Text("Fetching Shopify's published schema with npm, this once…", style="dim"))
    try:
        await asyncio.to_thread(ensure_schema_files)
    except SchemaUnavailableError as error:
        raise NoSchema(str(error)) from error


@asynccontextmanager
async def _emptied(settings: Settings) -> AsyncIterator[None]:
    """Our own database server, up for the whole block, with an empty database of this version."""
    with await asyncio.to_thread(Access, settings.database) as access:
        await asyncio.to_thread(empty_database, access.operator_url)
        async with open_access(settings):
            yield


def _place_text(folder: Path, sandbox: RunningSandbox, size: str) -> Text:
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    store = f"store of {size} at {sandbox.url}, with the rate limits of Shopify Plus"
    return Text(f"   data in {shown}; {store}")


async def _run(folder: Path, sandbox: RunningSandbox, screen: Screen, started: float) -> Summary:
    async with open_workspace(folder) as here:
        steps = Demo(here, sandbox, folder, screen)
        async with working(here):
            await steps.run()
        traffic = await steps.shop.traffic()
    return Summary(steps.timings, steps.checks, traffic, time.perf_counter() - started)


async def _stay(settings: Settings, port: int, screen: Screen) -> None:
    async with open_workspace(settings.data_dir) as here:
        issued = await here.contract(KeyRing).create_key(
            tenant_id=here.tenant.id, name="demo", role="owner", created_by=here.actor.name, expires_at=None
        )

    async def announce(url: str) -> None:
        screen.say(
            invitation(url=url, key=issued.bearer, data_dir=settings.data_dir, bin_dir=Path(sys.executable).parent)
        )

    await serve(settings, ServeOptions(host=_HOST, port=port), announce)
