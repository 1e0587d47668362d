"""An API that is well, and one that is not in each way that matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from syncline import __version__
from syncline.main.verification.endpoints import check_endpoints, readable
from syncline.main.verification.finding import Verdict

Handler = Callable[[httpx.Request], httpx.Response]
DOCUMENT = {
    "info": {"version": __version__},
    "paths": {
        "/api/keys": {"get": {"x-permission": "keys:manage"}},
        "/api/keys/{id}": {"get": {"x-permission": "keys:manage"}},
        "/api/find": {"get": {"x-permission": "keys:manage", "parameters": [{"name": "q", "required": True}]}},
        "/api/list": {"get": {"x-permission": "keys:manage", "parameters": [{"name": "page", "required": False}]}},
        "/api/make": {"post": {"x-permission": "keys:manage"}},
        "/live": {"get": {}},
    },
}
WELL: dict[str, Any] = {
    "/live": (200, {"status": "alive"}),
    "/ready": (200, {"status": "ready"}),
    "/health": (200, {"checks": {"database": {"status": "UP"}, "redis": {"status": "OFF", "reason": "not set"}}}),
    "/openapi.json": (200, DOCUMENT),
    "/api/keys": (200, {}),
    "/api/list": (200, {}),
}


def serving(**other: tuple[int, Any]) -> Handler:
    """`ready=(503, {...})` answers otherwise at /ready; everything that takes a key is 401 without one."""
    answers = WELL | {f"/{name.replace('__', '/')}": answer for name, answer in other.items()}

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        metrics = other.get("metrics", (200, "# TYPE x gauge\nsyncline_build_info 1\n"))
        refused = path.startswith("/api") and not request.headers.get("authorization") and "open" not in other
        if refused:
            return httpx.Response(401)
        if path == "/metrics":
            return httpx.Response(metrics[0], text=metrics[1])
        return httpx.Response(answers[path][0], json=answers[path][1])

    return answer


async def verdicts(handler: Handler) -> dict[str, tuple[Verdict, str]]:
    transport = httpx.MockTransport(handler)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://syncline.test", headers={"Authorization": "Bearer k"}, verify=False
    ) as client:
        return {one.what: (one.verdict, one.found) for one in await check_endpoints(client)}


def test_what_can_be_asked_without_knowing_more() -> None:
    assert [path for path, _ in readable(DOCUMENT)] == ["/api/keys", "/api/list"]


async def test_a_server_that_is_well() -> None:
    found = await verdicts(serving())
    assert {verdict for verdict, _ in found.values()} == {Verdict.OK}
    assert list(found) == ["/live", "/ready", "/health", "/metrics", "/openapi.json", "GET /api/keys", "GET /api/list"]


@pytest.mark.parametrize(
    ("what", "verdict", "said", "other"),
    [
        ("/ready", Verdict.FAIL, "worker: is down", {"ready": (503, {"reasons": {"worker": "is down"}})}),
        (
            "/health",
            Verdict.FAIL,
            "relay: gone",
            {"health": (503, {"checks": {"relay": {"status": "DOWN", "reason": "gone"}}})},
        ),
        (
            "/health",
            Verdict.WARN,
            "shopify: is failing",
            {"health": (200, {"checks": {"shopify": {"status": "DEGRADED", "reason": "is failing"}}})},
        ),
        ("/health", Verdict.FAIL, "answers 401", {"health": (401, {})}),
        ("/metrics", Verdict.FAIL, "answers 200", {"metrics": (200, "nothing of ours")}),
        ("/openapi.json", Verdict.FAIL, "answers 500", {"openapi.json": (500, {})}),
        (
            "/openapi.json",
            Verdict.WARN,
            "version 0.0.1",
            {"openapi.json": (200, DOCUMENT | {"info": {"version": "0.0.1"}})},
        ),
        ("GET /api/keys", Verdict.FAIL, "answers 500 with the key", {"api__keys": (500, {})}),
        ("GET /api/keys", Verdict.FAIL, "answers 401 with the key", {"api__keys": (401, {})}),
        ("GET /api/keys", Verdict.SKIP, "keys:manage", {"api__keys": (403, {})}),
        ("GET /api/keys", Verdict.FAIL, "answers 200 without a key", {"open": (200, {})}),
    ],
)
async def test_what_is_not_well(what: str, verdict: Verdict, said: str, other: dict[str, Any]) -> None:
    found = await verdicts(serving(**other))
    assert found[what][0] is verdict
    assert said in found[what][1]


async def test_where_nothing_or_something_else_answers_nothing_more_is_asked() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    assert {name: verdict for name, (verdict, _) in (await verdicts(refuse)).items()} == {"/live": Verdict.FAIL}
    stranger = serving(live=(200, {"hello": "world"}))
    assert {name: verdict for name, (verdict, _) in (await verdicts(stranger)).items()} == {"/live": Verdict.FAIL}
