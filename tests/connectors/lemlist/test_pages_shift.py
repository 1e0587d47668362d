"""Against the double, whose newest-first list grows while it is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from syncline.connectors.lemlist.actions import add_hook, is_from_hook, list_hooks, remove_hook
from syncline.connectors.lemlist.client import LemlistClient, LemlistConfig
from syncline.connectors.lemlist.streams import read_activities, read_campaigns
from syncline.kernel.errors import Fatal
from syncline.runtime.connect.testing import FAST_RETRY, fresh_registry
from syncline.sandbox.lemlist.app import Lemlist, create_app
from syncline.sandbox.outreach.store import Store, Wanted
from syncline.sandbox.outreach.timelines import World
from syncline.sandbox.server import running

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def double() -> Lemlist:
    store = Store(World(seed=3, campaigns=4, now_ms=round(NOW.timestamp() * 1000)))
    store.fill(650)
    return Lemlist(store)


@pytest.fixture
async def client(double: Lemlist) -> AsyncIterator[LemlistClient]:
    async with running(create_app(double)) as url:
        config = LemlistConfig(double.key, f"{url}/api")
        async with LemlistClient(config, registry=fresh_registry(), retry=FAST_RETRY) as client:
            yield client


async def test_what_arrives_meanwhile_costs_nothing_and_doubles_nothing(double: Lemlist, client: LemlistClient) -> None:
    before = {double.event_id(event) for event in double.store.events(Wanted())}
    double.switches.arrivals = 7
    read = [one["_id"] async for page in read_activities(client) for one in page.records]
    assert len(read) == len(set(read))
    assert before <= set(read)
    assert double.counters.throttled == 0


async def test_what_is_removed_meanwhile_hides_nothing(double: Lemlist, client: LemlistClient) -> None:
    double.switches.removals = 9
    read = {one["_id"] async for page in read_activities(client) for one in page.records}
    left = {double.event_id(event) for event in double.store.events(Wanted())}
    assert left < read


async def test_a_cursor_reads_on_after_arrivals(double: Lemlist, client: LemlistClient) -> None:
    double.switches.arrivals = 7
    pages = read_activities(client)
    first = [await anext(pages), await anext(pages)]
    await pages.aclose()  # type: ignore[attr-defined]
    rest = [page async for page in read_activities(client, cursor=first[-1].cursor)]
    read = [one["_id"] for page in [*first, *rest] for one in page.records]
    assert len(read) == len(set(read)) >= 650


async def test_only_a_campaign_and_a_time(double: Lemlist, client: LemlistClient) -> None:
    campaigns = [one async for page in read_campaigns(client) for one in page.records]
    since = datetime(2026, 6, 1, tzinfo=UTC)
    chosen = str(campaigns[0]["_id"])
    read = [one async for page in read_activities(client, campaign=chosen, since=since) for one in page.records]
    assert {one["campaignId"] for one in read} == {chosen}
    assert min(one["createdAt"] for one in read) >= "2026-06-01"


@pytest.mark.parametrize("shape", ["campaigns", "data", "results"])
async def test_campaigns_inside_an_object(double: Lemlist, client: LemlistClient, shape: str) -> None:
    double.switches.campaigns = shape
    assert len([one async for page in read_campaigns(client) for one in page.records]) == 4


async def test_passing_trouble_is_survived(double: Lemlist, client: LemlistClient) -> None:
    double.faults.add_all("http_502=1,html=1:after1,truncate=1:after2,drop_after=1:after3,throttle=1:after4:1s")
    read = [one["_id"] async for page in read_activities(client) for one in page.records]
    assert len(set(read)) == len(read) == 650


async def test_a_wrong_key_is_fatal_at_once(double: Lemlist, client: LemlistClient) -> None:
    double.key = "another"
    with pytest.raises(Fatal, match="API key"):
        await anext(read_activities(client))
    assert double.counters.requests == 1


async def test_hooks_come_and_go(double: Lemlist, client: LemlistClient) -> None:
    hook = await add_hook(client, target="http://127.0.0.1:1/hook", secret="s3", kind="emailsOpened")
    assert [one["_id"] for one in await list_hooks(client)] == [hook]
    await remove_hook(client, hook)
    assert await list_hooks(client) == []
    assert is_from_hook({"secret": "s3"}, "s3")
    assert not is_from_hook({}, "s3")
