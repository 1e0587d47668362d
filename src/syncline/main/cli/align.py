"""`syncline align`: make fields of one store those of another."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.alignment_contract import AlignedBy, Alignment
from syncline.apps.commerce.contract import Commerce
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, emit
from syncline.main.cli.workspace import open_workspace

app = typer.Typer(add_completion=False)

SHOWN = 20


def _view(found: Alignment) -> RenderableType:
    line = (
        f"{found.looked:,} records of {found.source}: {found.staged:,} changes staged on {found.target}, "
        f"{found.unchanged:,} alike, {found.unmatched:,} without a counterpart, {found.ambiguous:,} ambiguous"
    )
    line += f", {found.waiting:,} staged before" if found.waiting else ""
    if found.replaced:
        line += f", {found.replaced:,} that waited replaced, for the source has another value by now"
    problems = list(dict.fromkeys(found.problems))  # a SKU of several variants is wrong with each of them
    more = len(problems) - SHOWN
    tail = [f"and {more:,} more"] if more > 0 else []
    hint = [f"See them: syncline review list --batch {found.batch_id}"] if found.batch_id is not None else []
    return Group(line, *problems[:SHOWN], *tail, *hint)


@app.command("align")
@command
async def align(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The store whose values are copied.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The store that is changed.")],
    *,
    fields: Annotated[list[str], typer.Option("--field", metavar="FIELD", help="What to copy; may be repeated.")],
    by: Annotated[AlignedBy, typer.Option(help="What tells that two records are the same thing.")] = AlignedBy.SKU,
    where: Annotated[str, typer.Option(help="Which records of the source; all, when left out.")] = "",
    note: Annotated[str | None, typer.Option(help="A word for whoever reviews it.")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Copy fields from one store to another. Nothing is written to a store until it is approved and pushed.

    Both stores are taken as of their last pulls. A SKU that stands for several variants of either store is named and
    left as it is.

    \b
    Examples:
      syncline align main outlet --field price --field compare_at_price
      syncline align main outlet --field title --field metafield.custom.care --by handle --where "tag:summer" --json
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).align_stores(
            actor=here.actor, source=source, target=target, fields=fields, by=by, where=where, note=note
        )
    emit(asdict(found), as_json=as_json, show=lambda: _view(found))
