"""`syncline reconcile`: compare store and mirror."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce
from syncline.main.cli.console import AsJson, DataDir, ExitCode, TenantSlug, command, emit
from syncline.main.cli.outcome import reconciliation_view
from syncline.main.cli.workspace import open_workspace

app = typer.Typer(add_completion=False)


@app.command()
@command
async def reconcile(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The store's name.")],
    *,
    depth: Annotated[
        str, typer.Option(help="counts: how many; ids: which; content: every value of every record, read anew.")
    ] = "ids",
    repair: Annotated[bool, typer.Option("--repair/--no-repair", help="Mend what differs, then compare again.")] = True,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Compare the store with the mirror, name what differs and mend it. Exit code 1 when they still differ.

    \b
    Examples:
      syncline reconcile summer
      syncline reconcile summer --depth content --no-repair
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).reconcile(actor=here.actor, store=store, depth=depth, repair=repair)
    emit({**asdict(found), "agreed": found.agreed}, as_json=as_json, show=lambda: reconciliation_view(found))
    if not found.agreed:
        raise typer.Exit(ExitCode.FAILED)
