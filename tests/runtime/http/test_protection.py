"""Proxies, headers for browsers, other origins, time limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, StreamingResponse

from syncline.runtime.http.factory import create_app
from syncline.runtime.http.limits import accepts_bytes
from syncline.runtime.http.openapi import api_routes
from syncline.runtime.http.protection import Protection
from syncline.runtime.http.proxies import networks
from syncline.runtime.http.time_limit import LARGE_BODY_SECONDS, seconds_by_path

router = APIRouter(prefix="/protected", tags=["protected"])


@router.get("/caller")
async def caller(request: Request) -> dict[str, str | None]:
    return {"address": request.client.host if request.client else None, "scheme": request.url.scheme}


@router.get("/page")
async def page() -> HTMLResponse:
    return HTMLResponse("<p>hello</p>", headers={"X-Frame-Options": "SAMEORIGIN"})


@router.get("/forever")
async def forever() -> None:
    await asyncio.Event().wait()


@router.post("/forever-large")
@accepts_bytes(50_000_000)
async def forever_large() -> None:
    """Takes much, so it may take long."""


@router.get("/own-timeout")
async def own_timeout() -> None:
    raise TimeoutError("of something inside")


@router.get("/stream")
async def stream(request: Request) -> StreamingResponse:
    async def lines() -> AsyncIterator[bytes]:
        yield b"first\n"
        await asyncio.sleep(0.6)  # longer than the limit: only the passing of time shows that it is off
        yield b"last\n"

    return StreamingResponse(lines(), media_type="text/plain")


@asynccontextmanager
async def client_of(
    protection: Protection, *, address: str = "10.0.0.1", scheme: str = "http"
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(None, (), routers=[router], protection=protection)
    transport = httpx.ASGITransport(app=app, client=(address, 1), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://syncline.test") as made:
        yield made


BEHIND = Protection(proxies=networks(["10.0.0.0/8", "fd00::/8"]))


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, 10.0.0.9"], "203.0.113.7"),
        (["1.2.3.4, 203.0.113.7, 10.0.0.9"], "203.0.113.7"),
        (["1.2.3.4", "203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["[2001:db8::7]:4711"], "2001:db8::7"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["10.0.0.8, 10.0.0.9"], "10.0.0.8"),
        (["evil\tname, 10.0.0.9"], "10.0.0.9"),
        (["unknown"], "10.0.0.1"),
        ([""], "10.0.0.1"),
        ([], "10.0.0.1"),
    ],
)
async def test_the_caller_is_the_first_address_that_is_no_proxy_of_ours(forwarded: Sequence[str], address: str) -> None:
    async with client_of(BEHIND) as client:
        answer = await client.get("/protected/caller", headers=[("X-Forwarded-For", one) for one in forwarded])
    assert answer.json()["address"] == address


async def test_a_stranger_who_says_to_be_somebody_else_is_not_believed() -> None:
    claims = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    async with client_of(BEHIND, address="198.51.100.1") as client:
        answer = await client.get("/protected/caller", headers=claims)
    assert answer.json() == {"address": "198.51.100.1", "scheme": "http"}


async def test_without_a_list_no_proxy_is_believed() -> None:
    async with client_of(Protection(), address="127.0.0.1") as client:
        answer = await client.get("/protected/caller", headers={"X-Forwarded-For": "203.0.113.7"})
    assert answer.json()["address"] == "127.0.0.1"


@pytest.mark.parametrize(("told", "scheme"), [("https", "https"), ("http, https", "https"), ("gopher", "http")])
async def test_a_trusted_proxy_says_whether_there_was_tls(told: str, scheme: str) -> None:
    async with client_of(BEHIND) as client:
        answer = await client.get("/protected/caller", headers={"X-Forwarded-Proto": told})
    assert answer.json()["scheme"] == scheme


async def test_answers_of_the_api_may_do_nothing_in_a_browser() -> None:
    async with client_of(Protection()) as client:
        headers = (await client.get("/protected/caller")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "strict-transport-security" not in headers
    assert "cache-control" not in headers


async def test_errors_have_the_headers_too() -> None:
    async with client_of(Protection()) as client:
        for path in ("/nothing", "/protected/own-timeout"):
            assert (await client.get(path)).headers["x-content-type-options"] == "nosniff"


async def test_a_page_may_run_what_comes_from_here_and_keeps_what_it_set_itself() -> None:
    async with client_of(Protection()) as client:
        headers = (await client.get("/protected/page")).headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "SAMEORIGIN"


async def test_over_tls_the_browser_is_told_to_stay_there() -> None:
    async with client_of(Protection(), scheme="https") as client:
        assert "max-age=31536000" in (await client.get("/protected/caller")).headers["strict-transport-security"]


async def test_what_is_answered_to_a_key_is_not_kept_by_caches() -> None:
    async with client_of(Protection()) as client:
        answer = await client.get("/protected/caller", headers={"Authorization": "Bearer x"})
    assert answer.headers["cache-control"] == "no-store"


ORIGIN = "https://shop.example.com"


async def test_a_listed_origin_may_ask_and_reads_our_own_headers() -> None:
    async with client_of(Protection(origins=(ORIGIN,))) as client:
        asked = await client.options(
            "/protected/caller",
            headers={
                "Origin": ORIGIN,
                "Access-Control-Request-Method": "PATCH",
                "Access-Control-Request-Headers": "authorization,content-type",
            },
        )
        answer = await client.get("/protected/caller", headers={"Origin": ORIGIN})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == ORIGIN
    assert "PATCH" in asked.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "X-Correlation-ID" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_listed_origin_reads_errors_too() -> None:
    async with client_of(Protection(origins=(ORIGIN,))) as client:
        answers = [
            await client.get(path, headers={"Origin": ORIGIN}) for path in ("/nothing", "/protected/own-timeout")
        ]
    assert [one.status_code for one in answers] == [404, 500]
    assert {one.headers["access-control-allow-origin"] for one in answers} == {ORIGIN}


@pytest.mark.parametrize("origins", [(), (ORIGIN,)])
async def test_any_other_origin_is_told_nothing(origins: tuple[str, ...]) -> None:
    async with client_of(Protection(origins=origins)) as client:
        answer = await client.get("/protected/caller", headers={"Origin": "https://evil.example.com"})
    assert "access-control-allow-origin" not in answer.headers


SOON = Protection(request_seconds=0.5)


async def test_what_takes_too_long_is_stopped_and_said() -> None:
    async with client_of(SOON) as client:
        answer = await client.get("/protected/forever")
    body = answer.json()
    assert (answer.status_code, body["code"], body["success"]) == (504, "REQ_504", False)
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["correlation_id"] == answer.headers["x-correlation-id"]
    assert "0.5 seconds" in body["error"]


async def test_an_answer_that_has_begun_may_take_its_time() -> None:
    async with client_of(SOON) as client:
        answer = await client.get("/protected/stream")
    assert (answer.status_code, answer.text) == (200, "first\nlast\n")


async def test_a_time_out_of_something_inside_is_no_504() -> None:
    async with client_of(SOON) as client:
        assert (await client.get("/protected/own-timeout")).status_code == 500


def test_large_bodies_have_more_time() -> None:
    seconds_of = seconds_by_path(5, api_routes(create_app(None, (), routers=[router])))
    assert seconds_of("/protected/forever") == 5
    assert seconds_of("/protected/forever-large") == LARGE_BODY_SECONDS
