"""Smartlead's manners: rows with a present state, totals that are strings, documents that contradict each other."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.sandbox.outreach.receiver import Receiver, receiving

from syncline.kernel import clock
from syncline.sandbox.outreach.store import Store
from syncline.sandbox.outreach.timelines import World
from syncline.sandbox.server import running
from syncline.sandbox.smartlead.app import KEY, SECRET, Smartlead, Switches, create_app

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
ROOT = "/api/v1"


@pytest.fixture
def double() -> Smartlead:
    store = Store(World(seed=5, campaigns=3, now_ms=round(NOW.timestamp() * 1000)))
    store.fill(3_000)
    return Smartlead(store, Switches(plan="none", body_bytes=200))


@pytest.fixture
async def http(double: Smartlead) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        running(create_app(double)) as url,
        httpx.AsyncClient(base_url=url, params={"api_key": KEY}) as client,
    ):
        yield client


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def switch(http: httpx.AsyncClient, **values: Any) -> None:
    (await http.post("/sandbox/switches", json=values)).raise_for_status()


async def get(http: httpx.AsyncClient, path: str, **asked: Any) -> Any:
    return (await http.get(f"{ROOT}{path}", params={"api_key": KEY, **asked})).raise_for_status().json()


async def campaign(http: httpx.AsyncClient) -> int:
    campaigns: list[dict[str, Any]] = await get(http, "/campaigns/")
    assert [one["id"] for one in campaigns] == sorted((one["id"] for one in campaigns), reverse=True)
    return int(campaigns[0]["id"])


async def rows(http: httpx.AsyncClient, number: int, **asked: Any) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = []
    while page := (await get(http, f"/campaigns/{number}/statistics", limit=1_000, offset=len(read), **asked))["data"]:
        read += page
    return read


async def test_every_mail_is_a_row_once_and_totals_are_strings(http: httpx.AsyncClient, double: Smartlead) -> None:
    number = await campaign(http)
    read = await rows(http, number)
    assert len({row["stats_id"] for row in read}) == len(read) == double.store.count_mails(3)
    page = await get(http, f"/campaigns/{number}/statistics", limit=5_000, offset=2)
    assert (page["total_stats"], page["offset"], page["limit"]) == (str(len(read)), 2, 5_000)
    assert len(page["data"]) == min(1_000, len(read) - 2)
    await switch(http, numbers="numbers")
    assert (await get(http, f"/campaigns/{number}/statistics", limit=1))["total_stats"] == len(read)


async def test_what_rows_tell_is_what_happened(http: httpx.AsyncClient) -> None:
    read = [row for one in await get(http, "/campaigns/") for row in await rows(http, one["id"])]
    answered = [row for row in read if row["reply_time"]]
    replies = {(row["lead_email"], row["reply_time"].removesuffix("Z")) for row in answered}
    lines = [json.loads(line) for line in (await http.get("/sandbox/events")).text.splitlines()]
    happened = {one["id"] for one in lines if one["first"] and one["kind"] != "EMAIL_REPLY"}
    assert {f"{row['stats_id']}:{name}" for row in read for name in told(row)} == happened
    assert len(answered) > len(replies) == sum(one["kind"] == "EMAIL_REPLY" for one in lines)


def told(row: dict[str, Any]) -> list[str]:
    names = {
        "EMAIL_SENT": row["sent_time"],
        "EMAIL_OPEN": row["open_time"],
        "EMAIL_LINK_CLICK": row["click_time"],
        "EMAIL_BOUNCE": row["is_bounced"],
        "LEAD_UNSUBSCRIBED": row["is_unsubscribed"],
    }
    return [name for name, value in names.items() if value]


async def test_the_date_filter_looks_at_the_sending_only(http: httpx.AsyncClient) -> None:
    number = await campaign(http)
    sent = (await http.post("/sandbox/happen", json={"kind": "sent", "campaign": 3, "days_ago": 300})).json()[0]
    await http.post("/sandbox/happen", json={"kind": "opened", "mail": sent["mail"]})
    recent = await rows(http, number, sent_time_start_date="2026-10-01 00:00:00.000Z")
    assert sent["id"].split(":")[0] not in {row["stats_id"] for row in recent}
    old = await rows(http, number, sent_time_end_date=(sent["at"][:10] + "T23:59:59Z"))
    assert next(row for row in old if sent["id"].startswith(row["stats_id"]))["open_time"] is not None


async def test_the_edges_of_the_filter(http: httpx.AsyncClient) -> None:
    number = await campaign(http)
    sent = (await http.post("/sandbox/happen", json={"kind": "sent", "campaign": 3})).json()[0]
    assert await rows(http, number, sent_time_start_date=sent["at"]) == []
    await switch(http, edges="inclusive")
    assert len(await rows(http, number, sent_time_start_date=sent["at"])) == 1


async def test_a_row_tells_the_first_open_or_the_last(http: httpx.AsyncClient) -> None:
    number = await campaign(http)
    sent = (await http.post("/sandbox/happen", json={"kind": "sent", "campaign": 3})).json()[0]
    opens = [
        (await http.post("/sandbox/happen", json={"kind": "opened", "mail": sent["mail"], "days_ago": days})).json()
        for days in (-1, -2)
    ]
    for shown, opened in (("first", opens[0]), ("last", opens[1])):
        await switch(http, times=shown)
        row = (await get(http, f"/campaigns/{number}/statistics", limit=1))["data"][0]
        assert (row["open_time"].rstrip("Z"), row["open_count"]) == (opened[0]["at"].rstrip("Z"), 2)


@pytest.mark.parametrize(
    ("status", "field"),
    [("opened", "open_time"), ("clicked", "click_time"), ("replied", "reply_time"), ("bounced", "is_bounced")],
)
async def test_rows_by_status(http: httpx.AsyncClient, status: str, field: str) -> None:
    found = await rows(http, await campaign(http), email_status=status)
    assert found
    assert all(row[field] for row in found)


async def test_some_times_are_naive(http: httpx.AsyncClient) -> None:
    endings = {row["sent_time"][-1] == "Z" for row in await rows(http, await campaign(http))}
    assert endings == {True, False}


async def test_what_arrives_meanwhile_shifts_the_rows(http: httpx.AsyncClient) -> None:
    number = await campaign(http)
    pages = []
    for offset in (0, 100):
        page = await get(http, f"/campaigns/{number}/statistics", offset=offset)
        pages += [row["stats_id"] for row in page["data"]]
        await http.post("/sandbox/happen", json={"kind": "sent", "campaign": 3, "count": 5})
    assert len(set(pages)) == 195


@pytest.mark.parametrize(
    "asked",
    [{"limit": "many"}, {"limit": 0}, {"email_status": "read"}, {"sent_time_start_date": "?"}, {"offset": -1}],
)
async def test_bad_parameters_are_422(http: httpx.AsyncClient, asked: dict[str, Any]) -> None:
    answer = await http.get(f"{ROOT}/campaigns/{await campaign(http)}/statistics", params={"api_key": KEY, **asked})
    assert (answer.status_code, answer.json()) == (422, {"error": "Invalid parameters provided"})


async def test_the_counters_of_a_campaign_move_with_what_happens_and_disagree_with_its_statistics(
    http: httpx.AsyncClient,
) -> None:
    number = await campaign(http)
    total = int((await get(http, f"/campaigns/{number}/statistics", limit=1))["total_stats"])
    before = await get(http, f"/campaigns/{number}/analytics")
    assert int(before["sent_count"]) == total + 2
    assert isinstance(before["sent_count"], str)
    await http.post("/sandbox/happen", json={"kind": "sent", "campaign": 3})
    after = await get(http, f"/campaigns/{number}/analytics")
    assert int(after["sent_count"]) == total + 3
    await switch(http, analytics="agree")
    assert int((await get(http, f"/campaigns/{number}/analytics"))["sent_count"]) == total + 1
    await switch(http, analytics="stuck")
    stuck = await get(http, f"/campaigns/{number}/analytics")
    await http.post("/sandbox/happen", json={"kind": "sent", "campaign": 3})
    assert await get(http, f"/campaigns/{number}/analytics") == stuck


async def test_the_other_two_shapes_of_statistics(http: httpx.AsyncClient) -> None:
    number = await campaign(http)
    count = len(await rows(http, number))
    await switch(http, statistics="aggregate")
    assert (await get(http, f"/campaigns/{number}/statistics"))["sent"] == str(count)
    await switch(http, statistics="sequences")
    steps = await get(http, f"/campaigns/{number}/statistics")
    assert sum(int(step["sent"]) for step in steps["data"]) == count


async def test_the_two_shapes_of_activities(http: httpx.AsyncClient, double: Smartlead) -> None:
    days = {"event_time_from": "2026-01-01", "event_time_to": "2026-11-02"}
    page = await get(http, "/campaigns/all-leads-activities", limit=10, **days)
    assert page["hasMore"]
    assert all(one["activities"] for one in page["data"])
    await switch(http, activities="flat")
    flat = await get(http, "/campaigns/all-leads-activities", limit=1_000, event_time_from="2020-01-01")
    assert int(flat["total"]) == double.store.counts()["events"]
    bad = await http.get(f"{ROOT}/campaigns/all-leads-activities", params={"event_time_from": "soon"})
    assert (bad.status_code, bad.json()["status"]) == (400, "error")


async def test_leads_history_and_export(http: httpx.AsyncClient, double: Smartlead) -> None:
    number = await campaign(http)
    page = await get(http, f"/campaigns/{number}/leads", limit=500)
    count = double.store.count_leads(3)
    assert (page["total_leads"], len(page["data"])) == (str(count), min(100, count))
    lead = page["data"][0]["lead"]["id"]
    history = (await get(http, f"/campaigns/{number}/leads/{lead}/message-history"))["history"]
    assert [one["time"] for one in history] == sorted(one["time"] for one in history)
    await switch(http, leads="total", history="messages")
    assert len((await get(http, f"/campaigns/{number}/leads"))["leads"]) == min(100, count)
    assert (await get(http, f"/campaigns/{number}/leads/{lead}/message-history"))["messages"] == history
    text = (await http.get(f"{ROOT}/campaigns/{number}/leads-export")).text
    assert len(list(csv.DictReader(io.StringIO(text)))) == count


@pytest.mark.parametrize(
    ("unknown", "status", "text"), [("404", 404, "Campaign not found"), ("object", 200, "{}"), ("empty", 200, "")]
)
async def test_an_unknown_campaign(http: httpx.AsyncClient, unknown: str, status: int, text: str) -> None:
    await switch(http, unknown=unknown)
    for path in ("/campaigns/1", "/campaigns/1/statistics", "/campaigns/1/leads"):
        answer = await http.get(f"{ROOT}{path}")
        assert answer.status_code == status
        assert text in answer.text


async def test_a_wrong_key_in_two_shapes(http: httpx.AsyncClient) -> None:
    bad = {"api_key": "no"}
    answer = await http.get(f"{ROOT}/campaigns/", params=bad)
    assert (answer.status_code, answer.json()) == (401, {"message": "Invalid API Key"})
    await switch(http, errors="envelope")
    assert (await http.get(f"{ROOT}/campaigns/", params=bad)).json()["error"]["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize(("plan", "allowed"), [("standard", 10), ("pro", 20), ("old", 10)])
async def test_the_limits_of_each_plan(http: httpx.AsyncClient, plan: str, allowed: int) -> None:
    await switch(http, plan=plan)
    with clock.frozen(NOW):
        answers = [await http.get(f"{ROOT}/campaigns/") for _ in range(allowed + 1)]
        await switch(http, retry_after=False)
        silent = await http.get(f"{ROOT}/campaigns/")
    assert [one.status_code for one in answers] == [200] * allowed + [429]
    told = answers[-1].json()["error"]
    assert (told["code"], str(told["retry_after"])) == ("RATE_LIMIT_EXCEEDED", answers[-1].headers["retry-after"])
    assert answers[-1].headers["x-ratelimit-remaining"] == "0"
    assert "retry-after" not in silent.headers
    with clock.frozen(NOW + timedelta(seconds=2)):
        assert (await http.get(f"{ROOT}/campaigns/")).status_code == 200


HOOK = {
    "association_type": "user",
    "event_type_map": {"EMAIL_OPEN": True, "EMAIL_BOUNCE": True, "LEAD_UNSUBSCRIBED": True},
}


async def test_webhooks_are_signed_and_some_have_no_time(http: httpx.AsyncClient, receiver: Receiver) -> None:
    made = await http.post(f"{ROOT}/webhook/create", json={**HOOK, "webhook_url": receiver.url})
    assert made.json()["ok"]
    for kind in ("opened", "bounced", "unsubscribed", "clicked"):
        await http.post("/sandbox/happen", json={"kind": kind, "mail": 7})
    await http.get("/sandbox/deliveries", params={"wait": "1"})
    bodies = [json.loads(body) for _, body in receiver.taken]
    assert {one["event_type"] for one in bodies} <= set(HOOK["event_type_map"])
    headers, body = receiver.taken[-1]
    assert headers["x-smartlead-signature"] == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-request-id"]
    untimed = [one for one in bodies if one["event_type"] in {"EMAIL_BOUNCE", "LEAD_UNSUBSCRIBED"}]
    assert len(untimed) == 2
    assert not any(name.startswith("time") for one in bodies[-2:] for name in one)
    assert not any("stats_id" in one for one in bodies)


@pytest.mark.parametrize(
    ("answers", "attempts", "state"),
    [
        ([503, 500], [503, 500, 200], "delivered"),
        ([400], [400], "failed"),
        ([500, 500, 500, 500], [500, 500, 500, 500], "failed"),
    ],
)
async def test_only_5xx_is_sent_again(
    http: httpx.AsyncClient, receiver: Receiver, answers: list[int], attempts: list[int], state: str
) -> None:
    await switch(http, webhook_scale=0.0)
    await http.post(f"{ROOT}/webhook/create", json={**HOOK, "webhook_url": receiver.url})
    receiver.answers.extend(answers)
    await http.post("/sandbox/happen", json={"kind": "bounced"})
    deliveries = (await http.get("/sandbox/deliveries", params={"wait": "1"})).json()
    assert [(one["attempts"], one["state"]) for one in deliveries] == [(attempts, state)]
    assert len({headers["x-request-id"] for headers, _ in receiver.taken}) == 1


async def test_a_users_webhook_wins_over_a_campaigns(http: httpx.AsyncClient, receiver: Receiver) -> None:
    number = await campaign(http)
    hook = {"webhook_url": receiver.url, "event_type_map": {"EMAIL_SENT": True}}
    await http.post(f"{ROOT}/campaigns/{number}/webhooks", json=hook)
    await http.post("/sandbox/happen", json={"kind": "sent", "campaign": 3})
    await http.post("/sandbox/happen", json={"kind": "sent", "campaign": 1})
    await http.post(f"{ROOT}/webhook/create", json={**hook, "association_type": 1})
    await http.post("/sandbox/happen", json={"kind": "sent", "campaign": 3})
    await http.get("/sandbox/deliveries", params={"wait": "1"})
    assert [headers["x-webhook-level"] for headers, _ in receiver.taken] == ["campaign", "user"]


async def test_webhooks_are_shown_changed_and_removed(http: httpx.AsyncClient, receiver: Receiver) -> None:
    made = (await http.post(f"{ROOT}/webhook/create", json={**HOOK, "webhook_url": receiver.url})).json()["data"]
    await http.put(f"{ROOT}/webhook/update/{made['id']}", json={"event_type_map": {"EMAIL_SENT": True}})
    assert (await get(http, f"/webhook/{made['id']}"))["event_type_map"] == {"EMAIL_SENT": True}
    await http.delete(f"{ROOT}/webhook/delete/{made['id']}")
    assert (await http.get(f"{ROOT}/webhook/{made['id']}")).status_code == 404
    for wrong in ({"webhook_url": "ftp://x"}, {"association_type": "team"}, {"event_type_map": {"SNEEZE": True}}):
        answer = await http.post(f"{ROOT}/webhook/create", json={**HOOK, "webhook_url": receiver.url, **wrong})
        assert answer.status_code == 422
