"""An application with a few endpoints that do what real ones do, without a database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel, Field

from syncline.kernel.errors import Conflict, Fatal, FieldError, Retriable
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Paging
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.limits import accepts_bytes
from syncline.runtime.http.problems import problems

TENANT = TenantId(UUID("019a2b3c-4d5e-7f60-8123-456789abcdef"))
KEYS = {
    "owner-key": Actor(TENANT, "the owner", "owner"),
    "viewer-key": Actor(TENANT, "a viewer", "viewer"),
}

router = APIRouter(prefix="/things", tags=["things"])


class Range(BaseModel):
    chunk_size: int = Field(alias="chunkSize", ge=1, le=1000)


class Thing(BaseModel):
    name: str = Field(min_length=1)
    range: Range | None = None


class ThingsBusy(Conflict):
    code = "THING_003"
    title = "Another thing is under way"


@router.post("", status_code=201, responses=problems(ThingsBusy))
async def make(body: Thing, actor: Annotated[Actor, Depends(require("things:write"))]) -> dict[str, str]:
    return {"name": body.name, "by": actor.name}


@router.post("/large", dependencies=[Depends(require("things:write"))])
@accepts_bytes(5_000)
async def make_large(body: dict[str, str]) -> int:
    return len(body["text"])


@router.get("", dependencies=[Depends(require("catalog:read"))])
async def list_things(page: Paging) -> dict[str, int]:
    return {"offset": page.offset, "limit": page.limit}


@router.get("/long")
async def long() -> dict[str, str]:
    return {"text": "x" * 5_000}


@router.get("/busy")
async def busy() -> None:
    raise ThingsBusy("A thing is being made already.", fields=[FieldError("name", "is taken")], extra={"running": 7})


@router.get("/broken")
async def broken() -> None:
    raise RuntimeError("the password is hunter2")


@router.get("/throttled")
async def throttled() -> None:
    raise Retriable("The shop asks us to wait.", detail="THROTTLED")


@router.get("/refused")
async def refused() -> None:
    raise Fatal("The shop's token was revoked. Enter a new one.", vendor_code="ACCESS_DENIED")


async def authenticate(key: str) -> Actor | None:
    return KEYS.get(key)


@pytest.fixture
def app() -> FastAPI:
    return create_app(None, (), authenticate=authenticate, routers=[router], limit_bytes=1_000)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test") as made:
        yield made


@pytest.fixture
def owner() -> dict[str, str]:
    return {"Authorization": "Bearer owner-key"}


@pytest.fixture
def viewer() -> dict[str, str]:
    return {"Authorization": "Bearer viewer-key"}
