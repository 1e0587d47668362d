"""Against the double: every mail once, whatever Smartlead's documents say it looks like."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from syncline.connectors.smartlead.actions import add_webhook, is_signed, remove_webhook, webhooks_of
from syncline.connectors.smartlead.client import SmartleadClient, SmartleadConfig
from syncline.connectors.smartlead.streams import list_campaigns, read_counters, read_leads, read_statistics
from syncline.kernel.errors import Fatal, Retriable, Skippable
from syncline.runtime.connect.testing import FAST_RETRY, fresh_registry
from syncline.sandbox.outreach.store import Store
from syncline.sandbox.outreach.timelines import Kind, World
from syncline.sandbox.server import running
from syncline.sandbox.smartlead.app import Smartlead, Switches, create_app
from syncline.sandbox.smartlead.hooks import signature
from syncline.sandbox.smartlead.shapes import stats_id

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def double() -> Smartlead:
    store = Store(World(seed=5, campaigns=1, now_ms=round(NOW.timestamp() * 1000)))
    store.fill(2_600)
    return Smartlead(store, Switches(plan="pro", body_bytes=100))


@pytest.fixture
async def client(double: Smartlead) -> AsyncIterator[SmartleadClient]:
    async with running(create_app(double)) as url:
        config = SmartleadConfig(double.key, f"{url}/api/v1", plan="pro")
        async with SmartleadClient(config, registry=fresh_registry(), retry=FAST_RETRY) as client:
            yield client


async def mails(client: SmartleadClient, **asked: Any) -> list[dict[str, Any]]:
    (campaign,) = await list_campaigns(client)
    return [one async for page in read_statistics(client, campaign["id"], **asked) for one in page.records]


@pytest.mark.parametrize("numbers", ["strings", "numbers"])
async def test_every_mail_once_although_new_ones_arrive(
    double: Smartlead, client: SmartleadClient, numbers: str
) -> None:
    double.switches.numbers = numbers
    double.switches.arrivals = 6
    before = double.store.count_mails(1)
    read = [one["stats_id"] for one in await mails(client)]
    assert len(read) == len(set(read)) >= before
    assert double.counters.throttled == 0


@pytest.mark.parametrize("order", ["newest", "oldest", "updated"])
async def test_no_mail_is_hidden_though_rows_move_while_they_are_read(
    double: Smartlead, client: SmartleadClient, order: str
) -> None:
    double.switches.order, double.switches.arrivals = order, 6
    before = {stats_id(mail.id) for mail in double.store.mails(1)}
    assert before <= {one["stats_id"] for one in await mails(client)}


async def test_no_mail_is_hidden_by_those_that_are_removed(double: Smartlead, client: SmartleadClient) -> None:
    pages = read_statistics(client, (await list_campaigns(client))[0]["id"])
    first = await anext(pages)
    double.store.remove_lead(double.store.mails(1)[0].lead, with_past=True)
    rest = [one["stats_id"] async for page in pages for one in page.records]
    left = {stats_id(mail.id) for mail in double.store.mails(1)}
    assert left <= {*(one["stats_id"] for one in first.records), *rest}


async def test_a_list_that_never_rests_is_given_up_with_the_reason(double: Smartlead, client: SmartleadClient) -> None:
    double.switches.removals = 1
    with pytest.raises(Retriable, match="changed each time"):
        await mails(client)


async def test_only_what_was_sent_after(client: SmartleadClient) -> None:
    since = datetime(2026, 9, 1, tzinfo=UTC)
    read = await mails(client, sent_after=since, status="opened")
    assert read
    assert all(one["sent_time"] > "2026-09-01" and one["open_time"] for one in read)


@pytest.mark.parametrize("unknown", ["404", "object", "empty"])
async def test_a_campaign_that_is_gone_is_skipped(double: Smartlead, client: SmartleadClient, unknown: str) -> None:
    double.switches.unknown = unknown
    with pytest.raises(Skippable):
        await anext(read_statistics(client, 1))


@pytest.mark.parametrize("shape", ["aggregate", "sequences"])
async def test_sums_are_not_taken_for_mails(double: Smartlead, client: SmartleadClient, shape: str) -> None:
    double.switches.statistics = shape
    with pytest.raises(Fatal):
        await mails(client)


@pytest.mark.parametrize("numbers", ["strings", "numbers"])
async def test_counters_say_that_something_moved(double: Smartlead, client: SmartleadClient, numbers: str) -> None:
    double.switches.numbers = numbers
    (campaign,) = await list_campaigns(client)
    before = await read_counters(client, campaign["id"])
    assert await read_counters(client, campaign["id"]) == before
    mail = next(one for one in double.store.mails(1) if not one.opens)
    double.store.happen(Kind.OPENED, mail.sent_ms + 1, mail=mail.id)
    after = await read_counters(client, campaign["id"])
    assert after["open_count"] == before["open_count"] + 1
    double.switches.unknown = "object"
    with pytest.raises(Skippable):
        await read_counters(client, 1)


@pytest.mark.parametrize("shape", ["total_leads", "total"])
async def test_leads_in_both_wrappers(double: Smartlead, client: SmartleadClient, shape: str) -> None:
    double.switches.leads = shape
    (campaign,) = await list_campaigns(client)
    pages = [page async for page in read_leads(client, campaign["id"])]
    read = {one["lead"]["id"] for page in pages for one in page.records}
    assert len(read) == double.store.count_leads(1) == pages[0].total


@pytest.mark.parametrize("errors", ["message", "envelope"])
async def test_a_wrong_key_is_fatal_in_both_shapes(double: Smartlead, client: SmartleadClient, errors: str) -> None:
    double.key, double.switches.errors = "another", errors
    with pytest.raises(Fatal, match="API key"):
        await list_campaigns(client)
    assert double.counters.requests == 1


async def test_webhooks_come_and_go_and_are_told_from_forged_ones(double: Smartlead, client: SmartleadClient) -> None:
    (campaign,) = await list_campaigns(client)
    made = await add_webhook(client, url="http://127.0.0.1:1/x", events=["EMAIL_SENT"], campaign=campaign["id"])
    assert [one["id"] for one in await webhooks_of(client, campaign["id"])] == [made]
    await remove_webhook(client, made)
    assert await webhooks_of(client, campaign["id"]) == []
    assert is_signed(b"{}", signature(double.secret, b"{}"), double.secret)
    assert not is_signed(b"{ }", signature(double.secret, b"{}"), double.secret)
