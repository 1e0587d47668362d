"""`WS /ws`: the live stream over a WebSocket.

Before the other middleware and not behind it: that is all about requests and answers, and thousands of connections
would each keep its frames on the heap.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline.kernel.errors import DomainError, NotAllowed, NotFound, Unauthenticated
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import Authenticate, Enter, recognise
from syncline.runtime.http.browser import FromAnotherSite
from syncline.runtime.http.problems import MEDIA_TYPE, problem_of, status_of
from syncline.runtime.live.hub import HEARTBEAT_SECONDS, Hub, TooManyWatchers
from syncline.runtime.live.tickets import PERMISSION
from syncline.runtime.live.watcher import Ending, Frame, Notice, Watcher
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

PATH = "/ws"
LARGEST_MESSAGE = 4_096
"""Characters of one message to us."""

_MESSAGES_A_MINUTE = 120
_PATIENCE_SECONDS = 10.0
_MOST_UNKNOWN = 200
"""Connections at once that have not said yet who they are."""

UNKNOWN, NOT_ALLOWED, TOO_LARGE, TOO_MANY, BUSY = 4401, 4403, 1009, 1008, 1013

Redeem = Callable[[str], Awaitable[Actor | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketDoor:
    """Who may come in. `origins` are other sites whose pages may."""

    authenticate: Authenticate
    enter: Enter
    redeem: Redeem
    refuse_maintenance: Callable[[], Awaitable[None]] | None = None
    """Raises `UnderMaintenance` while only health answers; None where there is nothing to ask."""

    origins: frozenset[str] = frozenset()


class LiveSocket:
    """Takes WebSockets; everything else goes on."""

    def __init__(self, app: ASGIApp, hub: Hub, door: SocketDoor) -> None:
        self.app = app
        self.hub = hub
        self.door = door
        self._unknown = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        await receive()  # websocket.connect
        try:
            actor = await self._who_knocks(scope)
        except DomainError as refusal:
            await _refuse(scope, send, refusal)
            return
        await send({"type": "websocket.accept"})
        try:
            if actor is None:
                actor = await self._ask_who(receive)
            watcher = self.hub.enter(actor.tenant_id, _sending(send))
        except DomainError as refusal:
            await _close(send, _code_of(refusal), refusal)
            return
        except _Gone:
            return
        await self._serve(watcher, actor, receive)

    async def _who_knocks(self, scope: Scope) -> Actor | None:
        """By a header or a ticket; None for one who wants to say it in his first message."""
        ticket = parse_qs(scope["query_string"].decode("latin-1")).get("ticket", [""])[0]
        scope["query_string"] = b""  # the server logs it with the address
        if self.door.refuse_maintenance is not None:
            await self.door.refuse_maintenance()
        headers = Headers(scope=scope)
        if scope["path"] != PATH:
            raise NotFound("There is no WebSocket at this address; the live stream is at /ws.")
        if not _is_welcome(headers.get("origin"), headers.get("host", ""), self.door.origins):
            raise FromAnotherSite("Pages of this site may not watch; see SYNCLINE_CORS_ORIGINS.")
        if ticket:
            actor = await self.door.redeem(ticket)
            if actor is None:
                raise Unauthenticated("This ticket was used or is too old. Ask for another at /api/live/tickets.")
            return _allowed(actor)
        bearer = headers.get("authorization", "")
        if bearer:
            return _allowed(await self._recognise(bearer.partition(" ")[2], headers.get("x-tenant", "")))
        if self._unknown >= _MOST_UNKNOWN:
            raise TooManyWatchers("Too many have not said who they are yet. Try again.", extra={"retry_after": 5})
        return None

    async def _recognise(self, bearer: str, tenant: str) -> Actor:
        return await recognise(self.door.authenticate, self.door.enter, bearer.strip(), tenant.strip())

    async def _ask_who(self, receive: Receive) -> Actor:
        self._unknown += 1
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                said = _object(await _text(receive))
        except TimeoutError as error:
            raise Unauthenticated(_SAY_WHO) from error
        except (ValueError, _TooLarge) as error:
            raise Unauthenticated(_SAY_WHO) from error
        finally:
            self._unknown -= 1
        return await self._prove(said)

    async def _prove(self, said: dict[str, Any]) -> Actor:
        token, tenant, ticket = (str(said.get(name) or "") for name in ("token", "tenant", "ticket"))
        if said.get("type") != "authenticate" or not (token or ticket):
            raise Unauthenticated(_SAY_WHO)
        if ticket:
            actor = await self.door.redeem(ticket)
            if actor is None:
                raise Unauthenticated("This ticket was used or is too old. Ask for another at /api/live/tickets.")
            return _allowed(actor)
        return _allowed(await self._recognise(token, tenant))

    async def _serve(self, watcher: Watcher, actor: Actor, receive: Receive) -> None:
        watcher.owner = asyncio.current_task()
        watcher.offer(self._welcome(actor))
        try:
            await self._listen(watcher, actor, receive)
        except _Gone:
            return
        except asyncio.CancelledError:
            if not watcher.ended:
                raise
            # The hub cut him off, for he took nothing; the server underneath closes what is left.
        finally:
            self.hub.exit(watcher)

    async def _listen(self, watcher: Watcher, actor: Actor, receive: Receive) -> None:
        loop = asyncio.get_running_loop()
        began, count = loop.time(), 0
        while True:
            try:
                text = await _text(receive)
            except _TooLarge:
                watcher.end(Ending(TOO_LARGE, f"A message has {LARGEST_MESSAGE:,} characters at most."))
                continue
            if loop.time() - began > 60:
                began, count = loop.time(), 0
            count += 1
            if count > _MESSAGES_A_MINUTE:
                watcher.end(Ending(TOO_MANY, f"You say too much: {_MESSAGES_A_MINUTE} messages a minute are read."))
                continue
            if watcher.ended:
                continue
            try:
                await self._obey(watcher, actor, _object(text))
            except DomainError as refusal:
                watcher.offer(_problem(refusal))
            except ValueError as error:
                watcher.offer(_problem(NotUnderstood(str(error))))

    async def _obey(self, watcher: Watcher, actor: Actor, said: dict[str, Any]) -> None:
        match said.get("type"):
            case "subscribe":
                self.hub.join(watcher, _rooms(said), _after(said))
            case "unsubscribe":
                rooms = _rooms(said)
                self.hub.leave(watcher, rooms)
                watcher.offer(Notice("unsubscribed", {"rooms": rooms}))
            case "ping":
                watcher.offer(Notice("pong", {}))
            case "authenticate":
                again = await self._prove(said)
                if again.tenant_id != actor.tenant_id:
                    raise NotAllowed("This credential is of another tenant. Open a connection of its own for it.")
                self.hub.renew(watcher)
                watcher.offer(self._welcome(again))
            case other:
                raise ValueError(f"{other!r} is not understood; say subscribe, unsubscribe, authenticate or ping.")

    def _welcome(self, actor: Actor) -> Notice:
        told = {
            "actor": actor.name,
            "id": self.hub.last_id(actor.tenant_id),
            "heartbeat_seconds": HEARTBEAT_SECONDS,
            "lifetime_seconds": self.hub.limits.lifetime_seconds,
        }
        return Notice("welcome", told)


class NotUnderstood(DomainError):
    code = "LIVE_004"
    title = "The message is not understood"


class _Gone(Exception):
    """The other side has closed."""


class _TooLarge(Exception):
    """A message is larger than we read."""


_SAY_WHO = (
    'Say who you are within 10 seconds: {"type":"authenticate","token":"<key or access token>"}, or bring a ticket from'
    " /api/live/tickets."
)


def _is_welcome(origin: str | None, host: str, allowed: frozenset[str]) -> bool:
    """Pages of ours and of the listed sites, and whatever is no page: only browsers say where they come from."""
    if origin is None or origin in allowed:
        return True
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _allowed(actor: Actor) -> Actor:
    if not actor.may(PERMISSION):
        raise NotAllowed(f"Watching takes {PERMISSION}, which “{actor.name}” may not.")
    return actor


async def _text(receive: Receive) -> str:
    """Raises `_Gone`, `_TooLarge`."""
    message = await receive()
    if message["type"] == "websocket.disconnect":
        raise _Gone
    text = message.get("text")
    if text is None:
        text = (message.get("bytes") or b"").decode("utf-8", "replace")
    if len(text) > LARGEST_MESSAGE:
        raise _TooLarge
    return str(text)


def _object(text: str) -> dict[str, Any]:
    """Raises `ValueError` with a sentence."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError('A message is one JSON object, like {"type":"ping"}.') from error
    if not isinstance(said, dict):
        raise ValueError('A message is one JSON object, like {"type":"ping"}.')  # noqa: TRY004 - of the text, not of the code
    return said


