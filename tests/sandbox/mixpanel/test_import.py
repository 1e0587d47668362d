"""What import takes, what it refuses, and what is left of it."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from syncline.kernel import clock
from syncline.sandbox.mixpanel.app import Mixpanel

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TIME = int(NOON.timestamp())


def event(number: int = 1, **properties: Any) -> dict[str, Any]:
    named = {"time": TIME, "distinct_id": "ada@example.com", "$insert_id": f"id-{number}", **properties}
    return {"event": "email_opened", "properties": named}


async def send(http: httpx.AsyncClient, events: Any, **more: Any) -> httpx.Response:
    return await http.post("/import", params={"strict": "1", "project_id": "4242"}, json=events, **more)


async def counts(http: httpx.AsyncClient) -> dict[str, int]:
    answer: dict[str, int] = (await http.get("/sandbox/counts")).json()
    return answer


async def test_good_events_are_counted(http: httpx.AsyncClient) -> None:
    answer = await send(http, [event(number) for number in range(2_000)])
    assert (answer.status_code, answer.json()) == (200, {"code": 200, "num_records_imported": 2_000, "status": "OK"})
    assert await counts(http) == {"raw": 2_000, "distinct": 2_000, "compacted": 2_000}


async def test_a_bad_event_is_named_and_the_others_are_kept(http: httpx.AsyncClient) -> None:
    answer = await send(http, [event(1), event(2, time="yesterday"), event(3)])
    assert answer.status_code == 400
    told = answer.json()
    assert (told["num_records_imported"], told["status"]) == (2, "Bad Request")
    assert [(one["index"], one["$insert_id"], one["field"]) for one in told["failed_records"]] == [
        (1, "id-2", "properties.time")
    ]
    assert (await counts(http))["raw"] == 2


async def test_the_failed_records_of_the_openapi_document_call_the_id_otherwise(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/switches", json={"failed_id": "insert_id"})
    told = (await send(http, [event(7, time=None)])).json()
    assert told["failed_records"][0]["insert_id"] == "id-7"


@pytest.mark.parametrize(
    ("properties", "field"),
    [
        ({"$insert_id": "with_underscore"}, "properties.$insert_id"),
        ({"$insert_id": "x" * 37}, "properties.$insert_id"),
        ({"$insert_id": ""}, "properties.$insert_id"),
        ({"$insert_id": None}, "properties.$insert_id"),
        ({"$insert_id": "undefined"}, "properties.$insert_id"),
        ({"distinct_id": "Anonymous"}, "properties.distinct_id"),
        ({"distinct_id": None}, "properties.distinct_id"),
        ({"time": 1}, "properties.time"),
        ({"time": True}, "properties.time"),
        ({"many": list(range(255))}, "properties.many"),
        ({"deep": {"a": {"b": {"c": {}}}}}, "properties.deep"),
        ({"large": "x" * 1_000_001}, "properties"),
        ({f"p{number}": 1 for number in range(255)}, "properties"),
    ],
)
async def test_each_rule_names_its_field(http: httpx.AsyncClient, properties: dict[str, Any], field: str) -> None:
    answer = await send(http, [event(1, **properties)])
    assert [one["field"] for one in answer.json()["failed_records"]] == [field]
    assert (await counts(http))["raw"] == 0


async def test_an_empty_distinct_id_is_allowed_and_strings_are_cut(http: httpx.AsyncClient) -> None:
    assert (await send(http, [event(1, distinct_id="", subject="s" * 300)])).status_code == 200
    line = (await export(http))[0]
    assert (line["properties"]["distinct_id"], len(line["properties"]["subject"])) == ("", 255)


async def test_seconds_and_milliseconds_are_the_same_time(http: httpx.AsyncClient) -> None:
    await send(http, [event(1), event(1, time=TIME * 1000)])
    assert await counts(http) == {"raw": 2, "distinct": 1, "compacted": 1}


async def test_a_future_time_is_refused_or_overwritten(http: httpx.AsyncClient) -> None:
    with clock.frozen(NOON):
        ahead = int((NOON + timedelta(hours=2)).timestamp())
        assert (await send(http, [event(1, time=ahead)])).status_code == 400
        await http.post("/sandbox/switches", json={"future": "overwrite"})
        assert (await send(http, [event(1, time=ahead)])).status_code == 200
        assert [line["properties"]["time"] for line in await export(http)] == [TIME]


async def test_what_is_sent_twice_stays_twice_in_the_export_and_is_one_in_reports(http: httpx.AsyncClient) -> None:
    await send(http, [event(1, subject="first")])
    await send(http, [event(1, subject="second")])
    await send(http, [event(1, time=TIME + 60)])
    assert await counts(http) == {"raw": 3, "distinct": 2, "compacted": 1}
    assert len(await export(http)) == 3
    reported = [json.loads(line) for line in (await http.get("/sandbox/deduplicated")).text.splitlines()]
    assert [line["properties"].get("subject") for line in reported] == ["second", None]


async def test_too_many_events_or_bytes_are_413_and_nothing_is_kept(http: httpx.AsyncClient) -> None:
    assert (await send(http, [event(number) for number in range(2_001)])).status_code == 413
    await http.post("/sandbox/switches", json={"max_bytes": 2_097_152})
    packed = gzip.compress(json.dumps([event(1, subject="x" * 2_200_000)]).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = await http.post("/import", params={"strict": "1"}, content=packed, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (413, "request exceeds max limit of 2097152 bytes")
    assert (await counts(http))["raw"] == 0


async def test_gzip_and_json_lines_are_understood(http: httpx.AsyncClient) -> None:
    lines = gzip.compress("\n".join(json.dumps(event(number)) for number in range(3)).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-ndjson"}
    answer = await http.post("/import", params={"strict": "1"}, content=lines, headers=headers)
    assert answer.json()["num_records_imported"] == 3


@pytest.mark.parametrize("content", [b"{", b"\x1f\x8b-broken"])
async def test_an_unreadable_body_is_400(http: httpx.AsyncClient, content: bytes) -> None:
    assert (await http.post("/import", params={"strict": "1"}, content=content)).status_code == 400
    headers = {"Content-Encoding": "gzip"}
    assert (await http.post("/import", content=content, headers=headers)).status_code == 400


@pytest.mark.parametrize(
    ("authorization", "project", "status"),
    [
        ("Basic c2FuZGJveC5zZXJ2aWNlLWFjY291bnQ6bXAtcGFzc3dvcmQtc2FuZGJveA==", "4242", 200),
        ("Basic sandbox.service-account:mp-password-sandbox", "4242", 200),
        ("Basic sandbox.service-account:mp-password-sandbox", None, 401),
        ("Basic mp-secret-sandbox:", None, 200),
        ("Basic mp-token-sandbox:", None, 200),
        ("Basic mp-token-sandbox:", "4243", 401),
        ("Basic mp-password-sandbox:", "4242", 401),
        ("", "4242", 401),
    ],
)
async def test_who_may_import(url: str, authorization: str, project: str | None, status: int) -> None:
    params = {"strict": "1", "project_id": project} if project else {"strict": "1"}
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": authorization}) as client:
        answer = await client.post("/import", params=params, json=[event()])
    assert answer.status_code == status


async def test_a_full_minute_is_429_without_retry_after_and_nothing_is_kept(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/switches", json={"events_per_minute": 3})
    with clock.frozen(NOON):
        assert (await send(http, [event(1), event(2)])).status_code == 200
        answer = await send(http, [event(3), event(4)])
        assert (answer.status_code, answer.json()["status"]) == (429, "Too Many Requests")
        assert "retry-after" not in answer.headers
    with clock.frozen(NOON + timedelta(seconds=61)):
        assert (await send(http, [event(3), event(4)])).status_code == 200
    assert (await counts(http))["raw"] == 4


async def test_exports_are_limited_by_the_second(http: httpx.AsyncClient) -> None:
    with clock.frozen(NOON):
        days = {"from_date": "2026-11-02", "to_date": "2026-11-02", "project_id": "4242"}
        answers = [await http.get("/api/2.0/export", params=days) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]


async def test_the_export_is_by_day_and_event_and_may_lag(http: httpx.AsyncClient) -> None:
    other = {**event(2, time=TIME + 86_400), "event": "email_sent"}
    await send(http, [event(1), other])
    assert [line["event"] for line in await export(http)] == ["email_opened"]
    assert [line["event"] for line in await export(http, to_date="2026-11-03", event='["email_sent"]')] == [
        "email_sent"
    ]
    await http.post("/sandbox/switches", json={"export_lag_seconds": 60.0})
    assert await export(http) == []


async def test_a_long_export_is_compressed_for_those_who_can_read_it(http: httpx.AsyncClient) -> None:
    await send(http, [event(number) for number in range(500)])
    answer = await raw_export(http)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.text.splitlines()) == 500


async def test_a_lost_answer_stands_and_a_lost_batch_does_not(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/faults", json={"faults": "drop_after=1@/import"})
    with pytest.raises(httpx.TransportError):
        await send(http, [event(1)])
    await http.post("/sandbox/faults", json={"faults": "lost=1,partial=1"})
    assert (await send(http, [event(2), event(3)])).json()["num_records_imported"] == 1
    assert (await counts(http))["raw"] == 1


async def test_many_at_once_lose_nothing(http: httpx.AsyncClient) -> None:
    batches = [[event(number * 100 + one) for one in range(100)] for number in range(20)]
    answers = await asyncio.gather(*(send(http, batch) for batch in batches))
    assert {one.status_code for one in answers} == {200}
    assert await counts(http) == {"raw": 2_000, "distinct": 2_000, "compacted": 2_000}


async def test_counts_by_day_and_event(http: httpx.AsyncClient, double: Mixpanel) -> None:
    await send(http, [event(1), event(1), event(2, time=TIME + 86_400)])
    by_day = (await http.get("/sandbox/counts", params={"by": "day"})).json()
    assert by_day == {"2026-11-02": {"raw": 2, "distinct": 1}, "2026-11-03": {"raw": 1, "distinct": 1}}
    assert double.records.counts_by("event") == {"email_opened": {"raw": 3, "distinct": 2}}


async def raw_export(http: httpx.AsyncClient, **asked: str) -> httpx.Response:
    params = {"from_date": "2026-11-02", "to_date": "2026-11-02", "project_id": "4242", **asked}
    return (await http.get("/api/2.0/export", params=params)).raise_for_status()


async def export(http: httpx.AsyncClient, **asked: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await raw_export(http, **asked)).text.splitlines()]
