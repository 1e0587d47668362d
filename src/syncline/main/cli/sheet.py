"""`syncline sheet`: templates, what the columns of a sheet mean, and mappings that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce
from syncline.apps.commerce.sheet_contract import SheetColumn, SheetMapping
from syncline.kernel.errors import InvalidInput
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.workspace import open_workspace

app = command_group("Templates of sheets, what their columns mean, and mappings that are kept.")

MappingName = Annotated[str, typer.Argument(metavar="NAME", help="What you call it, like the supplier.")]
_FORMATS = {".csv": "csv", ".xlsx": "xlsx"}


@app.command("template")
@command
async def template(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; .csv or .xlsx.")],
    *,
    kind: Annotated[str, typer.Option(help="products, prices, stock or delete.")] = "products",
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write an empty sheet with rows that show how it is filled in.

    \b
    Examples:
      syncline sheet template products.csv
      syncline sheet template prices.xlsx --kind prices --json
    """
    kind_of_file = _FORMATS.get(file.suffix.lower())
    if kind_of_file is None:
        raise InvalidInput(f"The name {file.name!r} does not say what kind of file it is; end it in .csv or .xlsx.")
    async with open_workspace(data_dir, tenant) as here:
        with file.open("wb") as out:
            titles = await here.contract(Commerce).write_template(
                actor=here.actor, kind=kind, format=kind_of_file, file=out
            )
    said = {"file": str(file), "kind": kind, "columns": list(titles)}
    emit(said, as_json=as_json, show=lambda: f"{file}: {', '.join(titles)}")


def _columns_table(columns: Sequence[SheetColumn]) -> RenderableType:
    return table(
        ("column", "read as", "", "looks like"), ((one.title, one.field or "–", one.how, one.sample) for one in columns)
    )


@app.command("columns")
@command
async def columns(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sheet.", exists=True, dir_okay=False)],
    *,
    mapping: Annotated[str | None, typer.Option(help="A mapping that was kept.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Found out when left out; like cp1252.")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what an import makes of each column, with a guess for those that it does not know.

    A guess is only shown; `syncline sheet map` keeps it, and `syncline import --mapping` uses it.

    \b
    Examples:
      syncline sheet columns supplier.csv
      syncline sheet columns supplier.xlsx --mapping "Acme price list" --json
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).describe_columns(
            actor=here.actor, path=str(file), encoding=encoding, mapping=mapping
        )
    said = {"columns": [asdict(one) for one in found]}
    emit(said, as_json=as_json, show=lambda: Group(_columns_table(found), *_hint(found)))


def _hint(found: Sequence[SheetColumn]) -> Sequence[str]:
    guesses = [f'"{one.title}={one.field}"' for one in found if one.how == "guessed"]
    unknown = [f'"{one.title}=-"' for one in found if one.how == "unknown"]
    return [f"Keep it: syncline sheet map NAME {' '.join([*guesses, *unknown])}"] if guesses or unknown else []


@app.command("map")
@command
async def keep(
    name: MappingName,
    meanings: Annotated[list[str], typer.Argument(metavar="TITLE=FIELD...", help="TITLE=- leaves a column out.")],
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Keep what the columns of somebody's sheets mean, for every import that names it.

    \b
    Examples:
      syncline sheet map "Acme price list" Artikelnummer=sku Preis=price Bemerkung=-
      syncline sheet map stocktake "Article no=handle" "Counted=available" --json
    """
    said = {}
    for meaning in meanings:
        title, equals, word = meaning.rpartition("=")
        if not equals or not title.strip():
            raise InvalidInput(f"{meaning!r} cannot be used; write TITLE=FIELD, like Preis=price.")
        said[title] = word
    async with open_workspace(data_dir, tenant) as here:
        made = await here.contract(Commerce).keep_mapping(actor=here.actor, name=name, columns=said)
    emit(asdict(made), as_json=as_json, show=lambda: _mappings_table([made]))


def _mappings_table(mappings: Sequence[SheetMapping]) -> RenderableType:
    rows = (
        (one.name, ", ".join(f"{title}={word}" for title, word in one.columns.items()), one.changed_by)
        for one in mappings
    )
    return table(("mapping", "columns", "by"), rows)


@app.command("mappings")
@command
async def mappings(*, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the mappings that are kept.

    \b
    Examples:
      syncline sheet mappings --json
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).list_mappings(actor=here.actor)
    said = {"mappings": [asdict(one) for one in found]}
    emit(said, as_json=as_json, show=lambda: _mappings_table(found) if found else "No mapping is kept yet.")


@app.command("unmap")
@command
async def remove(
    name: MappingName,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove a mapping. Nothing that was imported with it changes.

    \b
    Examples:
      syncline sheet unmap "Acme price list"
    """
    async with open_workspace(data_dir, tenant) as here:
        await here.contract(Commerce).remove_mapping(actor=here.actor, name=name)
    emit({"removed": name}, as_json=as_json, show=lambda: f"{name} is removed.")
