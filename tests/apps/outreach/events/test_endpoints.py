"""`/api/event-keys`: what it answers, every error it declares, and everything that callers send wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from syncline.apps.outreach.contract import EventIdentity
from syncline.apps.outreach.events import repository
from syncline.apps.outreach.events.endpoints import ROUTERS
from syncline.apps.outreach.keys.event_key import event_key
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.audit.entry import Entry
from syncline.runtime.audit.trail import EntryQuery, list_entries

BASE = "/api/event-keys"
SENT = {"platform": "lemlist", "campaignId": "recovery_test", "eventType": "test", "email": "recovery@example.com"}
IDENTITY = EventIdentity("lemlist", "recovery_test", "test", "recovery@example.com")
ENDPOINTS: dict[str, tuple[Any, str]] = {
    f"POST {BASE}/generate": (SENT, "outreach:sync"),
    f"POST {BASE}/generate-batch": ({"events": [SENT]}, "outreach:sync"),
    f"GET {BASE}/stats": (None, "outreach:read"),
    f"POST {BASE}/clear-cache": (None, "outreach:sync"),
}
Call = Callable[..., Awaitable[httpx.Response]]


async def generate(call: Call, **more: Any) -> httpx.Response:
    return await call("POST", f"{BASE}/generate", json={**SENT, **more})


async def stats(call: Call, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await call("GET", f"{BASE}/stats", **more)).json()["stats"]
    return found


async def stored(runtime: Runtime, tenant_id: TenantId) -> list[str]:
    async with runtime.database.reading(tenant_id) as session:
        return list(await session.scalars(text("SELECT event_key FROM outreach.event_source ORDER BY event_key")))


async def trail(runtime: Runtime, tenant_id: TenantId) -> list[Entry]:
    async with runtime.database.reading(tenant_id) as session:
        return list((await list_entries(session, EntryQuery(), PageRequest(limit=100))).items)


def test_the_table_above_holds_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_nobody_is_401_and_each_role_may_what_it_holds(call: Call, address: str) -> None:
    body, permission = ENDPOINTS[address]
    method, path = address.split(" ")
    nobody = await call(method, path, role=None, json=body)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "API_001")
    answers = {role: await call(method, path, role=role, json=body) for role in PERMISSIONS}
    refused = {role for role, answer in answers.items() if answer.status_code == 403}
    assert refused == {role for role in PERMISSIONS if not Actor(TenantId(new_id()), "", role).may(permission)}
    assert {answer.status_code for role, answer in answers.items() if role not in refused} == {200}


async def test_a_body_is_json_whatever_its_content_type_says(call: Call, runtime: Runtime, tenant_id: TenantId) -> None:
    """As `curl -d` sends it."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await call("POST", f"{BASE}/generate", content=json.dumps(SENT), headers=headers)
    made = answer.json()
    assert answer.status_code == 200
    assert answer.text.startswith('{"success":true,"event_key":"lemlist_recoverytest_test__')
    assert (made["collision_detected"], made["generation_stats"]["new"]) == (False, 1)
    assert await stored(runtime, tenant_id) == [made["event_key"]]


async def test_the_same_event_has_the_same_key_and_is_stored_once(
    call: Call, runtime: Runtime, tenant_id: TenantId
) -> None:
    first, again = (await generate(call)).json(), (await generate(call, email="Recovery@Example.com")).json()
    assert first["event_key"] == again["event_key"] == event_key(IDENTITY)
    assert (first["generation_stats"]["new"], again["generation_stats"]["new"]) == (1, 0)
    assert len(await stored(runtime, tenant_id)) == 1


