"""RFC 9110 as callers meet it: HEAD, methods that are not there, and when to come back."""

from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter
from starlette.responses import JSONResponse, StreamingResponse

from syncline.kernel.errors import Unavailable
from syncline.runtime.http.factory import create_app

Headers = dict[str, str]

router = APIRouter(prefix="/standard", tags=["standard"])


@router.get("/away")
async def away() -> None:
    raise Unavailable("The database cannot be reached at the moment.")


@router.get("/away-for-a-while")
async def away_for_a_while() -> None:
    raise Unavailable("Come back later.", extra={"retry_after": 42})


@router.get("/bare-429")
async def bare() -> JSONResponse:
    return JSONResponse({}, status_code=429)


@router.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse((part for part in (b"one", b"two")), media_type="text/plain", headers={"X-Lines": "2"})


@pytest.fixture
def standard() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(None, (), routers=[router]))
    return httpx.AsyncClient(transport=transport, base_url="http://syncline.test")


async def test_head_has_the_status_and_headers_of_get_and_no_body(client: httpx.AsyncClient) -> None:
    got, head = await client.get("/things/long"), await client.head("/things/long")
    assert (head.status_code, head.content) == (200, b"")
    assert len(got.content) > 5_000
    of_one_answer = {"x-correlation-id"}
    assert {name: value for name, value in head.headers.items() if name not in of_one_answer} == {
        name: value for name, value in got.headers.items() if name not in of_one_answer
    }


async def test_head_of_a_stream_ends_at_once(standard: httpx.AsyncClient) -> None:
    head = await standard.head("/standard/stream")
    assert (head.status_code, head.headers["x-lines"], head.content) == (200, "2", b"")


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/things", 401), ("/standard/x", 404)])
async def test_head_is_refused_as_get_is(client: httpx.AsyncClient, path: str, status: int) -> None:
    head = await client.head(path)
    assert (head.status_code, head.content) == (status, b"")


async def test_head_is_counted_by_its_route_and_its_own_name(client: httpx.AsyncClient) -> None:
    await client.head("/things/long")
    text = (await client.get("/metrics")).text
    assert 'syncline_http_requests_total{method="HEAD",route="/things/long",status="200"}' in text


@pytest.mark.parametrize(
    ("path", "allowed"), [("/things", "GET, HEAD, POST"), ("/things/large", "POST"), ("/live", "GET, HEAD")]
)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "FROBNICATE"])
async def test_a_method_that_is_not_there_is_405_with_those_that_are(
    client: httpx.AsyncClient, owner: Headers, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path, headers=owner)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "DELETE"])
async def test_an_address_that_is_not_there_is_404_whatever_the_method(
    client: httpx.AsyncClient, owner: Headers, method: str
) -> None:
    assert (await client.request(method, "/things/one/two/three", headers=owner)).status_code == 404


@pytest.mark.parametrize(
    ("path", "seconds"), [("/standard/away", "5"), ("/standard/away-for-a-while", "42"), ("/standard/bare-429", "5")]
)
async def test_whoever_is_sent_away_is_told_when_to_come_back(
    standard: httpx.AsyncClient, path: str, seconds: str
) -> None:
    answer = await standard.get(path)
    assert answer.status_code in {429, 503}
    assert answer.headers["retry-after"] == seconds


async def test_no_other_answer_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    for path in ("/things/long", "/nothing", "/things"):
        assert "retry-after" not in (await client.get(path)).headers
