"""`syncline rollback`: stage the way back from what was pushed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Group

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import ChangeQuery, Commerce
from syncline.kernel.errors import InvalidInput
from syncline.kernel.paging import PageRequest
from syncline.main.cli.changes import change_table
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, emit
from syncline.main.cli.outcome import batch_table, overlap_lines
from syncline.main.cli.workspace import open_workspace

app = typer.Typer(add_completion=False)


def _ids(text: str) -> list[UUID]:
    try:
        return [UUID(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise InvalidInput(
            "--rows takes the ids of changes, separated by commas; `syncline review list` shows them."
        ) from error


@app.command()
@command
async def rollback(
    batch: Annotated[UUID, typer.Argument(metavar="BATCH", help="The batch to undo.")],
    *,
    rows: Annotated[str, typer.Option(help="Only these changes of it, by id, separated by commas.")] = "",
    note: Annotated[str | None, typer.Option(help="A word about why.")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Stage a batch that puts back what was in the store before. It is reviewed, conflict-checked and pushed like any
    other.

    \b
    Examples:
      syncline rollback 019a2b3c-4d5e-7f60-8123-456789abcdef
      syncline rollback 019a2b3c-4d5e-7f60-8123-456789abcdef --rows 019a2b3c-…,019a2b3d-…
    """
    async with open_workspace(data_dir, tenant) as here:
        commerce = here.contract(Commerce)
        undo = await commerce.stage_rollback(actor=here.actor, batch_id=batch, change_ids=_ids(rows), note=note)
        preview = await commerce.list_changes(
            actor=here.actor, query=ChangeQuery(batch_id=undo.id), page=PageRequest(limit=10)
        )
    hint = f"Approve: syncline review approve --batch {undo.id}\nThen:    syncline push {undo.store} --batch {undo.id}"
    emit(
        asdict(undo),
        as_json=as_json,
        show=lambda: Group(batch_table([undo]), change_table(preview.items), *overlap_lines(undo.overlap), hint),
    )
