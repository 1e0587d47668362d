"""The four doubles on real sockets, and a runtime whose jobs run when a test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString

import httpx
import pytest
from cryptography.fernet import Fernet

from syncline.apps.outreach.app import APP
from syncline.apps.outreach.connections import service as connections
from syncline.apps.outreach.contract import Outreach
from syncline.apps.outreach.facade import build
from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.asking import parse
from syncline.apps.outreach.sync.service import Run
from syncline.kernel import clock
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.connect.guard import allowing
from syncline.runtime.db.engine import Database
from syncline.runtime.http.factory import create_app
from syncline.runtime.jobs.testing import FakeJobQueue
from syncline.runtime.secrets import SecretBox
from syncline.sandbox.outreach.double import OutreachDouble
from syncline.sandbox.server import running
from syncline.sandbox.together import Town

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
"""When the doubles' story ends."""
Call = Callable[..., Awaitable[httpx.Response]]


@dataclass(frozen=True)
class Place:
    """A tenant that is connected to the doubles."""

    town: Town
    url: str
    runtime: Runtime
    queue: FakeJobQueue
    actor: Actor

    async def begin(self, **body: Any) -> Run:
        request = parse({"syncMode": "full_historical", "batchSize": 1000, **body}, now=clock.now())
        async with self.runtime.database.writing(self.actor.tenant_id) as session:
            return await service.start(session, self.runtime, request, actor=self.actor, config=body)

    async def look(self, run: Run) -> Run:
        async with self.runtime.database.reading(self.actor.tenant_id) as session:
            return await service.get(session, run.id)

    async def work(self) -> None:
        await self.queue.run_waiting(self.runtime, most=100)

    async def sync(self, **body: Any) -> Run:
        """From its start to its end, with what it asks to be delivered."""
        run = await self.begin(**body)
        await self.work()
        return await self.look(run)

    async def rows(self, query: LiteralString, **values: Any) -> list[Any]:
        async with self.runtime.database.reading(self.actor.tenant_id) as session:
            cursor = await (await session.driver()).execute(query, values)
            return list(await cursor.fetchall())

    async def stored(self) -> int:
        ((count,),) = await self.rows("SELECT count(*) FROM outreach.event_source")
        return int(count)

    @property
    def at_source(self) -> int:
        """What can be told apart: at lemlist all that belongs to a campaign, at Smartlead the first of each kind."""
        return len(_of_campaigns(self.town.lemlist)) + int(self.town.smartlead.store.counts()["first"])

    @property
    def at_mixpanel(self) -> dict[str, int]:
        """`raw` records as often as they were taken, `distinct` events as its reports count them."""
        counts = self.town.mixpanel.records.counts()
        return {"raw": counts["raw"], "distinct": counts["distinct"]}

    async def connect(self, platform: str) -> None:
        told = self.town.addresses(self.url)[platform]
        facts = {"base_url": told["url"], "plan": "none"}
        given: dict[str, dict[str, Any]] = {
            "lemlist": {"api_key": told.get("key"), **facts},
            "smartlead": {"api_key": told.get("key"), **facts},
            "mixpanel": {
                "project": told.get("project_id"),
                "username": told.get("username"),
                "password": told.get("password"),
            }
            | facts,
            "attio": {"access_token": told.get("token"), "base_url": told["url"]},
        }
        await connections.put(self.runtime, self.actor, platform, given[platform])


def _of_campaigns(double: OutreachDouble) -> list[str]:
    return [double.event_id(event) for event, _ in double.store.all_events() if event.campaign is not None]


@pytest.fixture
def queue() -> FakeJobQueue:
    return FakeJobQueue(APP.jobs)


@pytest.fixture
def runtime(shared_database: Database, queue: FakeJobQueue) -> Runtime:
    """The operator allows addresses of this machine."""
    made = Runtime(
        database=shared_database,
        queue=queue,
        secrets=SecretBox([Fernet.generate_key().decode()]),
        settings={"outreach": APP.settings(export_lag=0)},
        guard=allowing(["127.0.0.0/8"]),
    )
    made.contracts[Outreach] = build(made)
    return made


@pytest.fixture
async def new_place(runtime: Runtime, queue: FakeJobQueue, tenant_id: TenantId) -> AsyncIterator[Callable[..., Any]]:
    """`await new_place(events=…, campaigns=…)`: a tenant that is connected to doubles of its own."""
    async with AsyncExitStack() as stack:

        async def make(**options: Any) -> Place:
            until = round(UNTIL.timestamp() * 1000)
            town = Town.make(**{"events": 400, "campaigns": 4, "limits": False, "until_ms": until, **options})
            town.smartlead.switches.body_bytes = 200
            url = await stack.enter_async_context(running(town.app()))
            made = Place(town, url, runtime, queue, Actor(tenant_id, "ann", "owner"))
            for platform in ("lemlist", "smartlead", "mixpanel"):
                await made.connect(platform)
            return made

        yield make


@pytest.fixture
async def place(new_place: Callable[..., Any]) -> Place:
    made: Place = await new_place()
    return made


@pytest.fixture
async def call(runtime: Runtime, tenant_id: TenantId, other_tenant_id: TenantId) -> AsyncIterator[Call]:
    """`await call("POST", path, role="editor", tenant="other", json=...)`; role None is nobody."""
    tenants = {"mine": tenant_id, "other": other_tenant_id}

    async def authenticate(bearer: str) -> Actor | None:
        role, _, tenant = bearer.partition("@")
        return Actor(tenants[tenant], f"the {role}", role)

    transport = httpx.ASGITransport(
        app=create_app(runtime, [APP], authenticate=authenticate), raise_app_exceptions=False
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test") as client:

        async def send(
            method: str,
            path: str,
            *,
            role: str | None = "owner",
            tenant: str = "mine",
            headers: dict[str, str] | None = None,
            **request: object,
        ) -> httpx.Response:
            key = {"Authorization": f"Bearer {role}@{tenant}"} if role else {}
            return await client.request(method, path, headers={**key, **(headers or {})}, **request)  # type: ignore[arg-type]

        yield send
