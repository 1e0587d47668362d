"""`syncline verify`: checks a running installation from end to end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group as Stack
from rich.console import RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.kernel.errors import InvalidInput, Unavailable
from syncline.main.cli.console import AsJson, DataDir, ExitCode, TenantSlug, command, emit, table
from syncline.main.cli.workspace import open_workspace
from syncline.main.verification.finding import Finding, Group, Verdict, is_well
from syncline.main.verification.verify import verify_here, verify_there

app = typer.Typer(add_completion=False, rich_markup_mode="rich")

_SIGNS = {
    Verdict.OK: ("✓", "green"),
    Verdict.WARN: ("!", "yellow"),
    Verdict.FAIL: ("✗", "bold red"),
    Verdict.SKIP: ("–", "dim"),
}
_DEPTHS = ("counts", "ids", "content")


@app.command()
@command
async def verify(
    *,
    url: Annotated[str | None, typer.Option(help="Where it listens: then its API is checked too.")] = None,
    key: Annotated[
        str | None,
        typer.Option(envvar="SYNCLINE_KEY", help="With --url: look through the API alone, as at another machine's."),
    ] = None,
    reconcile: Annotated[
        str | None, typer.Option(metavar="DEPTH", help="Also compare every store now: counts, ids or content.")
    ] = None,
    patience: Annotated[float, typer.Option(min=1, max=600, help="Seconds in which a worker must do a job.")] = 10,
    everything: Annotated[bool, typer.Option("--all", help="Show each rule that holds, not only how many.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count: exit code 1 for them too.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Check a running installation from end to end: components, API, integrity, stores, schedules.

    `syncline doctor` asks whether this machine can run Syncline; this asks whether an installation that runs does its
    work: a worker takes a job, the API answers and refuses, records fit together, stores agree, nothing is overdue.
    It changes no data: it enqueues a job that does nothing and, with --url, makes a key and revokes it. Exit code 0
    only if nothing failed.

    \b
    Examples:
      syncline verify
      syncline verify --url http://127.0.0.1:8080 --reconcile counts
      syncline verify --url https://sync.example.com --key "$KEY"
      syncline verify --json | jq '.findings[] | select(.verdict == "fail")'
    """
    if reconcile is not None and reconcile not in _DEPTHS:
        raise InvalidInput(f"There is no depth {reconcile!r}; use counts, ids or content.")
    if key is not None and url is None:
        raise InvalidInput("A key is for an API: say where it listens with --url.")
    if url is not None and not url.startswith(("http://", "https://")):
        raise InvalidInput("Give --url with its scheme, like http://127.0.0.1:8080.")
    if url is not None and key is not None:
        findings = await verify_there(url=url, key=key, reconcile=reconcile)
    else:
        findings = await _here(data_dir, tenant, url, reconcile, timedelta(seconds=patience))
    well = is_well(findings, strict=strict)
    body = {"success": well, "findings": [asdict(one) for one in findings]}
    emit(body, as_json=as_json, show=lambda: verification_view(findings, everything=everything))
    if not well:
        raise typer.Exit(ExitCode.FAILED)


async def _here(
    data_dir: Path | None, tenant: str, url: str | None, reconcile: str | None, patience: timedelta
) -> list[Finding]:
    try:
        async with open_workspace(data_dir, tenant) as here:
            return await verify_here(
                here.runtime, here.settings, here.actor, url=url, reconcile=reconcile, patience=patience
            )
    except Unavailable as error:
        return [Finding(Group.COMPONENTS, "database", Verdict.FAIL, "cannot be used", error.sentence)]


def verification_view(findings: Sequence[Finding], *, everything: bool = False) -> RenderableType:
    shown = list(findings if everything else _in_short(findings))
    rows: list[tuple[Text, Text]] = []
    for group, ones in groupby(shown, key=lambda one: one.group):
        rows.append((Text(group.value, style="bold"), Text()))
        rows += [(Text.assemble(_SIGNS[one.verdict], f" {one.what}"), _told(one)) for one in ones]
    made = table(("checked", "found"), rows)
    for column in made.columns:
        column.overflow = "fold"
    return Stack(made, _sum(findings))


def _told(one: Finding) -> Text:
    """What was found and, below it, what to do."""
    found = Text(one.found, style="dim" if one.verdict is Verdict.SKIP else "")
    return found.append(f"\n→ {one.advice}", style=_SIGNS[one.verdict][1]) if one.advice else found


def _in_short(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Rules that hold, and those left out for one reason, are one line a store."""
    for group in Group:
        yield from (one for one in findings if one.group is group and not _is_rule(one))
        if group is Group.INTEGRITY:
            yield from _rules_in_short([one for one in findings if _is_rule(one)])


def _rules_in_short(rules: Sequence[Finding]) -> Iterator[Finding]:
    counts = Counter((_store(one), one.verdict, one.found) for one in rules)
    for (store, verdict, found), count in counts.items():
        words = "rules hold" if verdict is Verdict.OK else "rules were left out"
        reason = "" if verdict is Verdict.OK else found
        yield Finding(Group.INTEGRITY, f"{store}: {count} {words}", verdict, reason)


def _is_rule(one: Finding) -> bool:
    return one.group is Group.INTEGRITY and ": " in one.what and one.verdict in {Verdict.OK, Verdict.SKIP}


def _store(one: Finding) -> str:
    return one.what.partition(": ")[0]


def _sum(findings: Sequence[Finding]) -> Text:
    counts = Counter(one.verdict for one in findings)
    told = ", ".join(f"{counts[one]:,} {one.value}" for one in Verdict if counts[one])
    word, style = "All is well. ", "bold green"
    if counts[Verdict.WARN]:
        word, style = "Nothing failed, but look at the warnings. ", "bold yellow"
    if counts[Verdict.FAIL]:
        word, style = "Not well. ", "bold red"
    return Text.assemble((word, style), f"{len(findings)} checks: {told}.")
