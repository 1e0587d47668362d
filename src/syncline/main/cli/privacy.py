"""`syncline privacy`: what people may ask about their data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT, Choices, Erasure, ErasurePlan, KeyRing, SubjectRef
from syncline.kernel.errors import Conflict, InvalidInput
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.outcome import status_text
from syncline.main.cli.working import follow, working
from syncline.main.cli.workspace import Workspace, open_workspace

app = command_group("Export and erase somebody's data, record consents, say how long data is kept.")

Whom = Annotated[
    str, typer.Argument(metavar="WHOM", help="An e-mail address, the id of a person, or STORE/NUMBER of a customer.")
]
UntilPulled = Annotated[
    bool, typer.Option("--until-pulled", help="Let the store bring the same records back with its next pull.")
]


def _subject(text: str) -> SubjectRef:
    if "@" in text:
        return SubjectRef(email=text)
    store, slash, number = text.rpartition("/")
    if slash and number.isdecimal():
        return SubjectRef(store=store, customer=int(number))
    try:
        return SubjectRef(user_id=UUID(text))
    except ValueError as error:
        raise InvalidInput(
            f"{text!r} is neither an e-mail address, nor the id of a person, nor a customer like summer/6812345678."
        ) from error


@app.command()
@command
async def export(
    whom: Whom,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The ZIP to write.", dir_okay=False)],
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write all that is held of somebody to a ZIP: JSON and CSV of each kind, and a manifest.

    \b
    Examples:
      syncline privacy export ada@example.com ada.zip
      syncline privacy export summer/6812345678 customer.zip --json
    """
    if file.exists():
        raise Conflict(f"{file} is there already. Give another name, or remove it first.")
    async with open_workspace(data_dir, tenant) as here:
        with file.open("xb") as opened:
            file.chmod(0o600)
            manifest = await here.contract(KeyRing).export_person(actor=here.actor, subject=_subject(whom), file=opened)
    rows = [(app_name, kind, n) for app_name, kinds in manifest["counts"].items() for kind, n in kinds.items()]

    def show() -> RenderableType:
        told = Text(f"{manifest['records']:,} records in {file}.")
        return Group(table(("app", "what", ">records"), rows), told) if rows else "Nothing is held of them here."

    emit({**manifest, "file": str(file)}, as_json=as_json, show=show)


