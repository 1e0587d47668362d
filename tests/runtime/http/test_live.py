"""The live stream over a real server: a WebSocket, Server-Sent Events, tickets, and the log of operations."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography.fernet import Fernet
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from syncline.kernel import clock
from syncline.kernel.errors import NotAllowed
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.controls import stops
from syncline.runtime.controls.stops import Mode
from syncline.runtime.db.engine import Database
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.live_socket import LARGEST_MESSAGE
from syncline.runtime.http.protection import Protection
from syncline.runtime.jobs import JobQueue
from syncline.runtime.jobs.testing import eventually
from syncline.runtime.live import tickets
from syncline.runtime.live.announcing import log_line
from syncline.runtime.live.hub import Hub, HubLimits
from syncline.runtime.live.message import Level, Operation
from syncline.runtime.live.tickets import issue, redeem
from syncline.runtime.secrets import SecretBox

FRIEND = "https://tools.example.com"
PULL = Operation("pull", new_id(), "summer")


@dataclass
class Site:
    """A server on this machine, and what runs in it."""

    port: int
    hub: Hub
    database: Database
    tenant: TenantId
    server: uvicorn.Server
    stop: asyncio.Event

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def socket(self, key: str | None = "viewer", **more: Any) -> connect:
        path = more.pop("path", "/ws")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return connect(f"ws://127.0.0.1:{self.port}{path}", additional_headers=headers, **more)

    async def say(self, *sentences: str, **more: Any) -> None:
        for sentence in sentences:
            async with self.database.writing(self.tenant) as session:
                await log_line(session, more.get("about", PULL), sentence, level=more.get("level", Level.INFO))

    async def close(self) -> None:
        self.stop.set()
        self.server.should_exit = True


@pytest.fixture
async def site(database: Database, tenant_id: TenantId, other_tenant_id: TenantId) -> AsyncIterator[Site]:
    people = {
        "viewer": Actor(tenant_id, "vic", "viewer"),
        "learner": Actor(tenant_id, "lea", "learner"),
        "stranger": Actor(other_tenant_id, "sam", "owner"),
    }

    async def authenticate(key: str) -> Actor | None:
        return people.get(key)

    async def enter(actor: Actor, tenant: str) -> Actor:
        raise NotAllowed(f"{actor.name} does not belong to {tenant}.")

    secrets = SecretBox([Fernet.generate_key().decode()])
    runtime = Runtime(database=database, queue=JobQueue([]), secrets=secrets, settings={})
    hub = Hub(database, HubLimits(watchers_of_tenant=3, rooms=4))
    protection = Protection(origins=(FRIEND,))
    web = create_app(runtime, (), authenticate=authenticate, enter=enter, hub=hub, protection=protection)
    config = uvicorn.Config(
        web, http="httptools", ws="websockets-sansio", log_config=None, lifespan="off", timeout_graceful_shutdown=10
    )
    server = uvicorn.Server(config)
    stop = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        made = Site(listener.getsockname()[1], hub, database, tenant_id, server, stop)
        serving = asyncio.create_task(server._serve([listener]))
        running = asyncio.create_task(hub.run(stop))
        await eventually(lambda: server.started and hub.is_listening)
        yield made
        await made.close()
        await asyncio.gather(serving, running)


async def said(connection: ClientConnection, *types: str) -> dict[str, Any]:
    """The next message of one of these types."""
    async with asyncio.timeout(60):
        while True:
            message: dict[str, Any] = json.loads(await connection.recv())
            if message["type"] in types:
                return message


async def tell(connection: ClientConnection, **message: Any) -> None:
    await connection.send(json.dumps(message))


async def closing(connection: ClientConnection) -> tuple[int, str]:
    """Code and reason, after whatever was said before."""
    async with asyncio.timeout(60):
        with suppress(ConnectionClosed):
            while True:
                await connection.recv()
    return connection.close_code or 0, connection.close_reason or ""


async def test_under_maintenance_nobody_comes_in_and_everybody_is_told_why(site: Site) -> None:
    async with site.database.system() as session:
        await stops.stop_installation(session, Mode.MAINTENANCE, reason="Back at noon", actor="op")
    with pytest.raises(InvalidStatus) as refused:
        async with site.socket():
            pass
    body = json.loads(refused.value.response.body or b"{}")
    assert (refused.value.response.status_code, body["code"]) == (503, "OPS_001")
    assert "Back at noon." in body["error"]


async def test_without_writes_one_may_watch(site: Site) -> None:
    async with site.database.system() as session:
        await stops.stop_installation(session, Mode.NO_WRITES, reason="A backup is made", actor="op")
    async with site.socket() as connection:
        assert (await said(connection, "welcome"))["actor"] == "vic"


async def test_a_room_is_heard_until_it_is_left(site: Site) -> None:
    async with site.socket() as connection:
        welcome = await said(connection, "welcome")
        assert (welcome["actor"], welcome["heartbeat_seconds"]) == ("vic", 20)
        await tell(connection, type="subscribe", room=PULL.room)
        assert await said(connection, "subscribed") == {"type": "subscribed", "rooms": [PULL.room], "id": 0}
        await site.say("It begins.")
        heard = await said(connection, "operation_log")
        assert (heard["id"], heard["room"], heard["store"]) == (1, PULL.room, "summer")
        assert (heard["level"], heard["data"]) == ("info", {"message": "It begins."})
        await tell(connection, type="unsubscribe", room=PULL.room)
        await said(connection, "unsubscribed")
        await site.say("Unheard.")
        await tell(connection, type="subscribe", rooms=["tenant"], after=0)
        assert [(await said(connection, "operation_log"))["id"] for _ in range(2)] == [1, 2]


async def test_a_connection_that_was_lost_goes_on_from_its_last_id(site: Site) -> None:
    async with site.socket() as connection:
        await tell(connection, type="subscribe", room="tenant")
        await said(connection, "subscribed")
        await site.say("one")
        last = (await said(connection, "operation_log"))["id"]
    await site.say("two", "three")
    async with site.socket() as connection:
        await tell(connection, type="subscribe", room="tenant", after=last)
        assert [(await said(connection, "operation_log"))["data"]["message"] for _ in range(2)] == ["two", "three"]


async def test_a_strangers_room_is_silent(site: Site) -> None:
    async with site.socket("stranger") as connection:
        await tell(connection, type="subscribe", rooms=[PULL.room, "tenant"], after=0)
        assert (await said(connection, "subscribed"))["id"] == 0
        await site.say("secret")
        await tell(connection, type="ping")
        assert (await said(connection, "operation_log", "pong"))["type"] == "pong"


@pytest.mark.parametrize(
    ("key", "more", "status", "code"),
    [
        ("nobody", {}, 401, "API_001"),
        ("learner", {}, 403, "API_002"),
        ("viewer", {"origin": "https://evil.example"}, 403, "API_003"),
        ("viewer", {"path": "/elsewhere"}, 404, "REQ_004"),
        (None, {"path": "/ws?ticket=slt_1_2"}, 401, "API_001"),
    ],
)
async def test_who_may_not_watch_is_told_in_the_handshake(
    site: Site, key: str | None, more: dict[str, Any], status: int, code: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await site.socket(key, **more)
    answer = refused.value.response
    assert answer.status_code == status
    assert json.loads(answer.body or b"{}")["code"] == code
    assert answer.headers["content-type"] == "application/problem+json"


async def test_pages_of_ours_and_of_listed_sites_may_watch(site: Site) -> None:
    for origin in (site.url, FRIEND):
        async with site.socket(origin=origin) as connection:
            assert (await said(connection, "welcome"))["actor"] == "vic"


async def test_a_page_can_say_who_it_is_in_its_first_message(site: Site) -> None:
    async with site.socket(None) as connection:
        await tell(connection, type="authenticate", token="viewer")
        assert (await said(connection, "welcome"))["actor"] == "vic"
        await tell(connection, type="authenticate", token="stranger")
        assert (await said(connection, "error"))["code"] == "API_002"
        await tell(connection, type="authenticate", token="viewer")
        assert (await said(connection, "welcome"))["actor"] == "vic"


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ('{"type":"authenticate","token":"nobody"}', 4401),
        ('{"type":"authenticate"}', 4401),
        ('{"type":"subscribe","room":"tenant"}', 4401),
        ("hello", 4401),
        ("x" * 5_000, 4401),
        ('{"type":"authenticate","token":"learner"}', 4403),
        ('{"type":"authenticate","token":"viewer","tenant":"another"}', 4403),
    ],
)
async def test_whoever_does_not_say_who_he_is_hears_nothing(site: Site, first: str, code: int) -> None:
    async with site.socket(None) as connection:
        await connection.send(first)
        assert (await closing(connection))[0] == code
    assert site.hub.watching == 0


async def test_a_ticket_is_good_once_and_for_looking_only(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.url) as http:
        made = await http.post("/api/live/tickets", headers={"Authorization": "Bearer viewer"})
        assert (made.status_code, made.json()["expires_in"]) == (201, 30)
        ticket = made.json()["ticket"]
        for refused in ("/api/live/tickets", "/api/logs"):
            assert (await http.get(refused, params={"ticket": ticket})).status_code in {401, 405}
        async with site.socket(None, path=f"/ws?ticket={ticket}") as connection:
            assert (await said(connection, "welcome"))["actor"] == "vic"
        with pytest.raises(InvalidStatus):
            await site.socket(None, path=f"/ws?ticket={ticket}")
        assert (await http.get("/api/live/events", params={"ticket": ticket})).status_code == 401


async def test_a_ticket_that_is_too_old_is_worth_nothing(site: Site) -> None:
    async with site.database.writing(site.tenant) as session:
        ticket = await issue(session, Actor(site.tenant, "vic", "viewer"))
    with clock.frozen(datetime.now(UTC) + tickets.GOOD_FOR + timedelta(seconds=1)):
        assert await redeem(site.database, ticket) is None
    found = await redeem(site.database, ticket)
    assert found is not None
    assert (found.tenant_id, found.name, found.scopes) == (site.tenant, "vic", frozenset({"changes:read"}))


async def test_a_ticket_of_one_who_may_not_look_opens_nothing(site: Site) -> None:
    async with site.database.writing(site.tenant) as session:
        ticket = await issue(session, Actor(site.tenant, "lea", "learner"))
    with pytest.raises(InvalidStatus) as refused:
        await site.socket(None, path=f"/ws?ticket={ticket}")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "\x00",
        "[" * 4_000,
        '{"type":"dance"}',
        '{"type":"subscribe"}',
        '{"type":"subscribe","room":7}',
        '{"type":"subscribe","room":"nowhere"}',
        '{"type":"subscribe","room":"tenant","after":"x"}',
    ],
)
async def test_what_is_not_understood_is_answered_and_the_connection_goes_on(site: Site, text: str) -> None:
    async with site.socket() as connection:
        await connection.send(text)
        told = await said(connection, "error")
        assert told["code"].startswith("LIVE_")
        assert told["error"]
        await tell(connection, type="ping")
        await said(connection, "pong")


async def test_a_message_too_large_or_too_many_end_the_connection(site: Site) -> None:
    async with site.socket() as connection:
        await connection.send("x" * (LARGEST_MESSAGE + 1))
        assert (await closing(connection))[0] == 1009
    async with site.socket() as connection:
        for _ in range(130):
            await tell(connection, type="ping")
        assert (await closing(connection))[0] == 1008
    await eventually(lambda: site.hub.watching == 0)


async def test_too_many_watchers_are_told_to_come_later(site: Site) -> None:
    async with site.socket(), site.socket(), site.socket():
        async with site.socket() as late:
            assert (await closing(late))[0] == 1013
        async with httpx.AsyncClient(base_url=site.url) as http:
            refused = await http.get("/api/live/events", headers={"Authorization": "Bearer viewer"})
        assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "LIVE_002", "30")


Events = Callable[..., Any]


@asynccontextmanager
async def events(site: Site, key: str | None = "viewer", **more: Any) -> AsyncIterator[AsyncIterator[dict[str, str]]]:
    """The stream's events, each as its fields."""
    headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
    client = httpx.AsyncClient(base_url=site.url, timeout=60)
    async with client, client.stream("GET", "/api/live/events", headers=headers, params=more) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
        yield parsed(answer.aiter_lines())


