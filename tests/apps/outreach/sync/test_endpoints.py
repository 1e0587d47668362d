"""`/api/full-sync` over HTTP: shapes that callers rely on, every code, and who may."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.apps.outreach.conftest import Call, Place

ONE_DAY = {
    "platforms": "lemlist",
    "syncMode": "date_range",
    "startDate": "2026-10-01",
    "endDate": "2026-10-01",
    "namespaces": "test",
    "enableProgressTracking": True,
}


async def test_a_run_is_begun_looked_at_and_found_in_the_history(place: Place, call: Call) -> None:
    begun = (await call("POST", "/api/full-sync/execute", json=ONE_DAY)).json()
    assert begun["success"] is True
    assert begun["config"] == ONE_DAY
    assert begun["progressUrl"] == f"/api/full-sync/status/{begun['jobId']}"
    assert begun["estimatedDuration"]
    waiting = (await call("GET", begun["progressUrl"], role=None)).json()
    assert waiting["status"] == "queued"
    await place.work()
    ended = (await call("GET", begun["progressUrl"], role=None)).json()
    assert ended["status"] == "completed"
    assert set(ended["progress"]) == {"percentage", "processed_items", "total_items", "current_stage", "eta_minutes"}
    assert set(ended["summary"]) == {
        "total_processed", "events_created", "users_processed", "errors", "duration_ms",
    }  # fmt: skip
    assert ended["error"] is None
    (past,) = (await call("GET", "/api/full-sync/history")).json()["jobs"]
    assert (past["config"], past["summary"]) == (ONE_DAY, ended["summary"])


async def test_a_second_run_of_a_namespace_is_409_and_names_the_first(place: Place, call: Call) -> None:
    del place
    first = (await call("POST", "/api/full-sync/execute", json=ONE_DAY)).json()["jobId"]
    refused = await call("POST", "/api/full-sync/execute", json=ONE_DAY)
    assert (refused.status_code, refused.json()["code"], refused.json()["jobId"]) == (409, "SYNC_003", first)


async def test_a_cancelled_run_says_so_and_another_can_begin(place: Place, call: Call) -> None:
    del place
    job = (await call("POST", "/api/full-sync/execute", json=ONE_DAY)).json()["jobId"]
    told = (await call("DELETE", f"/api/full-sync/cancel/{job}")).json()
    assert {"success", "jobId", "status", "message"} == set(told)
    assert (told["success"], told["jobId"], told["status"]) == (True, job, "cancelled")
    assert (await call("POST", "/api/full-sync/execute", json=ONE_DAY)).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"platforms": "hubspot"}, "platforms"),
        ({"platforms": []}, "platforms"),
        ({"platforms": 7}, "platforms"),
        ({"syncMode": "everything"}, "syncMode"),
        ({"syncMode": "reconcile"}, "syncMode"),
        ({"syncMode": "date_range"}, "startDate"),
        ({"syncMode": "date_range", "startDate": "2024-02-02", "endDate": "2024-02-01"}, "endDate"),
        ({"syncMode": "date_range", "startDate": "2199-01-01", "endDate": "2199-01-02"}, "startDate"),
        ({"syncMode": "date_range", "startDate": "2024-01-01", "endDate": "2199-01-02"}, "endDate"),
        ({"syncMode": "date_range", "startDate": "2024-13-01", "endDate": "2024-01-02"}, "startDate"),
        ({"syncMode": "full_historical", "startDate": "2024-01-01"}, "startDate"),
        ({"namespaces": "a;drop table"}, "namespaces"),
        ({"namespaces": "Ä"}, "namespaces"),
        ({"namespaces": []}, "namespaces"),
        ({"namespaces": ""}, "namespaces"),
        ({"namespaces": [["a"]]}, "namespaces"),
        ({"namespaces": "half\ud800"}, "namespaces"),
        ({"namespaces": ["x" * 10_000]}, "namespaces"),
        ({"namespaces": ["nul\0"]}, "namespaces"),
        ({"namespaces": [f"n{number}" for number in range(51)]}, "namespaces"),
        ({"batchSize": 0}, "batchSize"),
        ({"batchSize": 1001}, "batchSize"),
        ({"batchSize": "50"}, "batchSize"),
        ({"batchSize": True}, "batchSize"),
        ({"enableMixpanelTracking": "yes"}, "enableMixpanelTracking"),
        ({"parallelWorkers": 17}, "parallelWorkers"),
        ({"dateRange": 5}, "dateRange"),
        ({"dateRange": {"chunkSize": -1}}, "dateRange.chunkSize"),
        ({"dateRange": {"chunks": 1}}, "dateRange.chunks"),
        ({"rateLimitOverride": {"requestsPerSecond": 0}}, "rateLimitOverride.requestsPerSecond"),
        ({"rateLimitOverride": {"requestsPerSecond": 1e300}}, "rateLimitOverride.requestsPerSecond"),
        ({"rateLimitOverride": {"requestsPerSecond": float("nan")}}, "rateLimitOverride.requestsPerSecond"),
        ({"rateLimitOverride": {"requestsPerSecond": True}}, "rateLimitOverride.requestsPerSecond"),
        ({"rateLimitOverride": {"burstSize": 1.5}}, "rateLimitOverride.burstSize"),
        ({"parallelWorkers": 10**400}, "parallelWorkers"),
        ({"syncMode": {"mode": "date_range"}}, "syncMode"),
        ({"syncMode": "date_range", "startDate": "0000-01-01", "endDate": "2024-01-01"}, "startDate"),
        ({"syncMode": "date_range", "startDate": 1704099600, "endDate": "2024-01-01"}, "startDate"),
        ({"syncMode": "date_range", "startDate": "2024-01-01\0", "endDate": "2024-01-01"}, "startDate"),
        ({"syncMode": "date_range", "startDate": "2024-01-01", "endDate": "9999-12-31T23:59:59-14:00"}, "endDate"),
        ({"webhookUrl": "ftp://x.example"}, "webhookUrl"),
        ({"webhookUrl": "http://[::ffff:10.0.0.1]/"}, "webhookUrl"),
        ({"webhookUrl": "http://hooks..example.com/"}, "webhookUrl"),
        ({"webhookUrl": f"http://{'x' * 64}.example.com/"}, "webhookUrl"),
        ({"webhookUrl": "http://hooks.example.com:0/"}, "webhookUrl"),
        ({"webhookUrl": "http://hooks.example.com/\r\nX: y"}, "webhookUrl"),
        ({"webhookUrl": 5}, "webhookUrl"),
        ({"webhookUrl": "http://169.254.169.254/latest"}, "webhookUrl"),
        ({"webhookUrl": "http://10.1.2.3/"}, "webhookUrl"),
        ({"webhookUrl": "https://user:pass@hooks.example.com/"}, "webhookUrl"),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_whatever_is_wrong_is_said_by_its_field(call: Call, body: dict[str, Any], field: str) -> None:
    # Not httpx's own encoder, which refuses what others send.
    refused = await call("POST", "/api/full-sync/execute", content=json.dumps(body))
    assert (refused.status_code, refused.json()["code"]) == (400, "SYNC_001")
    assert field in {one["field"] for one in refused.json()["fields"]}


async def test_what_is_refused_leaves_no_namespace_behind(place: Place, call: Call) -> None:
    del place
    assert (await call("POST", "/api/full-sync/execute", json=ONE_DAY)).status_code == 200
    busy = await call("POST", "/api/full-sync/execute", json={**ONE_DAY, "namespaces": "fresh,test"})
    wrong = await call("POST", "/api/full-sync/execute", json={**ONE_DAY, "namespaces": "fresh", "batchSize": 0})
    assert (busy.status_code, wrong.status_code) == (409, 400)
    names = [one["name"] for one in (await call("GET", "/api/namespaces")).json()["namespaces"]]
    assert "fresh" not in names
    assert len((await call("GET", "/api/full-sync/history")).json()["jobs"]) == 1


@pytest.mark.parametrize("field", ["syncMode", "webhookUrl"])
async def test_a_comparison_does_not_pass_over_what_it_has_no_use_for(call: Call, field: str) -> None:
    refused = await call("POST", "/api/full-sync/reconcile", json={field: "full_historical"})
    assert (refused.status_code, refused.json()["code"]) == (400, "SYNC_001")
    assert [one["field"] for one in refused.json()["fields"]] == [field]


@pytest.mark.parametrize("body", [b"[1]", b"{", b'"text"', b""])
async def test_what_is_no_object_is_400(call: Call, body: bytes) -> None:
    assert (await call("POST", "/api/full-sync/execute", content=body)).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/full-sync/status/{}"), ("DELETE", "/api/full-sync/cancel/{}")],
)
@pytest.mark.parametrize("job", ["5f1c0d0a-4be3-4f5f-9d1c-6a2b7e8f9a0b", "zzz", "'--"])
async def test_a_run_that_is_not_there_is_404(call: Call, method: str, path: str, job: str) -> None:
    answer = await call(method, path.format(job))
    assert (answer.status_code, answer.json()["code"]) == (404, "SYNC_002")


async def test_another_tenant_neither_sees_nor_cancels_a_run(place: Place, call: Call) -> None:
    del place
    job = (await call("POST", "/api/full-sync/execute", json=ONE_DAY)).json()["jobId"]
    assert (await call("DELETE", f"/api/full-sync/cancel/{job}", tenant="other")).status_code == 404
    assert (await call("GET", "/api/full-sync/history", tenant="other")).json() == {"jobs": []}
    assert (await call("GET", f"/api/full-sync/reconciliations/{job}", tenant="other")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/full-sync/execute"),
        ("GET", "/api/full-sync/execute"),
        ("GET", "/api/full-sync/history"),
        ("POST", "/api/full-sync/reconcile"),
        ("GET", "/api/outreach/connections"),
    ],
)
async def test_a_stranger_needs_a_key(call: Call, method: str, path: str) -> None:
    assert (await call(method, path, role=None)).status_code == 401


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("editor", 400)])
async def test_who_only_looks_begins_nothing(call: Call, role: str, status: int) -> None:
    assert (await call("POST", "/api/full-sync/execute", role=role, json={"platforms": "x"})).status_code == status


async def test_the_url_of_a_webhook_is_shown_nowhere(place: Place, call: Call) -> None:
    del place
    begun = await call("POST", "/api/full-sync/execute", json={**ONE_DAY, "webhookUrl": "http://127.0.0.1:9/s3cret"})
    assert "s3cret" not in begun.text
    assert "s3cret" not in (await call("GET", "/api/full-sync/history")).text
    (told,) = (await call("GET", "/api/full-sync/completions")).json()["completions"]
    assert (told["host"], told["status"]) == ("127.0.0.1", "promised")


async def test_the_history_is_filtered_by_status_and_mode(place: Place, call: Call) -> None:
    first = (await call("POST", "/api/full-sync/execute", json=ONE_DAY)).json()["jobId"]
    await call("DELETE", f"/api/full-sync/cancel/{first}")
    second = (await call("POST", "/api/full-sync/execute", json={"syncMode": "full_historical"})).json()["jobId"]
    await place.work()

    async def listed(**query: str) -> list[str]:
        return [one["jobId"] for one in (await call("GET", "/api/full-sync/history", params=query)).json()["jobs"]]

    assert await listed() == [second, first]
    assert await listed(status="cancelled") == [first]
    assert await listed(mode="full_historical", limit="1") == [second]
    assert await listed(status="completed", mode="date_range") == []
    assert (await call("GET", "/api/full-sync/history", params={"status": "late"})).status_code == 400


async def test_how_long_it_will_take_is_said_from_the_second_run_on(place: Place, call: Call) -> None:
    begun = (await call("POST", "/api/full-sync/execute", json=ONE_DAY)).json()
    assert begun["estimatedDuration"].startswith("not known before the first run")
    await place.work()
    again = (await call("POST", "/api/full-sync/execute", json=ONE_DAY)).json()
    assert again["estimatedDuration"] == "about 5 seconds, as the last time"
    waiting = (await call("GET", again["progressUrl"], role=None)).json()
    assert waiting["progress"]["eta_minutes"] == 1
