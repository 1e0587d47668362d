"""`syncline reconcile`: compare store and mirror."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce, Reconciliation
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.main.cli.console import AsJson, DataDir, ExitCode, TenantSlug, command, emit
from syncline.main.cli.outcome import reconciliation_json, reconciliation_view
from syncline.main.cli.progress import Bar, Progress, progress
from syncline.main.cli.workspace import Workspace, open_workspace

app = typer.Typer(add_completion=False)


async def compare(here: Workspace, store: str, depth: str, bars: Progress, *, repair: bool) -> Reconciliation:
    """With a bar for each stream that is read; how much there will be is what the mirror holds of it."""
    commerce = here.contract(Commerce)
    held = (await commerce.overview(actor=here.actor, store=store)).records
    expected = Counter[str]()
    for kind in KINDS.values():
        expected[kind.stream] += held.get(kind.name, 0)
    shown: dict[str, Bar] = {}

    def show(stream: str, records: int) -> None:
        for name in [name for name in shown if name != stream]:
            shown.pop(name).finish()
        if stream not in shown:
            shown[stream] = bars.bar(stream, expected[stream] or None)
        note = None if records else "asking how many there are"
        shown[stream].update(records, max(expected[stream], records), note=note)

    found = await commerce.reconcile(actor=here.actor, store=store, depth=depth, repair=repair, progress=show)
    for bar in shown.values():
        bar.finish()
    return found


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
        with progress(quiet=as_json) as bars:
            found = await compare(here, store, depth, bars, repair=repair)
    emit(reconciliation_json(found), as_json=as_json, show=lambda: reconciliation_view(found))
    if not found.agreed:
        raise typer.Exit(ExitCode.FAILED)
