from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter

from syncline.runtime.http.factory import create_app

router = APIRouter(tags=["things"])


@router.get("/api/things")
async def list_things() -> dict[str, str]:
    return {"route": "list"}


@router.get("/api/things/newest")
async def newest() -> dict[str, str]:
    return {"route": "newest"}


@router.get("/api/things/{name}")
async def one_thing(name: str) -> dict[str, str]:
    return {"route": f"one {name}"}


@router.delete("/api/things/{name}")
async def remove_thing(name: str) -> dict[str, str]:
    return {"route": f"gone {name}"}


@router.get("/shops/{name}")
async def shop(name: str) -> dict[str, str]:
    return {"route": f"shop {name}"}


@router.get("/{name}")
async def anything(name: str) -> dict[str, str]:
    return {"route": f"anything {name}"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(None, (), routers=[router]))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/api/things", "list"),
        ("GET", "/api/things?name=x", "list"),
        ("GET", "/api/things/newest", "newest"),
        ("GET", "/api/things/a%20b", "one a b"),
        ("DELETE", "/api/things/newest", "gone newest"),
        ("GET", "/shops/mine", "shop mine"),
        ("GET", "/somebody", "anything somebody"),
    ],
)
async def test_the_first_that_fits_answers(client: httpx.AsyncClient, method: str, path: str, route: str) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()) == (200, {"route": route})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/api/things/one", 405),
        ("GET", "/api/things/one/more", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/things/", 404),
    ],
)
async def test_where_nothing_fits_it_says_so(client: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["success"]) == (status, False)


async def test_the_document_names_every_route_once(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/api/things", "/api/things/newest", "/api/things/{name}", "/shops/{name}", "/live"} <= paths.keys()
    assert paths["/api/things/{name}"].keys() == {"get", "delete"}
    assert paths["/api/things"]["get"]["operationId"] == "things_list_things"


async def test_a_refused_method_names_all_that_the_path_has(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/things/newest")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, HEAD")
    assert answer.json()["error"] == "POST is not possible here; DELETE and GET are."
    alone = await client.post("/api/things")
    assert (alone.headers["allow"], alone.json()["error"]) == ("GET, HEAD", "POST is not possible here; GET is.")
