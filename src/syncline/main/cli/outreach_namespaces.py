"""`syncline outreach namespaces`: parts of the outreach that are kept apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.outreach.contract import MatchedNamespace, Namespace, NamespaceStats, Outreach
from syncline.kernel.errors import InvalidInput
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, cell_text, command, command_group, emit, table
from syncline.main.cli.workspace import open_workspace

app = command_group("List, make and change namespaces, count what they hold, and see where campaigns go.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The namespace's name.")]
Keywords = Annotated[
    list[str] | None,
    typer.Option("--keyword", metavar="WORD", help="Looked for in campaigns' names; may be repeated."),
]


def _listed(found: Sequence[Namespace]) -> RenderableType:
    if not found:
        return "No namespaces: all is “default”. Make one with: syncline outreach namespaces create NAME --keyword …"
    rows = (
        (one.name, ", ".join(one.keywords) or "–", one.is_active, one.description or "–", one.created_at)
        for one in found
    )
    return table(("name", "keywords", "active", "description", "made"), rows)


def _figures(found: NamespaceStats) -> RenderableType:
    if not found.events:
        return f"{found.name} holds no events."
    span = " to ".join(f"{at:%Y-%m-%d}" for at in (found.first_event_at, found.last_event_at) if at is not None)
    head = f"{found.name}: {found.events:,} events of {found.people:,} people in {found.campaigns:,} campaigns, {span}"
    return Group(Text(head), _counted("tool", found.by_platform), _counted("event", found.by_type))


def _counted(what: str, counts: Mapping[str, int]) -> RenderableType:
    rows = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return table((what, ">events"), rows)


def _matched(found: Sequence[MatchedNamespace]) -> RenderableType:
    rows = ((one.campaign, one.namespace, one.keyword or "none of the keywords") for one in found)
    return table(("campaign", "goes to", "because of"), rows)


def _one(verb: str, made: Namespace) -> RenderableType:
    return Group(Text.assemble(cell_text(made.name), f" was {verb}."), _listed([made]))


@app.command("list")
@command
async def list_namespaces(
    *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """List the namespaces, in the order in which campaigns' names are matched: the oldest first.

    \b
    Examples:
      syncline outreach namespaces list
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Outreach).list_namespaces(actor=here.actor)
    emit({"namespaces": [asdict(one) for one in found]}, as_json=as_json, show=lambda: _listed(found))


@app.command()
@command
async def create(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A letter, then a-z, 0-9, _ and -, at most 63; it never changes.")
    ],
    *,
    keywords: Keywords = None,
    description: Annotated[str, typer.Option(help="For people.", show_default=False)] = "",
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a namespace. Not needed before use: a name that is not there yet is made on first use, without keywords.

    \b
    Examples:
      syncline outreach namespaces create north --keyword north --keyword nord
    """
    async with open_workspace(data_dir, tenant) as here:
        made = await here.contract(Outreach).create_namespace(
            actor=here.actor, name=name, keywords=keywords or (), description=description
        )
    emit(asdict(made), as_json=as_json, show=lambda: _one("made", made))


@app.command()
@command
async def show(
    name: Name, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Show one namespace.

    \b
    Examples:
      syncline outreach namespaces show north
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Outreach).get_namespace(actor=here.actor, name=name)
    emit(asdict(found), as_json=as_json, show=lambda: _listed([found]))


@app.command()
@command
async def update(
    name: Name,
    *,
    keywords: Keywords = None,
    no_keywords: Annotated[bool, typer.Option("--no-keywords", help="Takes all its keywords away.")] = False,
    description: Annotated[str | None, typer.Option(help="For people.", show_default=False)] = None,
    active: Annotated[
        bool | None,
        typer.Option("--active/--inactive", help="Inactive, it matches no campaign.", show_default=False),
    ] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change a namespace; what is left out stays. --keyword replaces all its keywords. Its name stays for good.

    \b
    Examples:
      syncline outreach namespaces update north --keyword north --keyword scandinavia
      syncline outreach namespaces update north --inactive --json
    """
    if keywords and no_keywords:
        raise InvalidInput("Give --keyword or --no-keywords, not both.")
    if not keywords and not no_keywords and description is None and active is None:
        raise InvalidInput("Say what to change: --keyword, --no-keywords, --description, --active or --inactive.")
    async with open_workspace(data_dir, tenant) as here:
        changed = await here.contract(Outreach).change_namespace(
            actor=here.actor,
            name=name,
            keywords=[] if no_keywords else keywords or None,
            description=description,
            is_active=active,
        )
    emit(asdict(changed), as_json=as_json, show=lambda: _one("changed", changed))


@app.command()
@command
async def stats(
    name: Name, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Count what a namespace holds, by tool and by kind of event.

    \b
    Examples:
      syncline outreach namespaces stats default
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Outreach).namespace_stats(actor=here.actor, name=name)
    emit(asdict(found), as_json=as_json, show=lambda: _figures(found))


@app.command("test-match")
@command
async def test_match(
    campaigns: Annotated[list[str], typer.Argument(metavar="CAMPAIGN...", help="Names of campaigns.")],
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say to which namespaces campaigns of these names would go, and why. Changes nothing.

    \b
    Examples:
      syncline outreach namespaces test-match "North: spring" "Webinar 2026"
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Outreach).match_campaigns(actor=here.actor, campaigns=campaigns)
    emit({"matches": [asdict(one) for one in found]}, as_json=as_json, show=lambda: _matched(found))
