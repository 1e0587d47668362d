"""`syncline import`: a sheet becomes staged changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce, ImportProblem, ImportResult, SheetRefused
from syncline.main.cli.console import AsJson, DataDir, ExitCode, TenantSlug, command, console, emit
from syncline.main.cli.outcome import batch_table, overlap_lines, problem_table
from syncline.main.cli.progress import progress
from syncline.main.cli.workspace import Workspace, open_workspace

app = typer.Typer(add_completion=False)

SHOWN = 40


def import_view(result: ImportResult) -> RenderableType:
    line = (
        f"{result.rows:,} rows, {result.products:,} products: {result.staged:,} changes staged, "
        f"{result.unchanged:,} records already as the sheet says, {result.errors:,} errors, {result.notes:,} notes"
    )
    parts: list[RenderableType] = [Text(line), *overlap_lines(result.overlap)]
    if result.problems:
        parts.append(problem_table(result.problems, most=SHOWN))
    if result.batch is not None:
        parts.append(batch_table([result.batch]))
        parts.append(Text(f"See them: syncline review list --batch {result.batch.id}", style="dim"))
    return Group(*parts)


def _show_refusal(error: SheetRefused) -> None:
    found = error.extra.get("result")
    if isinstance(found, dict):
        problems = [ImportProblem(**problem) for problem in found["problems"]]
        console().print(problem_table(problems, most=SHOWN))


async def _write_marked(here: Workspace, target: Path, *, as_json: bool, **asked: Any) -> None:
    with target.open("wb") as out:
        marked = await here.contract(Commerce).mark_sheet(actor=here.actor, file=out, **asked)
    if not as_json:
        errors = "1 error" if marked.errors == 1 else f"{marked.errors:,} errors"
        console().print(f"{target}: a copy of the sheet ({marked.format}) with {errors} marked.")


async def _import(
    here: Workspace,
    sheet: tuple[str, int],
    errors: Path | None,
    *,
    keep_good: bool,
    as_json: bool,
    asked: Mapping[str, Any],
) -> ImportResult:
    """With a bar, and with the marked copy when there are errors, whether they refuse the sheet or not. `sheet` is
    its name and its size in bytes."""
    name, size = sheet
    with progress(quiet=as_json) as bars:
        bar = bars.bar(f"reading {name}", size)
        try:
            result = await here.contract(Commerce).import_sheet(
                actor=here.actor,
                keep_good=keep_good,
                **asked,
                progress=lambda rows, position: bar.update(position, note=f"{rows:,} rows"),
            )
            bar.finish()
        except SheetRefused as error:
            if not as_json:
                _show_refusal(error)
            if errors is not None:
                await _write_marked(here, errors, as_json=as_json, **asked)
            raise
    if result.errors and errors is not None:
        await _write_marked(here, errors, as_json=as_json, **asked)
    return result


@app.command("import")
@command
async def import_sheet(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The store's name.")],
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="CSV, Excel, JSON, JSON Lines or Parquet.", exists=True, dir_okay=False),
    ],
    *,
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="Stage the rows without errors, leave the others.")
    ] = False,
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Leave out columns that are not known.")
    ] = False,
    encoding: Annotated[str | None, typer.Option(help="Found out when left out; like cp1252.")] = None,
    location: Annotated[
        str | None, typer.Option(help="Where the sheet's quantities are, with several locations.")
    ] = None,
    create: Annotated[
        bool, typer.Option("--create", help="Make products that the store does not have, as changes to review.")
    ] = False,
    mapping: Annotated[str | None, typer.Option(help="What the columns mean, as kept by `syncline sheet map`.")] = None,
    errors: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write a copy with the errors marked, if there are any."),
    ] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Compare a sheet with the mirror and stage what differs. Nothing is written to the store.

    Shopify's product CSV and inventory CSV of any year are understood, and what `syncline export` wrote; which kind of
    file it is, its first bytes say. A blank cell changes nothing. One error refuses the sheet and lists every error by
    row and column. A column `Command` may say new, merge, update or delete of a product. Exit codes: 2 refused with
    errors, 4 staged in part with --keep-good.

    \b
    Examples:
      syncline import summer prices.csv
      syncline import summer prices.xlsx --keep-good --json
      syncline import summer new-products.csv --create
      syncline import summer supplier.csv --mapping "Acme price list" --errors bad.csv
      syncline import summer old.csv --encoding cp1252 --location "Main warehouse"
    """
    asked: dict[str, Any] = {
        "store": store,
        "path": str(file),
        "ignore_unknown": ignore_unknown,
        "encoding": encoding,
        "location": location,
        "create": create,
        "mapping": mapping,
    }
    async with open_workspace(data_dir, tenant) as here:
        result = await _import(
            here, (file.name, file.stat().st_size), errors, keep_good=keep_good, as_json=as_json, asked=asked
        )
    emit(asdict(result), as_json=as_json, show=lambda: import_view(result))
    if result.errors:
        raise typer.Exit(ExitCode.IN_PART)