async def parsed(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
    fields: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
            continue
        if fields.get("event") != "heartbeat":
            yield fields
        fields = {}


async def test_the_same_stream_comes_as_server_sent_events(site: Site) -> None:
    async with events(site, room=PULL.room, headers={"Accept-Encoding": "gzip"}) as stream:
        assert int((await anext(stream))["retry"]) >= 500
        assert (await anext(stream))["event"] == "subscribed"
        await site.say("one")
        heard = await anext(stream)
    assert (heard["id"], heard["event"]) == ("1", "operation_log")
    assert json.loads(heard["data"])["data"] == {"message": "one"}
    await site.say("two")
    await eventually(lambda: site.hub.watching == 0)
    async with events(site, headers={"Last-Event-ID": "1"}) as stream:
        await anext(stream)
        await anext(stream)
        assert json.loads((await anext(stream))["data"])["data"] == {"message": "two"}


async def test_an_event_source_comes_in_with_a_ticket(site: Site) -> None:
    async with site.database.writing(site.tenant) as session:
        ticket = await issue(session, Actor(site.tenant, "vic", "viewer"))
    async with events(site, None, ticket=ticket) as stream:
        await anext(stream)
        assert (await anext(stream))["event"] == "subscribed"


@pytest.mark.parametrize(
    ("key", "query", "status"),
    [
        ("nobody", {}, 401),
        ("learner", {}, 403),
        ("viewer", {"room": "x"}, 400),
        ("viewer", {"after": "-1"}, 400),
        ("viewer", {"room": [f"store:{name}" for name in "abcde"]}, 409),
    ],
)
async def test_who_may_not_or_asks_wrongly_gets_one_answer_and_no_stream(
    site: Site, key: str, query: dict[str, Any], status: int
) -> None:
    async with httpx.AsyncClient(base_url=site.url) as http:
        answer = await http.get("/api/live/events", params=query, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_server_that_stops_says_come_back_and_waits_for_nobody(site: Site) -> None:
    async with site.socket() as connection, events(site) as stream:
        await said(connection, "welcome")
        await anext(stream)
        await site.close()
        # Whoever is first, the hub or the server underneath.
        assert (await closing(connection))[0] == 1012
        assert [one["event"] async for one in stream][-1] == "end"


async def test_the_log_is_read_by_operation_store_level_and_time(site: Site) -> None:
    other = Operation("push", new_id(), "winter")
    await site.say("one", "two")
    await site.say("careful", level=Level.WARNING)
    await site.say("broken", about=other, level=Level.ERROR)
    async with httpx.AsyncClient(base_url=site.url, headers={"Authorization": "Bearer viewer"}) as http:

        async def lines(**query: Any) -> list[str]:
            answer = await http.get("/api/logs", params=query)
            assert answer.status_code == 200
            return [line["message"] for line in answer.json()["lines"]]

        assert await lines() == ["broken", "careful", "two", "one"]
        assert await lines(operation=PULL.room) == ["careful", "two", "one"]
        assert await lines(store="winter") == ["broken"]
        assert await lines(level="warning") == ["broken", "careful"]
        assert await lines(limit=1, page=2) == ["careful"]
        assert await lines(until="2020-01-01T00:00:00Z") == []
        assert (await http.get("/api/logs", params={"limit": 2})).json()["pagination"]["totalItems"] == 4
        assert (await http.get("/api/logs", params={"operation": "x"})).json()["code"] == "LIVE_001"
        stranger = await http.get("/api/logs", headers={"Authorization": "Bearer stranger"})
        assert stranger.json()["lines"] == []
