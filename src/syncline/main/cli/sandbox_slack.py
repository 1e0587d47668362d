"""`syncline sandbox slack`: incoming webhooks of a workspace that is not there."""

from __future__ import annotations

from collections import deque
from typing import Annotated

import typer

from syncline.kernel.errors import InvalidInput
from syncline.main.cli.console import AsJson, command
from syncline.main.cli.sandbox_serving import serve_double
from syncline.main.listening import listen, local_url
from syncline.main.sandbox_process import die_with_parent
from syncline.runtime.observe import logs
from syncline.sandbox.slack.app import STATUSES, Workspace, create_app

_WORDS = (*STATUSES, "rate_limited")


@command
async def slack(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8092,
    limits: Annotated[bool, typer.Option("--limits/--no-limits", help="Whether requests are limited at all.")] = True,
    faults: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD", help='What it answers first, e.g. "channel_is_archived"; may be repeated.'),
    ] = None,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
    as_json: AsJson = False,
) -> None:
    """Run a Slack workspace that is not there: one incoming webhook, which shows what it took.

    With --json one line is printed when it listens: {"url", "webhook", "messages"}. A webhook on this machine is called
    only where SYNCLINE_OUTGOING_ALLOW names its address.

    \b
    Examples:
      syncline sandbox slack
      syncline sandbox slack --port 0 --faults rate_limited --faults channel_is_archived
    """
    strange = [word for word in faults or () if word not in _WORDS]
    if strange:
        raise InvalidInput(f"Slack does not answer {strange[0]!r}; it may answer {', '.join(_WORDS)}.")
    if parent is not None:
        die_with_parent(parent)
    logs.configure(level="WARNING", pretty=None)
    workspace = Workspace(faults=deque(faults or ()), limits=limits)
    (path,) = workspace.webhooks
    with listen(host, port) as listener:
        url = local_url(host, listener.getsockname()[1])
        facts = {"url": url, "webhook": f"{url}{path}", "messages": f"{url}/_sandbox/messages"}
        await serve_double(
            create_app(workspace), listener, facts, parent=parent, as_json=as_json, show=lambda: _welcome(facts)
        )


def _welcome(facts: dict[str, str]) -> str:
    return "\n".join([
        "[green]Slack sandbox[/green]",
        f"webhook   {facts['webhook']}",
        f"messages  {facts['messages']}",
        "Ctrl-C stops it.",
    ])  # fmt: skip
