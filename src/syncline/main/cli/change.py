"""`syncline change`: stage one edit for everything a search finds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import ChangeQuery, Commerce
from syncline.kernel.paging import PageRequest
from syncline.main.cli.changes import change_table
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, emit
from syncline.main.cli.outcome import batch_table, overlap_lines
from syncline.main.cli.workspace import open_workspace

app = typer.Typer(add_completion=False)

PREVIEW = 10


@app.command()
@command
async def change(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The store's name.")],
    *,
    edits: Annotated[list[str], typer.Option("--set", metavar="FIELD=VALUE", help="What to change; may be repeated.")],
    where: Annotated[str, typer.Option(help="Which products and variants; everything, when left out.")] = "",
    note: Annotated[str | None, typer.Option(help="A word for whoever reviews it.")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Stage a bulk edit. Nothing is written to the store until it is approved and pushed.

    Search: `vendor:Acme status:active,draft price:10..20 tag:sale -type:"Gift card" sku:none red shirt`.
    Values: `price=19.99`, `price=+10%~.99`, `compare_at_price=price`, `tags=+sale,-old`, `title="…"`,
    `inventory=+5@"Main warehouse"` (the location, when what matches lies at several),
    `metafield.custom.material=Cotton`, `variant_metafield.custom.size=none` (deleted),
    `collections=+summer,-winter` (by handle), `collection_title="…"`, `image_alt="…"`,
    `images=+https://…/a.jpg` (added), `images=-2` (the second taken away), `image_order=3,1` (these first).

    \b
    Examples:
      syncline change summer --where "vendor:Acme status:active" --set price=+10%
      syncline change summer --where "tag:sale" --set compare_at_price=price --set price=-20%~.99
      syncline change summer --where "sku:AB-12" --set "inventory=10@Main warehouse"
      syncline change summer --where "tag:linen" --set collections=+summer,-winter
      syncline change summer --where "handle:mug" --set "images=+https://example.com/mug.jpg" --set image_order=2
      syncline change summer --where "tag:coat" --set metafield.custom.warranty:number_integer=24
    """
    async with open_workspace(data_dir, tenant) as here:
        commerce = here.contract(Commerce)
        batch = await commerce.stage_edit(actor=here.actor, store=store, where=where, edits=edits, note=note)
        preview = await commerce.list_changes(
            actor=here.actor, query=ChangeQuery(batch_id=batch.id), page=PageRequest(limit=PREVIEW)
        )

    def show() -> Group:
        more = preview.total - len(preview.items)
        tail = f"and {more:,} more" if more > 0 else ""
        hint = (
            f"All of them: syncline review list --batch {batch.id}\n"
            f"Approve:     syncline review approve --batch {batch.id}"
        )
        return Group(
            batch_table([batch]),
            change_table(preview.items),
            *([tail] if tail else []),
            *overlap_lines(batch.overlap),
            hint,
        )

    emit(asdict(batch), as_json=as_json, show=show)
