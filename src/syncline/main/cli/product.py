"""`syncline product`: stage products to be made, and to be deleted."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import ChangeBatch, ChangeQuery, Commerce
from syncline.kernel.errors import InvalidInput
from syncline.kernel.paging import PageRequest
from syncline.main.cli.changes import change_table
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit
from syncline.main.cli.outcome import batch_table, overlap_lines
from syncline.main.cli.workspace import Workspace, open_workspace

app = command_group("Stage new products, and the deletion of products.")

StoreName = Annotated[str, typer.Argument(metavar="STORE", help="The store's name.")]
Note = Annotated[str | None, typer.Option(help="A word for whoever reviews it.")]
PREVIEW = 10


def _products_of(file: Path) -> list[Any]:
    """One object, or a list of them."""
    try:
        found = json.loads(file.read_bytes())
    except ValueError as error:
        msg = f'{file.name} is not JSON ({error}); write one object for each product, like {{"title": "Linen Shirt"}}.'
        raise InvalidInput(msg) from error
    products = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) for one in products):
        raise InvalidInput('A product is an object; write it like {"title": "Linen Shirt"}.')
    return products


async def _show(here: Workspace, batch: ChangeBatch, *, as_json: bool) -> None:
    preview = await here.contract(Commerce).list_changes(
        actor=here.actor, query=ChangeQuery(batch_id=batch.id), page=PageRequest(limit=PREVIEW)
    )
    hint = (
        f"All of them: syncline review list --batch {batch.id}\nApprove:     syncline review approve --batch {batch.id}"
    )
    emit(
        asdict(batch),
        as_json=as_json,
        show=lambda: Group(batch_table([batch]), change_table(preview.items), *overlap_lines(batch.overlap), hint),
    )


@app.command("create")
@command
async def create(
    store: StoreName,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A JSON file with one product or a list.", exists=True, dir_okay=False),
    ],
    *,
    note: Note = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Stage products to be made. Nothing is written to the store until it is approved and pushed.

    A product has a `title`, and may have `handle`, `vendor`, `product_type`, `status` (a draft, when left out), `tags`,
    `options` (their names), `variants` (with `options`, `sku`, `price`, `levels` and so on), `media` (`url`, `alt`) and
    `metafields`. Many products fit better into a sheet: `syncline import --create`.

    \b
    Examples:
      syncline product create summer shirt.json
      syncline product create summer new.json --note "autumn" --json
    """
    products = _products_of(file)
    async with open_workspace(data_dir, tenant) as here:
        batch = await here.contract(Commerce).stage_products(
            actor=here.actor, store=store, products=products, note=note
        )
        await _show(here, batch, as_json=as_json)


@app.command("delete")
@command
async def delete(
    store: StoreName,
    *,
    where: Annotated[str, typer.Option(help="Which products; handle:* for all of them.")],
    note: Note = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Stage products to be deleted. Nothing is deleted until it is approved and pushed.

    Shopify cannot bring a product back. `syncline rollback` makes it again from what it was, with other ids: orders,
    links and apps that name the old ones do not follow.

    \b
    Examples:
      syncline product delete summer --where handle:old-mug
      syncline product delete summer --where "status:archived updated_at:<2024-01-01" --json
    """
    async with open_workspace(data_dir, tenant) as here:
        batch = await here.contract(Commerce).stage_deletion(actor=here.actor, store=store, where=where, note=note)
        await _show(here, batch, as_json=as_json)
