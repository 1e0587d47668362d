"""`syncline conflicts`: changes whose record moved in the store, on three sides; rules that settle later ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Group, RenderableType

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import ChangeQuery, Commerce
from syncline.apps.commerce.contract.conflicts import Choice, ConflictRule, Settled, ThreeWay
from syncline.apps.commerce.staging.diff import render_value
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.main.cli.chosen import Picked
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, cell_text, command, command_group, emit, table
from syncline.main.cli.workspace import open_workspace

app = command_group("Show conflicts on three sides, settle them field by field, and set rules for later ones.")

StoreName = Annotated[str | None, typer.Option("--store", help="Only of this store.")]
ChoiceOf = Annotated[Choice, typer.Argument(metavar="CHOICE", help="ours, theirs or merge.")]


def _view(found: ThreeWay) -> RenderableType:
    rows = (
        (
            one.field,
            render_value(one.base),
            render_value(one.theirs),
            render_value(one.ours),
            one.verdict,
            render_value(one.merged[Choice.MERGE]),
            one.rule,
        )
        for one in found.fields
    )
    made = table(("field", "was", "store", "wanted", "moved", "merged", "rule"), rows)
    hint = f"Settle: syncline conflicts settle {found.change_id} --field FIELD=ours|theirs|merge"
    return Group(cell_text(found.label), made, hint)


def _rules(rules: Sequence[ConflictRule]) -> RenderableType:
    rows = ((str(one.id), one.store or "all", one.field, one.choice, one.created_by, one.created_at) for one in rules)
    return table(("rule", "store", "field", "choice", "by", "since"), rows) if rules else "No rules are set."


@app.command()
@command
async def show(
    change_id: Annotated[UUID, typer.Argument(metavar="ID", help="The change, from `review list --status conflict`.")],
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show one conflict: each field as it was, as the store has it, as it is wanted, and merged.

    \b
    Examples:
      syncline conflicts show 019a2b3c-4d5e-7f60-8123-456789abcdef
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).get_three_way(actor=here.actor, change_id=change_id)
    emit(asdict(found), as_json=as_json, show=lambda: _view(found))


def _choices(fields: list[str] | None) -> dict[str, Choice]:
    found: dict[str, Choice] = {}
    for one in fields or ():
        name, _, choice = one.partition("=")
        if choice not in set(Choice):
            sentence = f"{one!r} cannot be used: write FIELD=ours, FIELD=theirs or FIELD=merge."
            raise InvalidInput(sentence, fields=[FieldError("field", sentence)])
        found[name.strip()] = Choice(choice)
    return found


def _settled(done: Settled) -> str:
    told = f"{done.approved:,} approved again, {done.skipped:,} left as the store has them."
    them = "it" if done.approved == 1 else "them"
    return f"{told} Send {them}: syncline push STORE" if done.approved else told


@app.command()
@command
async def settle(
    ids: Annotated[list[UUID] | None, typer.Argument(metavar="ID", help="Changes, by their ids.")] = None,
    *,
    fields: Annotated[
        list[str] | None, typer.Option("--field", metavar="FIELD=CHOICE", help="ours, theirs or merge; repeatable.")
    ] = None,
    otherwise: Annotated[Choice, typer.Option(help="For every field that is not named.")] = Choice.THEIRS,
    store: StoreName = None,
    batch: Annotated[UUID | None, typer.Option("--batch", help="Only of this batch.")] = None,
    where: Annotated[str, typer.Option("--where", help='Like "field:price vendor:Acme".')] = "",
    selection: Picked = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Settle conflicts field by field. What is left is approved again, and sent with the next push.

    \b
    Examples:
      syncline conflicts settle --store summer --field price=ours --field tags=merge
      syncline conflicts settle 019a2b3c-4d5e-7f60-8123-456789abcdef --otherwise ours
    """
    if not (ids or store or batch or where.strip() or selection):
        raise InvalidInput("Say which conflicts: ids, --batch, --store, --where or --selection.")
    query = ChangeQuery(store=store, batch_id=batch, ids=tuple(ids or ()), search=where, selection_id=selection)
    choices = _choices(fields)
    async with open_workspace(data_dir, tenant) as here:
        done = await here.contract(Commerce).settle_conflicts(
            actor=here.actor, query=query, choices=choices, otherwise=otherwise
        )
    emit(
        asdict(done),
        as_json=as_json,
        show=lambda: _settled(done),
    )


@app.command()
@command
async def rules(
    *,
    store: StoreName = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the rules that settle conflicts by themselves.

    \b
    Examples:
      syncline conflicts rules --store summer
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).list_conflict_rules(actor=here.actor, store=store)
    emit({"rules": [asdict(one) for one in found]}, as_json=as_json, show=lambda: _rules(found))


@app.command("set-rule")
@command
async def set_rule(
    field: Annotated[str, typer.Argument(metavar="FIELD", help="A field's name, or * for every other one.")],
    choice: ChoiceOf,
    *,
    store: Annotated[str | None, typer.Option("--store", help="For this store alone.")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Set how conflicts of later pushes on a field are settled, by themselves.

    \b
    Examples:
      syncline conflicts set-rule price ours --store summer
      syncline conflicts set-rule tags merge
      syncline conflicts set-rule "*" theirs
    """
    async with open_workspace(data_dir, tenant) as here:
        made = await here.contract(Commerce).set_conflict_rule(
            actor=here.actor, field=field, choice=choice, store=store
        )
    emit(asdict(made), as_json=as_json, show=lambda: _rules([made]))


@app.command("remove-rule")
@command
async def remove_rule(
    rule: Annotated[UUID, typer.Argument(metavar="RULE", help="Its id, from `syncline conflicts rules`.")],
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove a rule. What it settled stays settled.

    \b
    Examples:
      syncline conflicts remove-rule 019a2b3c-4d5e-7f60-8123-456789abcdef
    """
    async with open_workspace(data_dir, tenant) as here:
        await here.contract(Commerce).remove_conflict_rule(actor=here.actor, rule_id=rule)
    emit({"removed": str(rule)}, as_json=as_json, show=lambda: f"Rule {rule} was removed.")
