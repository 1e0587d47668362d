"""`syncline serve`."""

from __future__ import annotations

from typing import Annotated

import typer

from syncline.main.cli.console import AsJson, DataDir, command, emit, say
from syncline.main.sandbox_process import RunningSandbox, running_sandbox
from syncline.main.serve import ServeOptions, parse_roles
from syncline.main.serve import serve as run_process
from syncline.main.settings import load_settings
from syncline.runtime.observe import logs

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
@command
async def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, envvar="SYNCLINE_PORT", help="0 takes a free one.")] = 8080,
    apps: Annotated[str, typer.Option(help="`all`, or names separated by commas.")] = "all",
    roles: Annotated[str, typer.Option(help="`api`, `worker`, or both.")] = "api,worker",
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Migrate the database of SYNCLINE_DATABASE_URL too; our own always is.")
    ] = False,
    with_sandbox: Annotated[
        bool, typer.Option("--with-sandbox", help="Also run a Shopify sandbox, which ends with this process.")
    ] = False,
    sandbox_port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    sandbox_products: Annotated[int, typer.Option(min=0, help="Size of the sandbox's store.")] = 2_000,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Run Syncline: the API, the worker, and its own database. Ctrl-C stops it when what is under way is done.

    The OpenAPI page is at /docs, readiness at /ready, metrics at /metrics. --json prints one line when it listens.

    \b
    Examples:
      syncline serve
      syncline serve --port 0 --data-dir ./data --with-sandbox
      syncline serve --roles worker            # more workers for the same database
      SYNCLINE_DATABASE_URL=postgresql://... syncline serve --host 0.0.0.0
    """
    settings = load_settings(data_dir=data_dir)
    logs.configure(level=settings.log_level, pretty={"auto": None, "json": False, "text": True}[settings.log_format])
    options = ServeOptions(host=host, port=port, apps=apps, roles=parse_roles(roles), upgrade=upgrade)

    async def run(sandbox: RunningSandbox | None) -> None:
        async def announce(url: str) -> None:
            facts: dict[str, object] = {"url": url, "docs": f"{url}/docs", "data_dir": str(settings.data_dir)}
            if sandbox is not None:
                facts["sandbox"] = {"url": sandbox.url, "token": sandbox.token, "shop_domain": sandbox.shop_domain}
            emit(facts, as_json=as_json, show=lambda: _welcome(url, sandbox))

        await run_process(settings, options, announce)

    if not with_sandbox:
        await run(None)
        return
    say(f"Making a sandbox store of {sandbox_products:,} products…", style="dim")
    arguments = ("--port", str(sandbox_port), "--products", str(sandbox_products))
    async with running_sandbox(arguments) as sandbox:
        await run(sandbox)


def _welcome(url: str, sandbox: RunningSandbox | None) -> str:
    lines = [f"[green]Syncline is ready[/green] at {url}  (API page: {url}/docs)"]
    if sandbox is not None:
        lines += [
            f"Shopify sandbox at {sandbox.url}  (shop {sandbox.shop_domain}, token {sandbox.token})",
            (
                f"Connect it with: syncline stores add demo --domain {sandbox.shop_domain} --token {sandbox.token}"
                f" --url {sandbox.url}"
            ),
        ]
    return "\n".join(lines)
