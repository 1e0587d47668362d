"""Which staged changes a command is about: the options, and the query they make."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from syncline.apps.commerce.contract import ChangeQuery, ChangeStatus
from syncline.kernel.errors import InvalidInput

StoreName = Annotated[str | None, typer.Option("--store", help="Only of this store.")]
Batch = Annotated[UUID | None, typer.Option("--batch", help="Only of this batch.")]
Search = Annotated[str, typer.Option("--where", help='Like "field:price vendor:Acme".')]
Picked = Annotated[UUID | None, typer.Option("--selection", help="Only of this selection, from `review select`.")]
Everything = Annotated[bool, typer.Option("--all", help="All that can be moved, in every store.")]
Ids = Annotated[list[UUID] | None, typer.Argument(metavar="ID", help="Changes, by their ids.")]
Note = Annotated[str | None, typer.Option(help="A word about why.")]
Statuses = Annotated[list[ChangeStatus] | None, typer.Option("--status", help="May be repeated.")]


def chosen(
    ids: list[UUID] | None,
    *,
    store: str | None,
    batch: UUID | None,
    where: str,
    selection: UUID | None,
    everything: bool = False,
    statuses: list[ChangeStatus] | None = None,
) -> ChangeQuery:
    """Raises `InvalidInput` when nothing says which."""
    if not (ids or store or batch or where.strip() or selection or everything):
        raise InvalidInput("Say which changes: ids, --batch, --store, --where, --selection, or --all.")
    return ChangeQuery(
        store=store,
        batch_id=batch,
        statuses=tuple(statuses or ()),
        ids=tuple(ids or ()),
        search=where,
        selection_id=selection,
    )
