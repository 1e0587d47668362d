"""`syncline audit`: who did what, and whether the trail is as it was written."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import RenderableType

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.kernel.errors import Conflict, InvalidInput
from syncline.kernel.paging import PageRequest
from syncline.main.cli.console import AsJson, DataDir, ExitCode, TenantSlug, command, command_group, emit, table
from syncline.main.cli.workspace import open_workspace
from syncline.runtime.audit import export as files
from syncline.runtime.audit.entry import ChainEnd
from syncline.runtime.audit.export import TrailFormat, plain
from syncline.runtime.audit.trail import EntryQuery, list_entries, read_entries
from syncline.runtime.audit.verification import Verification
from syncline.runtime.audit.verification import verify as verify_trail

app = command_group("Search, export and verify the audit trail.")

Who = Annotated[str | None, typer.Option("--actor", help="Who, exactly.")]
What = Annotated[str | None, typer.Option("--action", help="What, or a part of it.")]
On = Annotated[str | None, typer.Option("--subject", help="To what, or a part of it.")]
Since = Annotated[datetime | None, typer.Option(help="From this moment on (UTC).")]
Until = Annotated[datetime | None, typer.Option(help="Up to this moment, without it (UTC).")]


_END = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


@app.command("list")
@command
async def list_them(
    *,
    actor: Who = None,
    action: What = None,
    subject: On = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, latest first.")] = 50,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what was done, latest first.

    \b
    Examples:
      syncline audit list --actor "nightly export"
      syncline audit list --action /api/keys --since 2026-11-01 --json
    """
    query = EntryQuery(actor=actor, action=action, subject=subject, since=_utc(since), until=_utc(until))
    async with open_workspace(data_dir, tenant) as here, here.runtime.database.reading(here.tenant.id) as session:
        found = await list_entries(session, query, PageRequest(limit=limit))

    def show() -> RenderableType:
        if not found.items:
            return "Nothing was recorded that matches."
        rows = ((e.number, e.at, e.actor, e.action, e.subject, e.outcome, e.address) for e in found.items)
        return table((">entry", "at", "who", "what", "to what", "outcome", "from"), rows)

    emit({"entries": [plain(one) for one in found.items], "total": found.total}, as_json=as_json, show=show)


@app.command()
@command
async def verify(
    *,
    expect: Annotated[
        str | None, typer.Option(metavar="NUMBER:HASH", help="An end noted earlier, as this command prints it.")
    ] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Find every entry that was changed, removed or put in, and name it. Exit code 1 when there is one.

    Whoever owns the database could make the whole chain anew; an end that was noted elsewhere shows that too.

    \b
    Examples:
      syncline audit verify
      syncline audit verify --expect 4711:9f2c6d...
    """
    noted = None if expect is None else _noted(expect)
    async with open_workspace(data_dir, tenant) as here, here.runtime.database.reading_still(here.tenant.id) as session:
        found = await verify_trail(session, noted)
    end = "" if found.end is None else f"{found.end.number}:{found.end.hash.hex()}"
    body = {
        "whole": found.is_whole,
        "entries": found.entries,
        "end": end,
        "findings": [
            {"what": f.what, "first": f.first, "last": f.last, "sentence": f.sentence} for f in found.findings
        ],
    }
    emit(body, as_json=as_json, show=lambda: _verdict(found, end))
    if not found.is_whole:
        raise typer.Exit(ExitCode.FAILED)


def _verdict(found: Verification, end: str) -> RenderableType:
    if not found.is_whole:
        return "\n".join(finding.sentence for finding in found.findings)
    if not found.entries:
        return "The trail is whole: nothing was recorded yet."
    return f"The trail is whole: {found.entries:,} entries. Note its end elsewhere: {end}"


def _noted(text: str) -> ChainEnd:
    found = _END.fullmatch(text.strip())
    if found is None:
        raise InvalidInput("--expect takes what `syncline audit verify` printed, like 4711:9f2c6d…")
    return ChainEnd(int(found[1]), bytes.fromhex(found[2]))


@app.command()
@command
async def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; - is standard output.", dir_okay=False)],
    *,
    form: Annotated[TrailFormat | None, typer.Option("--format", help="By the file's ending, when left out.")] = None,
    actor: Who = None,
    action: What = None,
    subject: On = None,
    since: Since = None,
    until: Until = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write the trail to a file, the oldest first: CSV, or a JSON object a line.

    \b
    Examples:
      syncline audit export trail.csv --since 2026-11-01
      syncline audit export - --format jsonl | jq .action
    """
    chosen = form or (TrailFormat.JSONL if file.suffix in {".jsonl", ".ndjson"} else TrailFormat.CSV)
    query = EntryQuery(actor=actor, action=action, subject=subject, since=_utc(since), until=_utc(until))
    if str(file) != "-" and file.exists():
        raise Conflict(f"{file} is there already. Choose another name, or remove it.")
    async with open_workspace(data_dir, tenant) as here, here.runtime.database.reading_still(here.tenant.id) as session:
        written = files.lines(read_entries(session, query), chosen)
        if str(file) == "-":
            await _write(sys.stdout, written)
            return
        with file.open("x", encoding="utf-8", newline="") as target:
            await _write(target, written)
    emit({"file": str(file)}, as_json=as_json, show=lambda: f"Written to {file}.")


async def _write(target: TextIO, written: files.Lines) -> None:
    async for line in written:
        target.write(line)
