"""`syncline review`: look at staged changes, approve, reject, settle conflicts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import ChangeQuery, Commerce, Resolution
from syncline.apps.commerce.contract.decisions import Decided
from syncline.kernel.paging import PageRequest
from syncline.main.cli import deciding
from syncline.main.cli.changes import change_table
from syncline.main.cli.chosen import Batch, Everything, Ids, Note, Picked, Search, Statuses, StoreName, chosen
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit
from syncline.main.cli.outcome import batch_table
from syncline.main.cli.workspace import open_workspace

app = command_group("List, show, approve and reject staged changes; settle conflicts.")

app.add_typer(deciding.app)


@app.command("list")
@command
async def list_changes(
    *,
    store: StoreName = None,
    batch: Batch = None,
    where: Search = "",
    selection: Picked = None,
    status: Statuses = None,
    batches: Annotated[bool, typer.Option("--batches", help="List the batches instead.")] = False,
    page: Annotated[int, typer.Option(min=1, help="Counts from 1.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Rows on a page.")] = 50,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List staged changes, or batches, a page at a time.

    \b
    Examples:
      syncline review list --batches
      syncline review list --store summer --status pending
      syncline review list --where "field:price vendor:Acme" --json
    """
    request = PageRequest(page=page, limit=limit)
    async with open_workspace(data_dir, tenant) as here:
        commerce = here.contract(Commerce)
        if batches:
            found = await commerce.list_batches(actor=here.actor, store=store, page=request)
            shown: RenderableType = batch_table(found.items) if found.items else "Nothing was staged yet."
            body = {"batches": [asdict(one) for one in found.items], "total": found.total}
        else:
            query = ChangeQuery(
                store=store, batch_id=batch, statuses=tuple(status or ()), search=where, selection_id=selection
            )
            changes = await commerce.list_changes(actor=here.actor, query=query, page=request)
            count = f"{changes.total:,} in all, page {page} of {max(1, changes.total_pages)}"
            shown = Group(change_table(changes.items), count) if changes.items else "No staged change matches."
            body = {"changes": [asdict(one) for one in changes.items], "total": changes.total}
    emit(body, as_json=as_json, show=lambda: shown)