@pytest.mark.parametrize(
    ("more", "identity"),
    [
        ({"namespace": "north"}, {"namespace": "north"}),
        ({"activityId": "act_1"}, {"activity_id": "act_1"}),
        ({"activityId": None}, {}),
        ({"campaignId": 2710262}, {"campaign_id": "2710262"}),
        ({"timestamp": "2024-01-01T10:00:00.250+01:00"}, {"timestamp_ms": 1_704_099_600_250}),
        ({"timestamp": 1_704_099_600_250}, {"timestamp_ms": 1_704_099_600_250}),
        ({"email": "o'neil+x@sub.example.com"}, {"email": "o'neil+x@sub.example.com"}),
        ({"campaignId": "Frühling 2024 – «neu»"}, {"campaign_id": "Frühling 2024 – «neu»"}),
    ],
)
async def test_every_field_counts(call: Call, more: dict[str, Any], identity: dict[str, Any]) -> None:
    whole = IDENTITY._replace(**identity)
    assert (await generate(call, **more)).json()["event_key"] == event_key(whole)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"platform": "mailchimp"}, "platform"),
    ({"platform": "Lemlist"}, "platform"),
    ({"platform": ["lemlist"]}, "platform"),
    ({"platform": None}, "platform"),
    ({"campaignId": "a'b"}, "campaignId"),
    ({"campaignId": 'a"b'}, "campaignId"),
    ({"campaignId": "1; DROP TABLE event_source"}, "campaignId"),
    ({"campaignId": "1 -- x"}, "campaignId"),
    ({"campaignId": "1 /* x */"}, "campaignId"),
    ({"campaignId": "a\\b"}, "campaignId"),
    ({"campaignId": "a\0b"}, "campaignId"),
    ({"campaignId": "x" * 10_000}, "campaignId"),
    ({"campaignId": ""}, "campaignId"),
    ({"campaignId": " a"}, "campaignId"),
    ({"campaignId": "a\n"}, "campaignId"),
    ({"campaignId": True}, "campaignId"),
    ({"campaignId": 1.5}, "campaignId"),
    ({"campaignId": -1}, "campaignId"),
    ({"campaignId": 2**63}, "campaignId"),
    ({"campaignId": {"a": 1}}, "campaignId"),
    ({"eventType": "sent'"}, "eventType"),
    ({"eventType": 7}, "eventType"),
    ({"eventType": None}, "eventType"),
    ({"email": "nobody"}, "email"),
    ({"email": "a@b@c.example"}, "email"),
    ({"email": "a b@example.com"}, "email"),
    ({"email": "a@example.com\0"}, "email"),
    ({"email": "a" * 10_000 + "@example.com"}, "email"),
    ({"email": ""}, "email"),
    ({"email": 5}, "email"),
    ({"activityId": "act;1"}, "activityId"),
    ({"activityId": ""}, "activityId"),
    ({"timestamp": "yesterday"}, "timestamp"),
    ({"timestamp": "2024-01-01T10:00:00"}, "timestamp"),
    ({"timestamp": 1_704_099_600}, "timestamp"),
    ({"timestamp": 10**40}, "timestamp"),
    ({"timestamp": True}, "timestamp"),
    ({"timestamp": 1.5}, "timestamp"),
    ({"namespace": "North"}, "namespace"),
    ({"namespace": "a;b"}, "namespace"),
    ({"namespace": "a b"}, "namespace"),
    ({"namespace": ""}, "namespace"),
    ({"namespace": 1}, "namespace"),
    ({"timestamp": "9999-12-31T23:59:59Z"}, "timestamp"),
    ({"timestamp": "0001-01-01T00:00:00+23:59"}, "timestamp"),
    ({"timestamp": "2024-02-30T00:00:00Z"}, "timestamp"),
    ({"timestamp": -1}, "timestamp"),
    ({"timestamp": 1_704_099_600_000_000}, "timestamp"),
    ({"timestamp": "1704099600000"}, "timestamp"),
    ({"tenant_id": "x"}, "tenant_id"),
    ({"tenant\0id": "x"}, "tenant?id"),
]


@pytest.mark.parametrize(("more", "field"), WRONG, ids=[f"{field} {n}" for n, (_, field) in enumerate(WRONG)])
async def test_what_is_wrong_is_refused_with_the_field_and_a_sentence(
    call: Call, runtime: Runtime, tenant_id: TenantId, more: dict[str, Any], field: str
) -> None:
    answer = await generate(call, **more)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["success"]) == (400, "KEY_001", False)
    assert [wrong["field"] for wrong in problem["fields"]] == [field]
    assert problem["error"].startswith(f"The event cannot have a key: {field}: ")
    assert len(problem["error"]) < 400
    assert await stored(runtime, tenant_id) == []
    assert (await stats(call))["invalid_inputs"] == 1


NO_JSON = [
    b"", b"  ", b"{", b"nonsense", b"{} {}", b"{'a':1}", b'{"campaignId":NaN}', b'{"campaignId":1e999}',
    b'{"campaignId":' + b"9" * 5_000 + b"}", b'{"platform":"\xff"}', b"[" * 100_000, b'{"a":"\\ud800"}',
    b'{"campaignId":"\\ud83d"}', "\ufeff{}".encode(), "{}".encode("utf-16"),
]  # fmt: skip


@pytest.mark.parametrize("body", NO_JSON)
async def test_a_body_that_is_no_json_is_400(call: Call, body: bytes) -> None:
    answer = await call("POST", f"{BASE}/generate", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "REQ_002")
    assert answer.json()["error"].startswith("The body is not valid JSON: ")
    assert (await stats(call))["invalid_inputs"] == 1


@pytest.mark.parametrize("body", ["[]", '"text"', "7", "null", "{}"])
async def test_json_that_is_no_event_is_key_001(call: Call, body: str) -> None:
    answer = await call("POST", f"{BASE}/generate", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "KEY_001")