@app.command()
@command
async def erase(
    whom: Whom,
    *,
    reason: Annotated[str, typer.Option(help="Why, without an address: it is kept.")] = "Asked for by the person",
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without this, only what would be done is shown.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and no more.")] = False,
    until_pulled: UntilPulled = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Erase somebody from every app. Shows what it would do, and does it with --yes. It cannot be undone.

    \b
    Examples:
      syncline privacy erase ada@example.com
      syncline privacy erase ada@example.com --yes --reason "Letter of 3 November"
      syncline privacy erase summer/6812345678 --yes --json
    """
    subject = _subject(whom)
    async with open_workspace(data_dir, tenant) as here:
        desk = here.contract(KeyRing)
        if dry_run or not yes:
            found = await desk.plan_erasure(actor=here.actor, subject=subject, keep_out=not until_pulled)
            emit({**asdict(found), "total": found.total}, as_json=as_json, show=lambda: _plan_view(found))
            return
        made = await desk.start_erasure(actor=here.actor, subject=subject, reason=reason, keep_out=not until_pulled)
        async with working(here):
            ended = await _see_through(here, made.id)
    emit(asdict(ended), as_json=as_json, show=lambda: erasure_table([ended], steps=True))


async def _see_through(here: Workspace, erasure_id: UUID) -> Erasure:
    return await follow(
        lambda: here.contract(KeyRing).get_erasure(actor=here.actor, erasure_id=erasure_id),
        show=lambda _: None,
        is_final=lambda one: one.status == "completed",
    )


def _plan_view(found: ErasurePlan) -> RenderableType:
    rows = [(step.app, what, count) for step in found.steps for what, count in (step.counts or {}).items()]
    told: list[RenderableType] = [table(("app", "what", ">rows"), rows)] if rows else ["Nothing is held of them here."]
    told += [Text(sentence, style="yellow") for sentence in found.objections]
    if rows and not found.objections:
        told.append(Text("Nothing was changed. To do it, add --yes.", style="dim"))
    return Group(*told)


def erasure_table(found: Sequence[Erasure], *, steps: bool = False) -> RenderableType:
    rows = (
        (one.id, status_text(one.status), one.reason, one.requested_by, one.created_at, one.reference[:12])
        for one in found
    )
    made = table(("erasure", "status", "reason", "by", "asked for", "of"), rows)
    if not steps:
        return made
    done = [(s.app, what, n) for one in found for s in one.steps for what, n in (s.counts or {}).items()]
    return Group(made, table(("app", "what", ">rows"), done))


@app.command()
@command
async def erasures(
    whom: Annotated[str | None, typer.Argument(metavar="[WHOM]", help="Only theirs.", show_default=False)] = None,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List erasures, newest first; or see whether somebody was erased.

    \b
    Examples:
      syncline privacy erasures
      syncline privacy erasures ada@example.com --json
    """
    async with open_workspace(data_dir, tenant) as here:
        subject = None if whom is None else _subject(whom)
        found = await here.contract(KeyRing).list_erasures(actor=here.actor, subject=subject)
    value = {"erasures": [asdict(one) for one in found]}
    emit(value, as_json=as_json, show=lambda: erasure_table(found) if found else "None.")


@app.command()
@command
async def replay(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The list; the installation's own, when left out.")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which, and change nothing.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """After a backup was restored: erase again whom it brought back. Run it before anybody works.

    Each erasure is in a list outside of the database; those that the database has not done are done again.

    \b
    Examples:
      syncline privacy replay --dry-run
      syncline privacy replay /backups/erasures.jsonl
    """
    path = None if file is None else str(file)
    async with open_workspace(data_dir) as here:
        desk = here.contract(KeyRing)
        found = await desk.replay_erasures(path=path, is_dry_run=dry_run)
        if found.started and not dry_run:
            async with working(here):
                await follow(
                    lambda: desk.count_unfinished(started=found), show=lambda _: None, is_final=lambda left: not left
                )

    def show() -> RenderableType:
        verb = "would be done" if dry_run else "were done"
        told = f"{len(found.started):,} erasures {verb} again; {found.done_before:,} the database had done."
        return told + (f" {found.of_no_tenant:,} are of tenants that are not here." if found.of_no_tenant else "")

    emit({**asdict(found), "dry_run": dry_run}, as_json=as_json, show=show)


@app.command()
@command
async def consent(
    whom: Whom,
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help="What it is about, like newsletter.")],
    *,
    version: Annotated[str, typer.Option(help="Which wording.")],
    method: Annotated[str, typer.Option(help="How they said so: web form, paper, phone.")],
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="It is taken back.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Record that somebody agreed to something, or took it back. Nothing recorded before is changed.

    \b
    Examples:
      syncline privacy consent ada@example.com newsletter --version 2026-11 --method "web form"
      syncline privacy consent ada@example.com newsletter --version 2026-11 --method phone --withdrawn
    """
    async with open_workspace(data_dir, tenant) as here:
        made = await here.contract(KeyRing).record_consent(
            actor=here.actor,
            subject=_subject(whom),
            document=document,
            version=version,
            is_given=not withdrawn,
            method=method,
        )
    told = "given" if made.is_given else "withdrawn"
    emit(asdict(made), as_json=as_json, show=lambda: f"{made.document} {made.version}: {told}.")


@app.command()
@command
async def choices(
    whom: Whom, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Show what somebody agreed to, and whether their data may be sold or shared.

    \b
    Examples:
      syncline privacy choices ada@example.com
      syncline privacy choices summer/6812345678 --json
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(KeyRing).choices_of(actor=here.actor, subject=_subject(whom))
    emit(asdict(found), as_json=as_json, show=lambda: _choices_view(found))


@app.command("do-not-sell")
@command
async def do_not_sell(
    whom: Whom,
    *,
    off: Annotated[bool, typer.Option("--off", help="End it.")] = False,
    method: Annotated[str, typer.Option(help="How they said so: web form, paper, phone.")] = "told us",
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Have somebody's data neither sold nor shared (CCPA), or end that.

    \b
    Examples:
      syncline privacy do-not-sell ada@example.com --method "web form"
      syncline privacy do-not-sell ada@example.com --off
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(KeyRing).choose_sale(
            actor=here.actor, subject=_subject(whom), may_not_be_sold=not off, method=method
        )
    emit(asdict(found), as_json=as_json, show=lambda: _choices_view(found))


def _choices_view(found: Choices) -> RenderableType:
    sale = "May be neither sold nor shared." if found.may_not_be_sold else "Did not opt out of sale and sharing."
    rows = (
        (one.at, one.document, one.version, "given" if one.is_given else "withdrawn", one.method, one.recorded_by)
        for one in found.history
    )
    columns = ("at", "document", "version", "", "how", "recorded by")
    return Group(*([table(columns, rows)] if found.history else []), Text(sale))


@app.command()
@command
async def retention(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what is too old, and remove nothing.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove now what is kept too long, as it is done each night; or list the rules and what each would remove.

    \b
    Examples:
      syncline privacy retention --dry-run
      syncline privacy retention --json
    """
    async with open_workspace(data_dir, tenant) as here:
        desk = here.contract(KeyRing)
        removed = {} if dry_run else await desk.apply_retention(actor=here.actor)
        rules = await desk.list_retention(actor=here.actor, counted=dry_run)
    counts = {one.name: one.found if dry_run else removed.get(one.name, 0) for one in rules}
    listed = ((one.name, one.about, one.days or "for ever", counts[one.name]) for one in rules)
    columns = ("rule", "what", ">days", ">would go" if dry_run else ">removed")
    value = {"dry_run": dry_run, "counts": counts, "rules": [asdict(one) for one in rules]}
    emit(value, as_json=as_json, show=lambda: table(columns, listed))


@app.command()
@command
async def keep(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="Its name, from `privacy retention --dry-run`.")],
    *,
    days: Annotated[int | None, typer.Option(min=1, help="So many days.")] = None,
    for_ever: Annotated[bool, typer.Option("--for-ever", help="It is never removed.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say how long a kind of data is kept in this tenant.

    \b
    Examples:
      syncline privacy keep commerce.order_contacts --days 3650
      syncline privacy keep commerce.changes --for-ever
    """
    if (days is None) != for_ever:
        raise InvalidInput("Say how long, in one of two ways: --days 365, or --for-ever.")
    async with open_workspace(data_dir, tenant) as here:
        made = await here.contract(KeyRing).set_retention(actor=here.actor, rule=rule, days=days)
    told = "for ever" if made.days is None else f"for {made.days:,} days"
    emit(asdict(made), as_json=as_json, show=lambda: f"{made.name} is kept {told}.")