@app.command()
@command
async def show(
    change_id: Annotated[UUID, typer.Argument(metavar="ID", help="The change's id, from `review list`.")],
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show one change whole.

    \b
    Examples:
      syncline review show 019a2b3c-4d5e-7f60-8123-456789abcdef
    """
    async with open_workspace(data_dir, tenant) as here:
        change = await here.contract(Commerce).get_change(actor=here.actor, change_id=change_id)

    def shown() -> RenderableType:
        notes = [text for text in (change.sentence, change.note) if text]
        people = f"staged by {change.author}" + (f", reviewed by {change.reviewer}" if change.reviewer else "")
        people += f", assigned to {change.assignee}" if change.assignee else ""
        people += f", expires {change.expires_at:%Y-%m-%d %H:%M} UTC" if change.expires_at else ""
        return Group(change_table([change]), *map(Text, [people, *notes]))

    emit(asdict(change), as_json=as_json, show=shown)


@app.command()
@command
async def approve(
    ids: Ids = None,
    *,
    store: StoreName = None,
    batch: Batch = None,
    where: Search = "",
    selection: Picked = None,
    everything: Everything = False,
    note: Note = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Approve pending changes: one, some, or all that match.

    What somebody changed in the store itself is accepted by it: the store has it already, so nothing is pushed.

    \b
    Examples:
      syncline review approve --batch 019a2b3c-4d5e-7f60-8123-456789abcdef
      syncline review approve --store summer --where "field:price"
    """
    query = chosen(ids, store=store, batch=batch, where=where, selection=selection, everything=everything)
    async with open_workspace(data_dir, tenant) as here:
        done = await here.contract(Commerce).approve(actor=here.actor, query=query, note=note)
    emit(
        {"approved": done.changed, "to_push": done.to_push, "accepted": done.accepted},
        as_json=as_json,
        show=lambda: _approved(done),
    )


@app.command()
@command
async def reject(
    ids: Ids = None,
    *,
    store: StoreName = None,
    batch: Batch = None,
    where: Search = "",
    selection: Picked = None,
    everything: Everything = False,
    note: Note = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Reject changes that were not sent.

    For what somebody changed in the store itself a batch is staged that puts it back, to be approved and pushed.

    \b
    Examples:
      syncline review reject --batch 019a2b3c-4d5e-7f60-8123-456789abcdef --note "not this season"
    """
    query = chosen(ids, store=store, batch=batch, where=where, selection=selection, everything=everything)
    async with open_workspace(data_dir, tenant) as here:
        done = await here.contract(Commerce).reject(actor=here.actor, query=query, note=note)
    emit(
        {"rejected": done.changed, "put_back": [str(one) for one in done.put_back]},
        as_json=as_json,
        show=lambda: _rejected(done),
    )


@app.command()
@command
async def resolve(
    ids: Ids = None,
    *,
    using: Annotated[
        Resolution,
        typer.Option(help="skip: leave the store's value; overwrite: write ours; merge: write what did not move."),
    ],
    store: StoreName = None,
    batch: Batch = None,
    where: Search = "",
    selection: Picked = None,
    everything: Everything = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Settle conflicts: changes whose record moved in the store after they were staged.

    \b
    Examples:
      syncline review list --store summer --status conflict
      syncline review resolve --store summer --using overwrite
    """
    query = chosen(ids, store=store, batch=batch, where=where, selection=selection, everything=everything)
    async with open_workspace(data_dir, tenant) as here:
        moved = await here.contract(Commerce).resolve(actor=here.actor, query=query, resolution=using)
    emit({"resolved": moved}, as_json=as_json, show=lambda: f"{moved:,} conflicts settled by {using}.")


@app.command()
@command
async def rule(
    *,
    four_eyes: Annotated[
        bool | None, typer.Option("--four-eyes/--own-changes", help="Whether somebody else than the author approves.")
    ] = None,
    expire_after_days: Annotated[
        int | None,
        typer.Option(min=0, max=365, help="What nobody decides in so many days expires; 0 is never."),
    ] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show or change who may approve, anybody with the permission or somebody else than the author, and in what time.

    \b
    Examples:
      syncline review rule
      syncline review rule --expire-after-days 14
      syncline review rule --four-eyes --tenant summer
    """
    async with open_workspace(data_dir, tenant) as here:
        commerce = here.contract(Commerce)
        if four_eyes is None and expire_after_days is None:
            found = await commerce.get_review_rule(actor=here.actor)
        else:
            found = await commerce.set_review_rule(
                actor=here.actor, four_eyes=four_eyes, expire_after_days=expire_after_days
            )
    told = "Somebody else than the author has to approve." if found.four_eyes else "Authors may approve their own."
    fixed = " The operator asks for it everywhere." if found.is_fixed else ""
    days = found.expire_after_days
    waits = f" What nobody decides in {days} days expires." if days else ""
    emit(asdict(found), as_json=as_json, show=lambda: told + fixed + waits)


def _approved(done: Decided) -> str:
    sent = f"{_changes(done.to_push)} approved. Send {_them(done.to_push)}: syncline push STORE"
    if not done.accepted:
        return sent
    kept = (
        f"{_changes(done.accepted)} made in the store accepted. There is nothing to push: the store has "
        f"{_them(done.accepted)}, and the mirror too; later changes are held against {_them(done.accepted)}."
    )
    return f"{kept}\n{sent}" if done.to_push else kept


def _rejected(done: Decided) -> str:
    lines = [f"{_changes(done.changed)} rejected."]
    for batch_id in done.put_back:
        lines += [
            f"What was made in the store is still there. Batch {batch_id} puts it back, once approved and pushed:",
            f"  syncline review list --batch {batch_id}",
        ]
    return "\n".join(lines)


def _them(count: int) -> str:
    return "it" if count == 1 else "them"


def _changes(count: int) -> str:
    return "1 change" if count == 1 else f"{count:,} changes"
