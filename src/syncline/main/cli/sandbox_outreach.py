"""`syncline sandbox outreach`: lemlist, Smartlead, Mixpanel and Attio on one address."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from syncline.kernel.errors import InvalidInput
from syncline.main.cli.console import AsJson, command, say
from syncline.main.cli.sandbox_serving import serve_double
from syncline.main.listening import listen, local_url
from syncline.main.sandbox_process import die_with_parent
from syncline.runtime.observe import logs
from syncline.sandbox.together import Town


@command
async def outreach(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8091,
    events: Annotated[int, typer.Option(min=0, help="How many events lemlist and Smartlead have together.")] = 20_000,
    campaigns: Annotated[int, typer.Option(min=2, help="How many campaigns both have together.")] = 20,
    days: Annotated[int, typer.Option(min=10, help="How far back they go.")] = 365,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When the story ends; now.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed and --until make the same events.")] = 1,
    limits: Annotated[bool, typer.Option("--limits/--no-limits", help="Whether requests are limited at all.")] = True,
    faults: Annotated[
        list[str] | None, typer.Option(help='What goes wrong, e.g. "mixpanel:throttle=3,slow=2s"; may be repeated.')
    ] = None,
    switches: Annotated[
        list[str] | None,
        typer.Option("--set", help='How a double behaves, e.g. "smartlead:plan=pro"; may be repeated.'),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(file_okay=False, help="Where each keeps its file; temporary files otherwise.")
    ] = None,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
    as_json: AsJson = False,
) -> None:
    """Run lemlist, Smartlead, Mixpanel and Attio that are not there, with campaigns, mails, opens and replies.

    With --json one line is printed when it listens: {"url", "lemlist": {"url", "key"}, "smartlead", "mixpanel",
    "attio", "events": {"lemlist", "smartlead"}}.

    \b
    Examples:
      syncline sandbox outreach
      syncline sandbox outreach --events 1000000 --campaigns 200 --no-limits
      syncline sandbox outreach --faults "mixpanel:http_503=1%,drop_after=2" --set smartlead:statistics=aggregate
    """
    if parent is not None:
        die_with_parent(parent)
    logs.configure(level="WARNING", pretty=None)
    if parent is None:
        say(f"Making {events:,} events…", style="dim")
    until_ms = None if until is None else round(until.replace(tzinfo=UTC).timestamp() * 1000)
    make = partial(
        Town.make,
        events=events,
        campaigns=campaigns,
        days=days,
        seed=seed,
        until_ms=until_ms,
        limits=limits,
        folder=folder,
    )
    with listen(host, port) as listener:
        town = await asyncio.to_thread(make)
        _behave(town, faults or [], switches or [])
        url = local_url(host, listener.getsockname()[1])
        made = {one.name: one.store.counts()["events"] for one in (town.lemlist, town.smartlead)}
        facts = {"url": url, **town.addresses(url), "events": made}
        await serve_double(
            town.app(), listener, facts, parent=parent, as_json=as_json, show=lambda: _welcome(town, url, made)
        )


def _behave(town: Town, faults: Sequence[str], switches: Sequence[str]) -> None:
    try:
        town.break_with(faults)
        town.switch(switches)
    except (ValueError, TypeError) as error:
        raise InvalidInput(str(error)) from error


def _welcome(town: Town, url: str, made: dict[str, int]) -> str:
    where = town.addresses(url)
    lemlist, smartlead, mixpanel, attio = (where[name] for name in ("lemlist", "smartlead", "mixpanel", "attio"))
    service = f"--project {mixpanel['project_id']} --user {mixpanel['username']} --key {mixpanel['password']}"
    return "\n".join([
        f"[green]Outreach sandbox[/green]: {made['lemlist']:,} events in lemlist, {made['smartlead']:,} in Smartlead",
        "Connect it from another terminal, then sync:",
        f"  syncline outreach connect lemlist --url {lemlist['url']} --key {lemlist['key']}",
        f"  syncline outreach connect smartlead --url {smartlead['url']} --key {smartlead['key']}",
        f"  syncline outreach connect mixpanel --url {mixpanel['url']} {service}",
        f"  syncline outreach connect attio --url {attio['url']} --key {attio['token']}",
        "  syncline outreach sync full_historical",
        f"Smartlead signs its webhooks with {smartlead['webhook_secret']}. Ctrl-C stops it.",
    ])  # fmt: skip
