"""`syncline review …`: count, select, note, ask somebody to decide, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Group, RenderableType

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce
from syncline.apps.commerce.contract.decisions import ChangeCounts, CountBy, Selection
from syncline.kernel.errors import InvalidInput
from syncline.main.cli.chosen import Batch, Everything, Ids, Picked, Search, Statuses, StoreName, chosen
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.outcome import counts_text
from syncline.main.cli.workspace import open_workspace

app = command_group("Count, select, note, ask somebody to decide, and until when.")


def _count_table(found: ChangeCounts, by: Sequence[CountBy]) -> RenderableType:
    rows = ((*(getattr(one, name.value) or "(none)" for name in by), one.changes) for one in found.groups)
    return Group(table((*(name.value for name in by), ">changes"), rows), f"{found.total:,} in all")


@app.command()
@command
async def count(
    *,
    store: StoreName = None,
    status: Statuses = None,
    by: Annotated[list[CountBy] | None, typer.Option(help="store, kind, vendor or status; repeatable.")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Count staged changes, at once, however many there are.

    \b
    Examples:
      syncline review count --store summer
      syncline review count --by vendor --by kind --status pending
    """
    names = [name for name in CountBy if name in (by or [CountBy.STATUS])]
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).count_changes(
            actor=here.actor, store=store, statuses=tuple(status or ()), by=names
        )
    emit(
        asdict(found),
        as_json=as_json,
        show=lambda: _count_table(found, names) if found.total else "No staged change matches.",
    )


def _selection(found: Selection) -> RenderableType:
    head = f"{found.changes:,} changes, until {found.expires_at:%Y-%m-%d %H:%M} UTC: {found.search or 'all'}"
    return Group(head, counts_text(found.counts), f"Approve them: syncline review approve --selection {found.id}")


@app.command()
@command
async def select(
    ids: Ids = None,
    *,
    store: StoreName = None,
    batch: Batch = None,
    where: Search = "",
    selection: Picked = None,
    status: Statuses = None,
    everything: Everything = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Keep which changes match now, for a day, to look at them and then decide about exactly these.

    \b
    Examples:
      syncline review select --store summer --status pending --where "vendor:Acme"
      syncline review approve --selection 019a2b3c-4d5e-7f60-8123-456789abcdef
    """
    query = chosen(
        ids, store=store, batch=batch, where=where, selection=selection, everything=everything, statuses=status
    )
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).select_changes(actor=here.actor, query=query)
    emit(asdict(found), as_json=as_json, show=lambda: _selection(found))


@app.command()
@command
async def selection(
    selection_id: Annotated[UUID, typer.Argument(metavar="ID", help="Its id, from `review select`.")],
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what is in a selection and what has become of it.

    \b
    Examples:
      syncline review selection 019a2b3c-4d5e-7f60-8123-456789abcdef
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).get_selection(actor=here.actor, selection_id=selection_id)
    emit(asdict(found), as_json=as_json, show=lambda: _selection(found))


@app.command()
@command
async def note(
    ids: Ids = None,
    *,
    text: Annotated[str, typer.Option(help="What is to be said.")],
    store: StoreName = None,
    batch: Batch = None,
    where: Search = "",
    selection: Picked = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say something beside changes without deciding about them.

    \b
    Examples:
      syncline review note 019a2b3c-4d5e-7f60-8123-456789abcdef --text "Agreed with the buyer."
    """
    query = chosen(ids, store=store, batch=batch, where=where, selection=selection)
    async with open_workspace(data_dir, tenant) as here:
        noted = await here.contract(Commerce).add_note(actor=here.actor, query=query, text=text)
    emit({"noted": noted}, as_json=as_json, show=lambda: f"Noted beside {noted:,} changes.")


@app.command()
@command
async def notes(
    change_id: Annotated[UUID, typer.Argument(metavar="ID", help="The change's id, from `review list`.")],
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what was said about a change, oldest first.

    \b
    Examples:
      syncline review notes 019a2b3c-4d5e-7f60-8123-456789abcdef
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).list_notes(actor=here.actor, change_id=change_id)
    shown: Any = table(("when", "who", "what"), ((one.created_at, one.author, one.text) for one in found))
    emit(
        {"notes": [asdict(one) for one in found]},
        as_json=as_json,
        show=lambda: shown if found else "Nobody said anything about it.",
    )


@app.command()
@command
async def assign(
    ids: Ids = None,
    *,
    to: Annotated[str | None, typer.Option(help="The e-mail address of a member who may approve.")] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="Ask nobody in particular.")] = False,
    store: StoreName = None,
    batch: Batch = None,
    where: Search = "",
    selection: Picked = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Ask somebody to decide about changes; others may all the same. Find them: --where "assignee:NAME".

    \b
    Examples:
      syncline review assign --batch 019a2b3c-4d5e-7f60-8123-456789abcdef --to ada@example.com
      syncline review assign --store summer --where "vendor:Acme" --nobody
    """
    if (to is None) is not nobody:
        raise InvalidInput("Say who is asked: --to with an address, or --nobody.")
    query = chosen(ids, store=store, batch=batch, where=where, selection=selection)
    async with open_workspace(data_dir, tenant) as here:
        moved = await here.contract(Commerce).assign(actor=here.actor, query=query, assignee=to)
    emit({"assigned": moved}, as_json=as_json, show=lambda: f"{moved:,} changes wait for {to or 'nobody'} now.")


@app.command()
@command
async def expire(
    ids: Ids = None,
    *,
    at: Annotated[datetime | None, typer.Option(help="What nobody decides by then (UTC) expires.")] = None,
    never: Annotated[bool, typer.Option("--never", help="They wait for ever.")] = False,
    store: StoreName = None,
    batch: Batch = None,
    where: Search = "",
    selection: Picked = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Set until when pending changes are to be decided. For all that is staged later: review rule --expire-after-days.

    \b
    Examples:
      syncline review expire --batch 019a2b3c-4d5e-7f60-8123-456789abcdef --at 2027-01-31T18:00:00
      syncline review expire --store summer --never
    """
    if (at is None) is not never:
        raise InvalidInput("Say until when: --at with a moment, or --never.")
    moment = at.replace(tzinfo=UTC) if at is not None else None
    query = chosen(ids, store=store, batch=batch, where=where, selection=selection)
    async with open_workspace(data_dir, tenant) as here:
        moved = await here.contract(Commerce).set_expiry(actor=here.actor, query=query, at=moment)
    until = f"expire at {moment:%Y-%m-%d %H:%M} UTC unless somebody decides" if moment else "do not expire"
    emit({"changed": moved, "at": moment}, as_json=as_json, show=lambda: f"{moved:,} changes {until}.")
