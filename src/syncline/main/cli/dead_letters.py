"""`syncline dead-letters`: what failed for good, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.kernel.errors import InvalidInput
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import TenantId
from syncline.main.cli.console import AsJson, DataDir, command, command_group, emit, table, to_json
from syncline.main.cli.workspace import open_workspace
from syncline.runtime.db.session import Session
from syncline.runtime.letters import Letter, LetterKind, LetterQuery, Letters

app = command_group("Look at jobs, events and webhooks that were given up; retry or discard them.")

Kind = Annotated[LetterKind | None, typer.Option("--kind", help="Only jobs, only events, or only webhooks.")]
Name = Annotated[str | None, typer.Option("--name", help="Part of what it is: the job, the event, the topic.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Part of its reason, whatever the capitals.")]
Tenant = Annotated[UUID | None, typer.Option("--tenant", help="Only this tenant's, by its id.")]
Since = Annotated[datetime | None, typer.Option("--since", help="Given up at this moment (UTC) or later.")]
Until = Annotated[datetime | None, typer.Option("--until", help="Given up before this moment (UTC).")]
Ids = Annotated[
    list[UUID] | None, typer.Argument(metavar="[LETTER]...", help="Their ids, from the list.", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="All that are open, narrowed by the options beside it.")]
_MOST = 10_000


@app.command("list")
@command
async def list_them(
    *,
    kind: Kind = None,
    name: Name = None,
    reason: Reason = None,
    tenant: Tenant = None,
    since: Since = None,
    until: Until = None,
    retried: Annotated[bool, typer.Option("--retried", help="Also those that were retried.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="At most so many, latest first.")] = 50,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what was given up, latest first, of every tenant.

    \b
    Examples:
      syncline dead-letters list
      syncline dead-letters list --kind event --json | jq -r '.letters[].reason'
      syncline dead-letters list --name push --reason "did not answer" --since 2026-11-22T08:00:00
    """
    query = replace(_query(kind, name, reason, tenant, since, until), retried=retried)
    async with open_workspace(data_dir) as here, here.runtime.database.system() as session:
        found = await here.runtime.letters.list(session, PageRequest(limit=limit), query)
    letters, total = found.items, found.total
    body = {"letters": [asdict(letter) for letter in letters], "total": total}
    nothing = "None: nothing was given up." if query == LetterQuery(retried=retried) else "None of what you asked for."
    emit(body, as_json=as_json, show=lambda: _table(letters, total) if letters else nothing)


@app.command()
@command
async def show(
    letter: Annotated[UUID, typer.Argument(metavar="LETTER", help="Its id, from the list.")],
    *,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show one with its reason and payload.

    \b
    Examples:
      syncline dead-letters show 01a20193-4e72-70e7-a846-5fae67bee546
    """
    async with open_workspace(data_dir) as here, here.runtime.database.system() as session:
        found = await here.runtime.letters.get(session, letter)
    emit(asdict(found), as_json=as_json, show=lambda: _whole(found))


@app.command()
@command
async def retry(
    letters: Ids = None,
    *,
    everything: All = False,
    kind: Kind = None,
    name: Name = None,
    reason: Reason = None,
    tenant: Tenant = None,
    since: Since = None,
    until: Until = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Have them tried again by the next worker, with all their attempts before them. Mend the cause first.

    \b
    Examples:
      syncline dead-letters retry 01a20193-4e72-70e7-a846-5fae67bee546
      syncline dead-letters retry --all --kind job
      syncline dead-letters retry --all --reason "did not answer"
    """
    query = _query(kind, name, reason, tenant, since, until)
    async with open_workspace(data_dir) as here, here.runtime.database.system() as session:
        chosen = await _chosen(here.runtime.letters, session, letters, query, everything=everything)
        count = await here.runtime.letters.retry(session, chosen)
    emit({"retried": count}, as_json=as_json, show=lambda: f"{count:,} will be tried again by the next worker.")


@app.command()
@command
async def discard(
    letters: Ids = None,
    *,
    everything: All = False,
    kind: Kind = None,
    name: Name = None,
    reason: Reason = None,
    tenant: Tenant = None,
    since: Since = None,
    until: Until = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove them for good: what they were to do is never done.

    \b
    Examples:
      syncline dead-letters discard 01a20193-4e72-70e7-a846-5fae67bee546
      syncline dead-letters discard --all --kind event --yes
    """
    query = _query(kind, name, reason, tenant, since, until)
    async with open_workspace(data_dir) as here:
        async with here.runtime.database.system() as session:
            chosen = await _chosen(here.runtime.letters, session, letters, query, everything=everything)
        if chosen and not yes:
            typer.confirm(f"Discard {len(chosen):,} for good", abort=True, err=True)
        async with here.runtime.database.system() as session:
            count = await here.runtime.letters.discard(session, chosen)
    emit({"discarded": count}, as_json=as_json, show=lambda: f"{count:,} discarded.")


def _query(
    kind: LetterKind | None,
    name: str | None,
    reason: str | None,
    tenant: UUID | None,
    since: datetime | None,
    until: datetime | None,
) -> LetterQuery:
    return LetterQuery(
        kind=kind,
        name=name,
        reason=reason,
        tenant=None if tenant is None else TenantId(tenant),
        since=None if since is None else since.replace(tzinfo=UTC),
        until=None if until is None else until.replace(tzinfo=UTC),
    )


async def _chosen(
    letters: Letters, session: Session, ids: Sequence[UUID] | None, query: LetterQuery, *, everything: bool
) -> Sequence[Letter]:
    if bool(ids) == everything:
        raise InvalidInput("Say which: ids from `syncline dead-letters list`, or --all.")
    if ids and query != LetterQuery():
        raise InvalidInput("Ids name the letters already; leave the other options out, or give --all instead of ids.")
    if ids:
        return [await letters.get(session, one) for one in ids]
    return (await letters.list(session, PageRequest(limit=_MOST), query)).items


def _table(letters: Sequence[Letter], total: int) -> RenderableType:
    rows = ((one.id, one.kind, one.name, one.attempts, one.last_at, one.reason) for one in letters)
    parts: list[RenderableType] = [table(("letter", "kind", "what", ">attempts", "given up", "reason"), rows)]
    if total > len(letters):
        parts.append(Text(f"and {total - len(letters):,} more; --limit shows them", style="dim"))
    return Group(*parts, Text("Mend the cause, then: syncline dead-letters retry LETTER", style="dim"))


def _whole(letter: Letter) -> RenderableType:
    facts = (
        ("letter", letter.id),
        ("kind", letter.kind),
        ("what", letter.name),
        ("tenant", letter.tenant_id),
        ("attempts", letter.attempts),
        ("first tried", letter.first_at),
        ("given up", letter.last_at),
        ("retried", letter.retried_at),
        ("asked for by", letter.correlation_id),
        ("reason", letter.reason),
        ("payload", json.dumps(letter.payload, ensure_ascii=False, default=to_json)),
    )
    return table(("", ""), facts)