def _rooms(said: dict[str, Any]) -> Sequence[str]:
    rooms = said.get("rooms", [said.get("room")])
    if not isinstance(rooms, list) or not rooms or not all(isinstance(room, str) for room in rooms):
        raise ValueError('Say which: "room":"pull:…" or "rooms":[…].')
    return rooms


def _after(said: dict[str, Any]) -> int | None:
    after = said.get("after")
    if after is not None and (isinstance(after, bool) or not isinstance(after, int)):
        raise ValueError('"after" is the number of the last message you have.')
    return after


def _sending(send: Send) -> Callable[[Frame], Awaitable[None]]:
    async def send_frame(frame: Frame) -> None:
        if isinstance(frame, Ending):
            await send({"type": "websocket.close", "code": frame.code, "reason": frame.reason})
        else:
            await send({"type": "websocket.send", "text": frame.text})

    return send_frame


def _problem(refusal: DomainError) -> Notice:
    return Notice("error", {"code": refusal.code, "error": refusal.sentence})


def _code_of(refusal: DomainError) -> int:
    if isinstance(refusal, Unauthenticated):
        return UNKNOWN
    return BUSY if isinstance(refusal, TooManyWatchers) else NOT_ALLOWED


async def _close(send: Send, code: int, refusal: DomainError) -> None:
    try:
        await send({"type": "websocket.send", "text": _problem(refusal).text})
        # RFC 6455 5.5: a reason has 123 bytes at most.
        await send({"type": "websocket.close", "code": code, "reason": refusal.title[:120]})
    except OSError:
        return


async def _refuse(scope: Scope, send: Send, refusal: DomainError) -> None:
    """An HTTP answer instead of a handshake, in the shape of all our errors; a bare 403 where the server has none."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
    if status_of(refusal) == 503:
        headers.append((b"retry-after", str(refusal.extra.get("retry_after", 5)).encode()))
    start: Message = {"type": "websocket.http.response.start", "status": status_of(refusal), "headers": headers}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": json.dumps(problem_of(refusal)).encode()})
