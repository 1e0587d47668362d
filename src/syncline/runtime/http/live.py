"""`/api/live` and `/api/logs`: the live stream as Server-Sent Events, tickets for it, and the log of operations."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from syncline.kernel.errors import Unavailable
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Paging, Reading, Writing, pagination
from syncline.runtime.http.problems import problems
from syncline.runtime.http.schemas import Pagination
from syncline.runtime.http.stop_gate import works_while_paused, works_without_writes
from syncline.runtime.live import messages, tickets
from syncline.runtime.live.hub import Hub, TooManyRooms, TooManyWatchers
from syncline.runtime.live.message import EVERYTHING, BadRoom, Level, check_room
from syncline.runtime.live.messages import LineQuery
from syncline.runtime.live.watcher import Ending, Frame

router = APIRouter(prefix="/api/live", tags=["live"])
logs = APIRouter(prefix="/api/logs", tags=["live"])

_Watcher = Annotated[Actor, Depends(require(tickets.PERMISSION))]


class Ticket(BaseModel):
    ticket: str = Field(description="Good once: `/ws?ticket=…` or `/api/live/events?ticket=…`")
    expires_in: int = Field(description="Seconds")


class LogLine(BaseModel):
    id: int = Field(description="The number of its message in the live stream")
    at: datetime
    operation: str = Field(description="Its room in the live stream", examples=["pull:01a2b3c4-…"])
    store: str | None
    level: Level
    message: str
    facts: dict[str, Any]


class LogPage(BaseModel):
    lines: list[LogLine]
    pagination: Pagination


@router.post("/tickets", status_code=201, summary="Make a ticket for the live stream")
@works_while_paused
@works_without_writes
async def make_ticket(actor: _Watcher, session: Writing) -> Ticket:
    """For pages, which cannot send headers with a WebSocket or an EventSource."""
    return Ticket(ticket=await tickets.issue(session, actor), expires_in=int(tickets.GOOD_FOR.total_seconds()))


@router.get(
    "/events",
    summary="Watch operations as Server-Sent Events",
    response_class=Response,
    responses={
        **problems(BadRoom, TooManyRooms, TooManyWatchers),
        200: {"description": "The stream", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
    },
)
async def watch(
    request: Request,
    actor: _Watcher,
    room: Annotated[
        list[str] | None, Query(description="`tenant`, `store:NAME` or `pull:ID`; may be given several times")
    ] = None,
    after: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="The last id you have")] = None,
    last_event_id: Annotated[str | None, Header(description="The same, as browsers send it")] = None,
    ticket: Annotated[str | None, Query(description="Instead of a header: from `/api/live/tickets`")] = None,  # noqa: ARG001 - read where the caller is identified
) -> Response:
    """operation_start, operation_progress, operation_log, operation_complete, sync_status; the same as `WS /ws`."""
    hub: Hub | None = request.app.state.hub
    if hub is None:
        raise Unavailable("This process serves no live stream.")
    rooms = [check_room(name) for name in room or [EVERYTHING]]
    if len(set(rooms)) > hub.limits.rooms:
        raise TooManyRooms(f"One connection hears {hub.limits.rooms} rooms at most; the room `tenant` hears all.")
    came = last_event_id if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit() else None
    return EventStream(hub, actor, rooms, int(came[:18]) if came else after)


class EventStream(Response):
    """One connection. While nothing is said it is one waiting task."""

    def __init__(self, hub: Hub, actor: Actor, rooms: Sequence[str], after: int | None) -> None:
        super().__init__(
            media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        self._hub = hub
        self._tenant = actor.tenant_id
        self._rooms = rooms
        self._after = after

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        async def send_frame(frame: Frame) -> None:
            is_last = isinstance(frame, Ending)
            await send({"type": "http.response.body", "body": frame.event, "more_body": not is_last})

        watcher = self._hub.enter(self._tenant, send_frame)
        watcher.owner = asyncio.current_task()
        try:
            headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            # Those who are sent away together come back one after the other.
            retry = f"retry: {random.randint(500, 5_000)}\n\n"
            await send({"type": "http.response.body", "body": retry.encode(), "more_body": True})
            self._hub.join(watcher, self._rooms, self._after)
            while (await receive())["type"] != "http.disconnect":
                continue
        except asyncio.CancelledError:
            if not watcher.ended:
                raise
        finally:
            self._hub.exit(watcher)


@logs.get("", summary="Read the log of operations", responses=problems(BadRoom))
async def list_lines(
    _actor: _Watcher,
    session: Reading,
    page: Paging,
    operation: Annotated[str | None, Query(description="Its room, like `pull:01a2b3c4-…`")] = None,
    store: Annotated[str | None, Query(max_length=100)] = None,
    level: Annotated[Level, Query(description="At least")] = Level.INFO,
    since: Annotated[AwareDatetime | None, Query(description="From this moment on")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Up to this moment, without it")] = None,
) -> LogPage:
    """The latest first. Lines are kept for two weeks, and 100,000 messages of a tenant at most."""
    room = None if operation is None else check_room(operation)
    query = LineQuery(room=room, store=store, level=level, since=since, until=until)
    found = await messages.list_lines(session, query, page)
    lines = [
        LogLine(
            id=one.number,
            at=one.at,
            operation=one.room,
            store=one.store,
            level=one.level,
            message=str(one.data.get("message", "")),
            facts={name: value for name, value in one.data.items() if name != "message"},
        )
        for one in found.items
    ]
    return LogPage(lines=lines, pagination=pagination(found))
