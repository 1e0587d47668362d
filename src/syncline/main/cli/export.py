"""`syncline export`: the mirror of a store becomes a file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce, ExportResult
from syncline.apps.commerce.transfer.formats import FileFormat, format_of_name
from syncline.kernel.errors import InvalidInput
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, emit, say
from syncline.main.cli.progress import progress
from syncline.main.cli.target_file import standard_output, target_file
from syncline.main.cli.workspace import open_workspace

app = typer.Typer(add_completion=False)

STREAMED = (FileFormat.CSV, FileFormat.JSONL)


def export_view(result: ExportResult, path: Path, size: int) -> RenderableType:
    what = "products" if result.kind == "products" else "products in stock"
    line = f"{result.rows:,} rows of {result.products:,} {what} in {path}, {size / 1e6:,.1f} MB"
    return Group(Text(line), *(Text(note, style="yellow") for note in result.notes))


def _format(file: str, given: str | None) -> FileFormat:
    if given is not None:
        return FileFormat(given)
    if file == "-":
        raise InvalidInput("Say what to write to standard output: --format csv or --format jsonl.")
    return format_of_name(file)


def _tell(result: ExportResult, path: Path | None, *, as_json: bool) -> None:
    if path is None:
        for note in result.notes:
            say(note, style="yellow")
        return
    size = path.stat().st_size
    body = {**asdict(result), "path": str(path), "bytes": size}
    emit(body, as_json=as_json, show=lambda: export_view(result, path, size))


@app.command("export")
@command
async def export(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The store's name.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="Ends in .csv, .xlsx, .json, .jsonl, .parquet; or -.")],
    *,
    where: Annotated[str, typer.Option(help="Which products; everything, when left out.")] = "",
    columns: Annotated[list[str] | None, typer.Option(help="Only these; with commas, or repeated.")] = None,
    kind: Annotated[str, typer.Option(help="products, or inventory: stock by location.")] = "products",
    file_format: Annotated[FileFormat | None, typer.Option("--format", help="When the name does not say it.")] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="CSV for Shopify's own importer: no apostrophe before any text.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write a store's products, or its stock, to a file: what the mirror holds, so pull first.

    Products that match are written whole, with all their variants: CSV and Excel in the columns of Shopify's product
    CSV, JSON and Parquet under Syncline's own names. What comes back by `syncline import` unchanged stages nothing. The
    file is there whole or not at all.

    \b
    Examples:
      syncline export summer products.csv
      syncline export summer sale.xlsx --where "tag:sale" --columns sku,price,compare_at_price
      syncline export summer stock.csv --kind inventory
      syncline export summer - --format jsonl | jq .handle
    """
    chosen = _format(file, file_format)
    named = [name for given in columns or () for name in given.split(",") if name.strip()]
    is_stream = file == "-"
    # None when the reader of standard output went away, who wants no more of it.
    result: ExportResult | None = None
    if is_stream and chosen not in STREAMED:
        raise InvalidInput(
            f"A file of the kind {chosen} cannot go to standard output; use csv or jsonl, or name a file."
        )
    if is_stream and as_json:
        raise InvalidInput("Standard output holds the file, so there is no room for --json; name a file.")
    path = Path(file)
    async with open_workspace(data_dir, tenant) as here:
        with (
            standard_output() if is_stream else target_file(path, replaces=force) as out,
            progress(quiet=as_json) as bars,
        ):
            bar = bars.bar(f"writing {path.name if not is_stream else store}")
            result = await here.contract(Commerce).export_store(
                actor=here.actor,
                store=store,
                file=out,
                format=chosen,
                kind=kind,
                where=where,
                columns=named,
                marks=not plain,
                progress=bar.update,
            )
            bar.finish()
    if result is not None:
        _tell(result, None if is_stream else path, as_json=as_json)
