"""Operations that say something, and watchers that keep what they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs.testing import eventually
from syncline.runtime.live.announcing import announce
from syncline.runtime.live.fanout import Fanout, NotifyFanout
from syncline.runtime.live.hub import Hub, HubLimits
from syncline.runtime.live.message import MessageType, Operation
from syncline.runtime.live.redis_fanout import RedisFanout
from syncline.runtime.live.watcher import Frame, Watcher


@dataclass
class Reader:
    """One who watches, as a test sees him. While `open` is not set he takes nothing."""

    heard: list[dict[str, Any]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    watcher: Watcher | None = None

    def __post_init__(self) -> None:
        self.open.set()

    async def take(self, frame: Frame) -> None:
        await self.open.wait()
        data = frame.event.decode().partition("data: ")[2]
        self.heard.append(msgspec.json.decode(data))

    def of(self, *types: str) -> list[dict[str, Any]]:
        return [one for one in self.heard if one.get("type") in types]

    @property
    def ids(self) -> list[int]:
        return [one["id"] for one in self.heard if str(one.get("type")).startswith("operation_")]

    async def until(self, count: int, *types: str) -> None:
        await eventually(lambda: len(self.of(*types)) >= count)


Say = Callable[..., Awaitable[None]]


@pytest.fixture
def operation() -> Operation:
    return Operation("pull", new_id(), "summer")


@pytest.fixture
def say(database: Database, tenant_id: TenantId, operation: Operation) -> Say:
    """`await say("one", "two")` announces progress, a transaction each."""

    async def call(*texts: str, kind: MessageType = MessageType.LOG, **more: Any) -> None:
        whose = more.pop("tenant", tenant_id)
        about = more.pop("about", operation)
        for text in texts:
            async with database.writing(whose) as session:
                await announce(session, about, kind, {"message": text}, **more)

    return call


def _by_notify(database: Database, _request: pytest.FixtureRequest) -> Fanout:
    return NotifyFanout(database)


def _by_redis(database: Database, request: pytest.FixtureRequest) -> Fanout:
    return RedisFanout(database, request.getfixturevalue("redis_server").url, name=new_id().hex)


@pytest.fixture(params=[_by_notify, _by_redis], ids=["notify", "redis"])
def fanout(request: pytest.FixtureRequest, database: Database) -> Fanout:
    make: Callable[[Database, pytest.FixtureRequest], Fanout] = request.param
    return make(database, request)


@pytest.fixture
async def hub(database: Database, fanout: Fanout) -> AsyncIterator[Hub]:
    """A hub that runs; few may watch at once."""
    made, stop = Hub(database, HubLimits(watchers=6, watchers_of_tenant=4, rooms=3), fanout), asyncio.Event()
    running = asyncio.create_task(made.run(stop))
    await eventually(lambda: made.is_listening)
    yield made
    stop.set()
    await running
    # Feeds end when their watchers are gone.
    await eventually(lambda: not made._tasks)


@pytest.fixture
async def enter(hub: Hub, tenant_id: TenantId) -> AsyncIterator[Callable[..., Reader]]:
    """`enter("tenant", after=3)`: a reader in these rooms. Leaves at the end of the test."""
    inside: list[Reader] = []

    def call(*rooms: str, after: int | None = None, tenant: TenantId | None = None) -> Reader:
        reader = Reader()
        reader.watcher = hub.enter(tenant or tenant_id, reader.take)
        inside.append(reader)
        hub.join(reader.watcher, rooms, after)
        return reader

    yield call
    for reader in inside:
        assert reader.watcher is not None
        hub.exit(reader.watcher)