async def test_a_batch_is_answered_in_its_order(call: Call, runtime: Runtime, tenant_id: TenantId) -> None:
    events = [{**SENT, "activityId": f"act_{number}"} for number in range(1_000)]
    answer = await call("POST", f"{BASE}/generate-batch", json={"events": events})
    made = answer.json()
    assert [one["event_key"].split("_")[3] for one in made["results"]] == [f"act{number}" for number in range(1_000)]
    assert (made["generation_stats"]["new"], made["generation_stats"]["collisions"]) == (1_000, 0)
    assert sorted(one["event_key"] for one in made["results"]) == await stored(runtime, tenant_id)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"events": []}, ["events"]),
        ({"events": [SENT] * 1_001}, ["events"]),
        ({"events": [*([SENT] * 999), {**SENT, "email": "x"}]}, ["events[999].email"]),
        ({"events": "x"}, ["events"]),
        ([SENT], ["events"]),
        ({"events": [SENT], "dryRun": True}, ["dryRun"]),
        ({"events": [SENT, {**SENT, "email": "x"}, 7]}, ["events[1].email", "events[2]"]),
        (
            {"events": [{}] * 50},
            [f"events[{n}].{name}" for n in (0, 1) for name in list(SENT)] + ["events[2].platform"],
        ),
    ],
)
async def test_a_batch_with_something_wrong_is_refused_whole(
    call: Call, runtime: Runtime, tenant_id: TenantId, body: Any, fields: list[str]
) -> None:
    answer = await call("POST", f"{BASE}/generate-batch", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "KEY_001")
    assert [wrong["field"] for wrong in answer.json()["fields"]][: len(fields)] == fields
    assert await stored(runtime, tenant_id) == []


async def test_statistics_count_what_was_made(call: Call) -> None:
    await generate(call)
    await generate(call)
    await generate(call, email="x")
    found = await stats(call)
    assert (found["total_generated"], found["invalid_inputs"], found["collisions_detected"]) == (2, 1, 0)
    assert (found["collision_rate"], found["cache_size"]) == (0.0, 1)
    assert found["generation_rate"] > 0
    assert await stats(call, tenant="other") == {
        **dict.fromkeys(found, 0),
        "cache_size": 1,
    }


async def test_a_collision_is_told_and_counted(call: Call, runtime: Runtime, tenant_id: TenantId) -> None:
    await generate(call)
    async with runtime.database.writing(tenant_id) as session:
        await session.execute(text("UPDATE outreach.event_source SET campaign_id = 'another'"))
    assert (await generate(call)).json()["collision_detected"] is True
    assert ((await stats(call))["collisions_detected"], (await stats(call))["collision_rate"]) == (1, 0.5)


async def test_what_is_kept_in_memory_can_be_forgotten_and_no_key_is_lost(call: Call) -> None:
    first = (await generate(call, namespace="north")).json()
    assert (await call("POST", f"{BASE}/clear-cache")).json() == {"success": True, "cleared": 1}
    assert (await stats(call))["cache_size"] == 0
    assert (await generate(call, namespace="north")).json()["event_key"] == first["event_key"]


async def test_a_namespace_is_made_on_first_use(call: Call) -> None:
    await generate(call, namespace="load_test_3")
    await generate(call)
    names = [one["name"] for one in (await call("GET", "/api/namespaces")).json()["namespaces"]]
    assert sorted(names) == ["default", "load_test_3"]
    assert (await call("GET", "/api/namespaces", tenant="other")).json()["namespaces"] == []


async def test_those_who_ask_together_share_an_entry_in_the_trail(
    call: Call, runtime: Runtime, tenant_id: TenantId
) -> None:
    await asyncio.gather(*(generate(call, activityId=f"act_{number}") for number in range(40)))
    entries = await trail(runtime, tenant_id)
    assert {one.action for one in entries} == {"event keys generated"}
    assert sum(one.details["keys"] for one in entries) == 40
    assert len(entries) < 40
    assert "recovery@example.com" not in repr(entries)


async def test_a_refused_event_leaves_an_entry_too(call: Call, runtime: Runtime, tenant_id: TenantId) -> None:
    await generate(call, email="x")
    assert [(one.action, one.outcome) for one in await trail(runtime, tenant_id)] == [
        ("POST /api/event-keys/generate", "400")
    ]


async def test_two_tenants_at_once_each_have_their_own(
    call: Call, runtime: Runtime, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    async def by(tenant: str, number: int) -> httpx.Response:
        body = {**SENT, "activityId": f"{tenant}_{number}"}
        return await call("POST", f"{BASE}/generate", tenant=tenant, json=body)

    answers = await asyncio.gather(*(by(tenant, number) for number in range(20) for tenant in ("mine", "other")))
    assert {answer.status_code for answer in answers} == {200}
    assert [len(await stored(runtime, one)) for one in (tenant_id, other_tenant_id)] == [20, 20]


async def test_a_key_that_goes_away_whenever_it_is_looked_at_is_an_error_of_ours_and_tried_again(
    call: Call, runtime: Runtime, tenant_id: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if somebody emptied the table each time between our writing and our look."""

    async def find_nothing(*_: Any) -> dict[str, Any]:
        return {}

    made = (await generate(call)).json()["event_key"]
    with monkeypatch.context() as emptied:
        emptied.setattr(repository, "list_stored", find_nothing)
        answer = await generate(call)
    assert (answer.status_code, answer.json()["code"]) == (500, "KEY_002")
    assert "Try again" in answer.json()["error"]
    assert await stored(runtime, tenant_id) == [made]
    assert (await generate(call)).json()["event_key"] == made
