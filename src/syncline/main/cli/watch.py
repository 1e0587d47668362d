"""`syncline watch`: the live stream in a terminal, read from the database; no server is needed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.outreach.sync import telling
from syncline.kernel.errors import InvalidInput
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, console, say
from syncline.main.cli.progress import duration_text, rate_text
from syncline.main.cli.workspace import Workspace, open_workspace
from syncline.runtime.live.hub import Hub
from syncline.runtime.live.message import EVERYTHING, MessageType, check_room
from syncline.runtime.live.watcher import Frame

app = command_group("Watch operations as they run.")
_STYLES = {"warning": "yellow", "error": "red"}


@app.command()
@command
async def watch(
    room: Annotated[
        str, typer.Argument(metavar="[ROOM]", help="tenant, store:NAME, or an operation like pull:ID.")
    ] = EVERYTHING,
    *,
    after: Annotated[int | None, typer.Option(min=0, help="Begin after this id; 0 with the oldest kept.")] = None,
    until_end: Annotated[bool, typer.Option("--until-end", help="End with the operation of the room.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Watch operations as they run: begin, progress, log and end. Ctrl-C ends it.

    \b
    Examples:
      syncline watch
      syncline watch store:summer --after 0
      syncline watch pull:01a2b3c4-0000-7000-8000-000000000000 --until-end --json
      syncline watch outreach:5f1c0d0a-4be3-4f5f-9d1c-6a2b7e8f9a0b --until-end
    """
    check_room(room)
    if until_end and (room == EVERYTHING or room.startswith("store:")):
        raise InvalidInput("--until-end takes the room of one operation, like pull:ID.")
    async with open_workspace(data_dir, tenant) as here:
        await _follow(here, room, after, until_end=until_end, as_json=as_json)


async def _follow(here: Workspace, room: str, after: int | None, *, until_end: bool, as_json: bool) -> None:
    hub, ended, stop = Hub(here.runtime.database), asyncio.Event(), asyncio.Event()

    async def take(frame: Frame) -> None:
        message: dict[str, Any] = msgspec.json.decode(frame.event.partition(b"data: ")[2])
        try:
            _show(message, frame.event, as_json=as_json)
        except BrokenPipeError:
            # Who read it, like `head`, has seen enough. Nothing may be left for Python to write as it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ended.set()
            return
        if until_end and message["type"] == MessageType.COMPLETE:
            ended.set()

    running = asyncio.create_task(hub.run(stop))
    watcher = hub.enter(here.tenant.id, take)
    watcher.until = float("inf")
    try:
        hub.join(watcher, [room], after)
        await ended.wait()
    finally:
        hub.exit(watcher)
        stop.set()
        await running


def _show(message: Mapping[str, Any], event: bytes, *, as_json: bool) -> None:
    kind = message["type"]
    if as_json:
        if kind != "heartbeat":
            print(event.partition(b"data: ")[2].decode().strip(), flush=True)
    elif kind == "gap":
        say(f"{message['upto'] - message['after']:,} messages are missing here: {message['reason']}", style="yellow")
    elif "room" in message:
        line = Text.assemble((f"{message['at'][11:19]} ", "dim"), (f"{message['room'][:13]} ", "cyan"), _words(message))
        console().print(line, style=_STYLES.get(str(message.get("level"))))


def _words(message: Mapping[str, Any]) -> str:
    data = message["data"]
    match message["type"]:
        case MessageType.LOG:
            return str(data.get("message", ""))
        case MessageType.START:
            mode = f" {data['mode']}" if "platforms" in data else ""
            return f"begins{mode}, asked for by {data.get('requested_by')}"
        case MessageType.COMPLETE:
            return f"{data.get('status')}{_counted(message)}. {data.get('sentence') or ''}".strip()
        case MessageType.STATUS:
            return f"{data.get('store')}: {data.get('kind')} {data.get('state')}"
        case _ if "platforms" in data:
            return _outreach_words(data)
        case _:
            shown = {name: value for name, value in data.items() if isinstance(value, int | float) and value}
            return " ".join(
                [str(data.get("stream", "")), *(f"{name} {value:,}" for name, value in shown.items())]
            ).strip()


def _counted(message: Mapping[str, Any]) -> str:
    """`: 7,589 read, 7,528 new`, of a run of outreach."""
    counts = message["data"].get("counts") or {}
    if not message["room"].startswith(f"{telling.KIND}:") or "read" not in counts:
        return ""
    new = f", {counts['created']:,} new" if "known_before" in counts else ""
    return f": {counts['read']:,} read{new}"


def _outreach_words(data: Mapping[str, Any]) -> str:
    """`41 %, 3,101 of 7,589 read, 3,040 new, 1,252/s, 0:04 left (lemlist 1,204 of 3,964, smartlead 1,897 of 3,625)`."""
    each = ", ".join(f"{name} {_of(one)}" for name, one in data["platforms"].items())
    new = f"{data['created']:,} new" if data["created"] else ""
    rate = rate_text(data["per_second"]) if data["per_second"] else ""
    left = f"{duration_text(data['eta_seconds'])} left" if data["eta_seconds"] else ""
    parts = (f"{data['percentage']:g} %", f"{_of(data)} read", new, rate, left)
    return f"{', '.join(part for part in parts if part)} ({each})"


def _of(counts: Mapping[str, Any]) -> str:
    return f"{counts['read']:,} of {counts['total']:,}"
