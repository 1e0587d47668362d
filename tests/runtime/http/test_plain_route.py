"""Routes without FastAPI's solving of parameters are guarded and documented like any other."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, Request
from starlette.responses import PlainTextResponse, Response

from syncline.kernel.errors import Conflict
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.http.auth import require
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.plain_route import PlainRoute

router = APIRouter(prefix="/plain", tags=["plain"], route_class=PlainRoute)


@router.post("/echo", summary="Say it again")
async def echo(request: Request, actor: Annotated[Actor, Depends(require("catalog:pull"))]) -> Response:
    return PlainTextResponse(f"{actor.name}: {(await request.body()).decode()}")


@router.post("/busy", summary="Refuse")
async def busy(actor: Annotated[Actor, Depends(require("catalog:read"))]) -> Response:
    raise Conflict(f"{actor.name} has to wait.")


async def authenticate(bearer: str) -> Actor:
    return Actor(TenantId(new_id()), f"the {bearer}", bearer)


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = create_app(None, [], authenticate=authenticate, routers=[router])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://syncline.test")


async def test_who_may_is_answered_and_who_may_not_is_refused(client: httpx.AsyncClient) -> None:
    answers = {
        role: await client.post("/plain/echo", content=b"hello", headers={"Authorization": f"Bearer {role}"})
        for role in ("owner", "learner")
    }
    assert (answers["owner"].status_code, answers["owner"].text) == (200, "the owner: hello")
    assert (answers["learner"].status_code, answers["learner"].json()["code"]) == (403, "API_002")
    assert (await client.post("/plain/echo")).status_code == 401


async def test_what_it_raises_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.post("/plain/busy", headers={"Authorization": "Bearer owner"})
    assert (answer.status_code, answer.json()["error"]) == (409, "the owner has to wait.")


async def test_it_stands_in_the_document(client: httpx.AsyncClient) -> None:
    operation = (await client.get("/openapi.json")).json()["paths"]["/plain/echo"]["post"]
    assert operation["x-permission"] == "catalog:pull"


def test_parameters_that_nobody_would_read_are_refused_when_it_is_declared() -> None:
    async def looks(request: Request, page: int) -> Response:
        return PlainTextResponse(f"{request.method} {page}")

    with pytest.raises(TypeError, match="plain route"):
        router.get("/looks")(looks)
