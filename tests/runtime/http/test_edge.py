from __future__ import annotations

import gzip
import re

import httpx
import pytest
from fastapi import FastAPI

from syncline.kernel.tenant import Actor
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.health import Check, CheckResult

Headers = dict[str, str]


async def test_a_callers_correlation_id_comes_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/things/long", headers={"X-Correlation-ID": "order-42"})
    assert answer.headers["x-correlation-id"] == "order-42"


async def test_a_missing_or_dangerous_correlation_id_is_replaced(client: httpx.AsyncClient) -> None:
    made = [
        (await client.get("/things/long")).headers["x-correlation-id"],
        (await client.get("/things/long", headers={"X-Correlation-ID": 'a"b c'})).headers["x-correlation-id"],
    ]
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in made)
    assert made[0] != made[1]


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "", "application/json; charset=utf-8"]
)
async def test_a_json_body_is_json_whatever_its_content_type_says(
    client: httpx.AsyncClient, owner: Headers, kind: str
) -> None:
    answer = await client.post("/things", content=b' {"name":"a"}', headers={**owner, "Content-Type": kind})
    assert answer.status_code == 201


async def test_a_json_body_without_any_content_type_is_json(client: httpx.AsyncClient, owner: Headers) -> None:
    answer = await client.post("/things", content=b'{"name":"a"}', headers=owner)
    assert "content-type" not in answer.request.headers
    assert answer.status_code == 201


async def test_long_answers_are_compressed_for_those_who_take_it(client: httpx.AsyncClient) -> None:
    packed = await client.get("/things/long", headers={"Accept-Encoding": "gzip"})
    plain = await client.get("/things/long", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < 200
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert gzip.compress(b"") != packed.content


async def test_metrics_count_by_route_template_and_never_by_path(client: httpx.AsyncClient, owner: Headers) -> None:
    await client.get("/things/long")
    await client.get("/secret-path-of-somebody")
    text = (await client.get("/metrics")).text
    assert 'syncline_http_requests_total{method="GET",route="/things/long",status="200"}' in text
    assert 'route="unmatched"' in text
    assert "secret-path-of-somebody" not in text
    assert 'syncline_http_request_duration_seconds_bucket{le="0.1",method="GET",route="/things/long"}' in text


async def test_a_made_up_method_makes_no_new_label(client: httpx.AsyncClient) -> None:
    await client.request("FROBNICATE", "/things/long")
    text = (await client.get("/metrics")).text
    assert "FROBNICATE" not in text
    assert 'method="other"' in text


async def well() -> CheckResult:
    return CheckResult.up(server_version="18.6")


async def behind() -> CheckResult:
    return CheckResult.down("2 migrations are missing; run: syncline db upgrade")


async def raises() -> CheckResult:
    raise OSError("no route to host 10.0.0.5")


async def nobody(_key: str) -> Actor | None:
    return None


def service(*checks: Check, open_diagnostics: bool = True) -> httpx.AsyncClient:
    app: FastAPI = create_app(None, (), authenticate=nobody, checks=checks, open_diagnostics=open_diagnostics)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://syncline.test")


async def test_health_has_the_shape_that_callers_rely_on() -> None:
    async with service(Check("database", well)) as client:
        answer = await client.get("/health")
    body = answer.json()
    assert answer.status_code == 200
    assert answer.text.startswith('{"status":"healthy","timestamp":"')
    assert body["checks"] == [{"database": "healthy"}]


async def test_health_in_detail_is_a_mapping_with_facts() -> None:
    async with service(Check("database", well), Check("migrations", behind)) as client:
        answer = await client.get("/health?format=detail")
    body = answer.json()
    assert answer.status_code == 503
    assert body["status"] == "unhealthy"
    assert body["uptime"] >= 0
    assert body["checks"]["database"] == {"status": "UP", "server_version": "18.6"}
    assert body["checks"]["migrations"]["status"] == "DOWN"
    assert "db upgrade" in body["checks"]["migrations"]["reason"]


async def test_ready_names_what_is_missing() -> None:
    async with service(Check("database", well), Check("migrations", behind)) as client:
        answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not ready",
        "reasons": {"migrations": "2 migrations are missing; run: syncline db upgrade"},
    }


async def test_ready_is_200_when_only_what_does_not_gate_is_unwell() -> None:
    async with service(Check("database", well), Check("cache", behind, gates_ready=False)) as client:
        answer = await client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_a_check_that_raises_is_unwell_and_tells_strangers_no_addresses() -> None:
    async with service(Check("database", raises)) as client:
        answer = await client.get("/health?format=detail")
    assert answer.status_code == 503
    assert "10.0.0.5" not in answer.text


async def test_live_answers_whatever_is_unwell() -> None:
    async with service(Check("database", raises)) as client:
        assert (await client.get("/live")).status_code == 200


@pytest.mark.parametrize("path", ["/health", "/api/health", "/metrics"])
async def test_closed_diagnostics_ask_for_a_key(path: str) -> None:
    async with service(open_diagnostics=False) as client:
        assert (await client.get(path)).status_code == 401


@pytest.mark.parametrize("path", ["/live", "/ready"])
async def test_probes_stay_open_when_diagnostics_are_closed(path: str) -> None:
    async with service(open_diagnostics=False) as client:
        assert (await client.get(path)).status_code == 200


async def test_figures_are_measured_and_open_like_the_other_diagnostics(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/metrics")).json()
    assert answer["memory"]["rss"] >= answer["memory"]["heapUsed"] > 1_000_000
    assert answer["live"] == {"watchers": 0}
    assert answer["cpu"]["user_seconds"] > 0
