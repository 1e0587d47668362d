"""lemlist's manners: plain-text errors, odd headers, a newest-first list that shifts, hooks with a secret inside."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tests.sandbox.outreach.receiver import Receiver, receiving

from syncline.kernel import clock
from syncline.sandbox.lemlist.app import KEY, Lemlist, Switches, create_app
from syncline.sandbox.outreach.store import Store
from syncline.sandbox.outreach.timelines import World
from syncline.sandbox.server import running

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def double() -> Lemlist:
    store = Store(World(seed=3, campaigns=4, now_ms=round(NOW.timestamp() * 1000), has_notes=True))
    store.fill(2_000)
    return Lemlist(store, Switches(limits=False))


@pytest.fixture
async def http(double: Lemlist) -> AsyncIterator[httpx.AsyncClient]:
    async with running(create_app(double)) as url, httpx.AsyncClient(base_url=url, auth=("", KEY)) as client:
        yield client


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def activities(http: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    answer = await http.get("/api/activities", params={"version": "v2", **asked})
    read: list[dict[str, Any]] = answer.raise_for_status().json()
    return read


async def pages(http: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = []
    while page := await activities(http, offset=len(read), **asked):
        read += page
    return read


async def truth(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await http.get("/sandbox/events")).text.splitlines()]


async def test_paging_gives_every_activity_newest_first(http: httpx.AsyncClient) -> None:
    read = await pages(http)
    assert [one["createdAt"] for one in read] == sorted((one["createdAt"] for one in read), reverse=True)
    assert sorted(one["_id"] for one in read) == sorted(one["id"] for one in await truth(http))
    assert len(await activities(http, limit=500)) == 100


async def test_what_arrives_meanwhile_shifts_the_pages(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/switches", json={"arrivals": 3})
    read = [one["_id"] for one in await activities(http) + await activities(http, offset=100)]
    assert len(set(read)) == 197


async def test_leads_that_are_removed_meanwhile_take_their_activities_along(http: httpx.AsyncClient) -> None:
    first = [one["_id"] for one in await activities(http)]
    await http.post("/sandbox/switches", json={"removals": 60})
    second = [one["_id"] for one in await activities(http, offset=len(first))]
    left = {one["_id"] for one in await pages(http)}
    hidden = [one["id"] for one in await truth(http) if one["id"] not in {*first, *second} and one["id"] in left]
    assert hidden


@pytest.mark.parametrize(("removal", "stays"), [("takes", False), ("keeps", True)])
async def test_a_lead_is_removed_from_its_campaign(http: httpx.AsyncClient, removal: str, *, stays: bool) -> None:
    await http.post("/sandbox/switches", json={"removal": removal})
    one = (await activities(http, type="emailsSent"))[0]
    path = f"/api/campaigns/{one['campaignId']}/leads/{one['leadId']}"
    assert (await http.delete(f"{path}?action=remove")).json()["email"] == one["leadEmail"]
    assert bool(await activities(http, leadId=one["leadId"])) is stays
    listed = (await http.get(f"/api/campaigns/{one['campaignId']}/leads/?limit=500")).json()
    assert one["leadId"] not in {lead["_id"] for lead in listed}
    again = await http.delete(f"{path}?action=remove")
    assert (again.status_code, again.text) == (404, "Lead not found")


async def test_without_the_action_the_lead_of_an_address_unsubscribes(http: httpx.AsyncClient) -> None:
    one = (await activities(http, type="emailsSent"))[0]
    await http.delete(f"/api/campaigns/{one['campaignId']}/leads/{one['leadEmail']}")
    assert (await activities(http))[0]["type"] == "emailsUnsubscribed"


async def test_ties_may_come_in_another_order_each_time(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/happen", json={"kind": "opened", "count": 1})
    with clock.frozen(NOW):
        await http.post("/sandbox/happen", json={"kind": "opened", "count": 30})
    await http.post("/sandbox/switches", json={"ties": "shuffled"})
    orders = {tuple(one["_id"] for one in await activities(http, limit=40)) for _ in range(5)}
    assert len(orders) > 1


async def test_filters(http: httpx.AsyncClient) -> None:
    campaign = (await http.get("/api/campaigns?version=v2")).json()[1]["_id"]
    opened = await pages(http, campaignId=campaign, type="emailsOpened", isFirst="true")
    assert {(one["campaignId"], one["type"], one["isFirst"]) for one in opened} == {(campaign, "emailsOpened", True)}
    lead = opened[0]["leadId"]
    assert {one["leadId"] for one in await pages(http, leadId=lead)} == {lead}
    assert await activities(http, campaignId="cam_unknown") == []


async def test_date_bounds_are_inclusive_and_in_two_spellings(http: httpx.AsyncClient) -> None:
    read = await pages(http)
    newest, oldest = read[10]["createdAt"], read[20]["createdAt"]
    inside = [one["_id"] for one in read if oldest <= one["createdAt"] <= newest]
    for names in (("minDate", "maxDate"), ("startDate", "endDate")):
        found = await activities(http, **dict(zip(names, (oldest, newest), strict=True)))
        assert [one["_id"] for one in found] == inside


@pytest.mark.parametrize(
    "asked",
    [{"version": "v1"}, {"minDate": "yesterday"}, {"minDate": "2026-01-02", "maxDate": "2026-01-02"}, {"offset": -1}],
)
async def test_bad_params_are_400_in_plain_text(http: httpx.AsyncClient, asked: dict[str, Any]) -> None:
    answer = await http.get("/api/activities", params={"version": "v2", **asked})
    assert (answer.status_code, answer.text) == (400, "Bad params")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("headers", "query", "status", "text"),
    [
        ({}, "", 400, "No API key provided"),
        ({"Authorization": f"Bearer {KEY}"}, "", 400, "No API key provided"),
        ({"Authorization": "Basic bm90OnRoZSBrZXk="}, "", 401, "The authentication you supplied is incorrect"),
        ({}, f"&access_token={KEY}", 200, None),
    ],
)
async def test_who_may_ask(double: Lemlist, headers: dict[str, str], query: str, status: int, text: str | None) -> None:
    async with running(create_app(double)) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        answer = await client.get(f"/api/campaigns?version=v2{query}")
    assert answer.status_code == status
    assert text in {None, answer.text}


async def test_the_limit_tells_itself_in_every_answer(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/switches", json={"limits": True})
    with clock.frozen(NOW):
        answers = [await http.get("/api/campaigns?version=v2") for _ in range(21)]
    assert [one.status_code for one in answers] == [200] * 20 + [429]
    assert [one.headers["x-ratelimit-remaining"] for one in answers[:2]] == ["19", "18"]
    assert {one.headers["retry-after"] for one in answers} == {"2"}
    reset = answers[-1].headers["x-ratelimit-reset"]
    assert reset == "Mon Nov 02 2026 12:00:02 GMT+0000 (Coordinated Universal Time)"


async def test_some_activities_have_neither_campaign_nor_address(http: httpx.AsyncClient) -> None:
    notes = await pages(http, type="annotated")
    assert notes
    assert not any({"campaignId", "leadEmail"} & set(note) for note in notes)
    assert 0 < sum("stepId" in one for one in await pages(http, type="emailsSent")) < len(await truth(http))


@pytest.mark.parametrize("shape", ["campaigns", "data", "results"])
async def test_campaigns_may_come_inside_an_object(http: httpx.AsyncClient, shape: str) -> None:
    await http.post("/sandbox/switches", json={"campaigns": shape})
    assert len((await http.get("/api/campaigns?version=v2")).json()[shape]) == 4


async def test_leads_come_as_ids_csv_and_json(http: httpx.AsyncClient) -> None:
    campaign = (await http.get("/api/campaigns?version=v2&limit=1")).json()[0]["_id"]
    ids = {one["_id"] for one in (await http.get(f"/api/campaigns/{campaign}/leads/?limit=500")).json()}
    exported = (await http.get(f"/api/campaigns/{campaign}/export/leads?state=all&format=json")).json()
    text = (await http.get(f"/api/campaigns/{campaign}/export/leads?state=all")).text
    assert ids == {one["_id"] for one in exported}
    assert len(text.splitlines()) == len(ids) + 1
    assert (await http.get("/api/campaigns/cam_no/leads/")).text == "Campaign not found"


async def test_a_hook_brings_the_activity_with_the_secret_inside(http: httpx.AsyncClient, receiver: Receiver) -> None:
    hook = {"targetUrl": receiver.url, "type": "emailsOpened", "secret": "s3"}
    made = (await http.post("/api/hooks", json=hook)).json()
    assert re.fullmatch(r"hoo_\w{17}", made["_id"])
    assert "s3" not in (await http.get("/api/hooks")).text
    happened = (await http.post("/sandbox/happen", json={"kind": "opened", "count": 2})).json()
    await http.post("/sandbox/happen", json={"kind": "clicked"})
    await http.get("/sandbox/deliveries?wait=1")
    bodies = [json.loads(body) for _, body in receiver.taken]
    assert [one["_id"] for one in bodies] == [one["id"] for one in happened]
    assert {one["secret"] for one in bodies} == {"s3"}
    assert all(one["to"][0]["address"] == one["leadEmail"] for one in bodies)
    await http.delete(f"/api/hooks/{made['_id']}")
    assert (await http.delete(f"/api/hooks/{made['_id']}")).text == "Webhook not found"


async def test_a_hook_that_fails_is_not_sent_again(http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.post("/api/hooks", json={"targetUrl": receiver.url})
    receiver.answers.append(500)
    await http.post("/sandbox/happen", json={"kind": "opened"})
    deliveries = (await http.get("/sandbox/deliveries?wait=1")).json()
    assert [(one["state"], one["attempts"]) for one in deliveries] == [("failed", [500])]


async def test_hooks_may_be_lost_doubled_and_late(http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.post("/api/hooks", json={"targetUrl": receiver.url})
    await http.post("/sandbox/faults", json={"faults": "webhook_lost=1,webhook_late=1,webhook_duplicate=1"})
    made = [one["id"] for one in (await http.post("/sandbox/happen", json={"kind": "opened", "count": 3})).json()]
    await http.get("/sandbox/deliveries?wait=1")
    assert [json.loads(body)["_id"] for _, body in receiver.taken] == [made[2], made[2], made[1]]


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ("http_500=1", 500, "Internal Server Error"),
        ("http_502=1", 502, "502 Bad Gateway"),
        ("html=1", 200, "Just a moment"),
        ("throttle=1:7s", 429, "Too many requests"),
        ("unauthorized=1", 401, "incorrect"),
        ("truncate=1", 200, "[{"),
    ],
)
async def test_faults_strike_once(http: httpx.AsyncClient, fault: str, status: int, text: str) -> None:
    await http.post("/sandbox/faults", json={"faults": f"{fault}@/api/activities"})
    answer = await http.get("/api/activities?version=v2")
    assert answer.status_code == status
    assert text in answer.text
    assert (await http.get("/api/activities?version=v2")).status_code == 200
    assert (await http.get("/sandbox/faults")).json()["active"][0]["fired"] == 1


async def test_a_dropped_connection_has_no_answer(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/faults", json={"faults": "drop_before=1,drop_after=1"})
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            await http.get("/api/activities?version=v2")


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("faults", {"faults": "explode"}),
        ("faults", {"faults": "slow=soon"}),
        ("faults", {"kind": "slow", "colour": 1}),
        ("switches", {"colour": 1}),
        ("switches", {"campaigns": "object"}),
        ("switches", {"arrivals": "3"}),
        ("switches", {"limits": 1}),
        ("switches", []),
        ("happen", {"kind": "sneezed"}),
        ("happen", {"kind": "opened", "mail": 10_000_000}),
    ],
)
async def test_the_control_surface_says_what_is_wrong(http: httpx.AsyncClient, path: str, sent: Any) -> None:
    answer = await http.post(f"/sandbox/{path}", json=sent)
    assert answer.status_code == 400
    assert answer.json()["error"]
