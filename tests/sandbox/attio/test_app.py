"""Attio's manners: assert by a unique attribute, values in two forms, one shape of errors, a date to come back at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from syncline.kernel import clock
from syncline.sandbox.attio.app import TOKEN, Attio, create_app
from syncline.sandbox.server import running

NOW = datetime(2026, 11, 2, 12, 0, 0, 300_000, tzinfo=UTC)
PEOPLE = "/v2/objects/people/records"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with running(create_app(Attio())) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        await client.post("/sandbox/switches", json={"limits": False})
        yield client


async def put(http: httpx.AsyncClient, **values: Any) -> httpx.Response:
    return await http.put(PEOPLE, params={"matching_attribute": "email_addresses"}, json={"data": {"values": values}})


async def query(http: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    answer = await http.post(f"{PEOPLE}/query", json=asked)
    data: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return data


async def test_the_same_address_is_the_same_person(http: httpx.AsyncClient) -> None:
    name = {"first_name": "Ada", "last_name": "Lovelace", "full_name": "Ada Lovelace"}
    first = (await put(http, email_addresses=["Ada@Example.com"], name=[name])).json()["data"]
    again = (await put(http, email_addresses=["ada@example.com", "a@x.example"], job_title="Countess")).json()["data"]
    assert first["id"] == again["id"]
    assert [one["email_address"] for one in again["values"]["email_addresses"]] == ["ada@example.com", "a@x.example"]
    assert again["values"]["name"][0]["full_name"] == "Ada Lovelace"
    assert again["values"]["job_title"][0]["value"] == "Countess"
    assert (await http.get("/sandbox/counts")).json()["people"] == 1


async def test_the_same_person_many_times_at_once_is_one(http: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(put(http, email_addresses=["ada@example.com"]) for _ in range(20)))
    assert len({one.json()["data"]["id"]["record_id"] for one in answers}) == 1


async def test_two_people_of_one_request_do_not_become_one(http: httpx.AsyncClient) -> None:
    for address in ("a.b@x.example", "ab@x.example"):
        await put(http, email_addresses=[address])
    both = await put(http, email_addresses=["a.b@x.example", "ab@x.example"])
    assert (both.status_code, both.json()["code"]) == (400, "multiple_match_results")
    taken = await http.post(PEOPLE, json={"data": {"values": {"email_addresses": ["ab@x.example"]}}})
    assert (taken.status_code, taken.json()["code"]) == (400, "uniqueness_conflict")
    assert len(await query(http)) == 2


async def test_a_record_is_read_changed_and_deleted(http: httpx.AsyncClient) -> None:
    made = (await put(http, email_addresses=["a@x.example"], name="Lovelace, Ada")).json()["data"]
    path = f"{PEOPLE}/{made['id']['record_id']}"
    assert (await http.get(path)).json()["data"] == made
    for method, addresses in (("PATCH", ["b@x.example", "a@x.example"]), ("PUT", ["b@x.example"])):
        sent = {"data": {"values": {"email_addresses": ["b@x.example"]}}}
        changed = (await http.request(method, path, json=sent)).json()["data"]
        assert [one["email_address"] for one in changed["values"]["email_addresses"]] == addresses
    assert (await http.delete(path)).json() == {"data": {}}
    gone = (await http.get(path)).json()
    assert (gone["status_code"], gone["type"], gone["code"]) == (404, "invalid_request_error", "not_found")


async def test_records_are_listed_in_pages_and_found_by_address(http: httpx.AsyncClient) -> None:
    for number in range(12):
        await put(http, email_addresses=[f"p{number}@x.example"])
    read = [one for offset in (0, 5, 10) for one in await query(http, limit=5, offset=offset)]
    assert len({one["id"]["record_id"] for one in read}) == 12
    for wanted in ("P3@x.example", {"email_address": {"$eq": "p3@x.example"}}, {"email_address": "p3@x.example"}):
        assert len(await query(http, filter={"email_addresses": wanted})) == 1
    assert await query(http, filter={"email_addresses": "nobody@x.example"}) == []


@pytest.mark.parametrize(
    ("path", "values", "code"),
    [
        (f"{PEOPLE}?matching_attribute=name", {"name": "Ada"}, "value_not_found"),
        (f"{PEOPLE}?matching_attribute=email_addresses", {"name": "Ada"}, "missing_value"),
        (f"{PEOPLE}?matching_attribute=email_addresses", {"email_addresses": ["none"]}, "validation_type"),
        (f"{PEOPLE}?matching_attribute=email_addresses", {"colour": "red"}, "value_not_found"),
        (
            f"{PEOPLE}?matching_attribute=email_addresses",
            {"email_addresses": ["a@x.example"], "job_title": 3},
            "validation_type",
        ),
        (f"{PEOPLE}?matching_attribute=email_addresses", None, "validation_type"),
        ("/v2/objects/ghosts/records?matching_attribute=x", {}, "not_found"),
    ],
)
async def test_what_is_wrong_has_a_code(http: httpx.AsyncClient, path: str, values: Any, code: str) -> None:
    answer = await http.put(path, json={"data": {"values": values}})
    assert answer.json()["code"] == code
    assert answer.status_code == answer.json()["status_code"]
    assert (await http.get("/sandbox/counts")).json()["people"] == 0


async def test_a_filter_that_is_not_served_is_refused(http: httpx.AsyncClient) -> None:
    by_name = {"sorts": [{"attribute": "name", "direction": "asc"}]}
    for asked in ({"filter": {"job_title": {"$contains": "x"}}}, by_name):
        answer = await http.post(f"{PEOPLE}/query", json=asked)
        assert (answer.status_code, answer.json()["code"]) == (400, "filter_error")


async def test_a_workspace_has_attributes_of_its_own(http: httpx.AsyncClient) -> None:
    new = {"api_slug": "opens", "type": "number"}
    assert (await http.post("/v2/objects/people/attributes", json={"data": new})).json()["data"]["type"] == "number"
    assert (await http.post("/v2/objects/people/attributes", json={"data": new})).status_code == 409
    made = (await put(http, email_addresses=["a@x.example"], opens=3)).json()["data"]
    assert made["values"]["opens"][0]["value"] == 3
    assert "opens" in {one["api_slug"] for one in (await http.get("/v2/objects/people/attributes")).json()["data"]}


async def test_who_may_ask_and_what_a_token_may(http: httpx.AsyncClient) -> None:
    refused = await http.get("/v2/self", headers={"Authorization": "Bearer no"})
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert (await http.get("/v2/self")).json()["workspace_name"] == "Sandbox"


async def test_writes_are_limited_more_than_reads_and_the_wait_is_a_date(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/switches", json={"limits": True, "reads_per_second": 3, "writes_per_second": 2})
    with clock.frozen(NOW):
        writes = [await put(http, email_addresses=[f"{number}@x.example"]) for number in range(3)]
        reads = [await http.post(f"{PEOPLE}/query", json={}) for _ in range(4)]
    assert [one.status_code for one in writes] == [200, 200, 429]
    assert [one.status_code for one in reads] == [200, 200, 200, 429]
    assert writes[-1].headers["retry-after"] == "Mon, 02 Nov 2026 12:00:01 GMT"
    assert writes[-1].json()["type"] == "rate_limit_error"
