"""Stops over HTTP: what is refused, what is not, and who may say so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from cryptography.fernet import Fernet
from fastapi import APIRouter, Depends

from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.audit.trail import EntryQuery, list_entries
from syncline.runtime.controls import stops
from syncline.runtime.controls.stops import Mode
from syncline.runtime.db.engine import Database
from syncline.runtime.http.auth import require
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.protection import Protection
from syncline.runtime.http.stop_gate import works_without_writes
from syncline.runtime.jobs import JobQueue
from syncline.runtime.secrets import SecretBox

STORE = UUID(int=5)
WHY = {"reason": "Stocktaking"}
router = APIRouter(prefix="/gated", tags=["gated"])


@router.post("/write")
async def write(_actor: Annotated[Actor, Depends(require("changes:stage"))]) -> str:
    return "written"


@router.post("/look")
@works_without_writes
async def look(_actor: Annotated[Actor, Depends(require("stores:read"))]) -> str:
    return "seen"


@router.get("/read")
async def read(_actor: Annotated[Actor, Depends(require("stores:read"))]) -> str:
    return "read"


@asynccontextmanager
async def client_of(
    database: Database, tenant_id: TenantId, other_tenant_id: TenantId, *, kept_seconds: float = 0
) -> AsyncIterator[httpx.AsyncClient]:
    people = {
        "owner": Actor(tenant_id, "ann", "owner"),
        "editor": Actor(tenant_id, "ed", "editor"),
        "stranger": Actor(other_tenant_id, "sam", "owner"),
    }

    async def authenticate(key: str) -> Actor | None:
        return people.get(key)

    secrets = SecretBox([Fernet.generate_key().decode()])
    runtime = Runtime(database=database, queue=JobQueue([]), secrets=secrets, settings={})
    protection = Protection(stops_kept_seconds=kept_seconds)
    app = create_app(runtime, (), authenticate=authenticate, routers=[router], protection=protection)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test") as made:
        yield made


@pytest.fixture
async def client(
    database: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database, tenant_id, other_tenant_id) as made:
        yield made


def be(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def status(client: httpx.AsyncClient, method: str, path: str, who: str = "owner") -> int:
    return (await client.request(method, path, headers=be(who))).status_code


async def test_a_paused_tenant_is_refused_its_writes_and_told_why(client: httpx.AsyncClient) -> None:
    assert (await client.put("/api/controls/pause", json=WHY, headers=be("owner"))).status_code == 200
    refused = await client.post("/gated/write", headers=be("editor"))
    assert (refused.status_code, refused.json()["code"]) == (409, "OPS_003")
    assert refused.json()["error"] == "ann paused all changes of this tenant: Stocktaking."
    assert refused.headers["content-type"] == "application/problem+json"
    assert await status(client, "GET", "/gated/read") == 200
    assert await status(client, "POST", "/gated/write", "stranger") == 200


async def test_a_pause_is_in_force_when_it_is_answered_and_so_is_its_end(
    database: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    async with client_of(database, tenant_id, other_tenant_id, kept_seconds=3_600) as client:
        before = await status(client, "POST", "/gated/write")
        await client.put("/api/controls/pause", json=WHY, headers=be("owner"))
        during = await status(client, "POST", "/gated/write")
        await client.delete("/api/controls/pause", headers=be("owner"))
        after = await status(client, "POST", "/gated/write")
    assert (before, during, after) == (200, 409, 200)


async def test_whoever_paused_can_resume(client: httpx.AsyncClient) -> None:
    await client.put("/api/controls/pause", json=WHY, headers=be("owner"))
    assert await status(client, "DELETE", "/api/controls/pause") == 200
    assert await status(client, "POST", "/gated/write") == 200
    again = await client.delete("/api/controls/pause", headers=be("owner"))
    assert (again.status_code, again.json()["code"]) == (404, "OPS_004")


async def test_what_is_stopped_can_be_looked_at(
    client: httpx.AsyncClient, database: Database, tenant_id: TenantId
) -> None:
    async with database.writing(tenant_id) as session:
        await stops.pause(session, store_id=STORE, reason="It moves", actor="ann")
    shown = (await client.get("/api/controls", headers=be("editor"))).json()
    assert shown["installation"] is None
    (pause,) = shown["pauses"]
    assert (pause["store_id"], pause["reason"], pause["actor"]) == (str(STORE), "It moves.", "ann")
    assert (await client.get("/api/controls", headers=be("stranger"))).json()["pauses"] == []
    assert await status(client, "POST", "/gated/write") == 200


@pytest.mark.parametrize(("who", "expected"), [("editor", 403), ("nobody", 401)])
async def test_only_owners_and_admins_pause(client: httpx.AsyncClient, who: str, expected: int) -> None:
    answer = await client.put("/api/controls/pause", json=WHY, headers=be(who))
    assert answer.status_code == expected
    assert await status(client, "POST", "/gated/write") == 200


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "   "}, {"reason": "x" * 301}, {"why": "x"}])
async def test_a_pause_needs_a_reason(client: httpx.AsyncClient, body: dict[str, str]) -> None:
    assert (await client.put("/api/controls/pause", json=body, headers=be("owner"))).status_code == 400


async def test_pausing_and_resuming_are_in_the_audit_trail(
    client: httpx.AsyncClient, database: Database, tenant_id: TenantId
) -> None:
    await client.put("/api/controls/pause", json=WHY, headers=be("owner"))
    await client.delete("/api/controls/pause", headers=be("owner"))
    async with database.reading(tenant_id) as session:
        found = (await list_entries(session, EntryQuery(), PageRequest())).items
    assert [(one.action, one.subject, one.after) for one in found] == [
        ("controls.resume", "tenant", None),
        ("controls.pause", "tenant", {"reason": "Stocktaking."}),
    ]


async def test_under_maintenance_only_health_answers(client: httpx.AsyncClient, database: Database) -> None:
    async with database.system() as session:
        await stops.stop_installation(session, Mode.MAINTENANCE, reason="Back at noon", actor="op")
    refused = await client.get("/gated/read", headers=be("owner"))
    assert (refused.status_code, refused.json()["code"]) == (503, "OPS_001")
    assert refused.headers["retry-after"] == "60"
    assert "Back at noon." in refused.json()["error"]
    assert await status(client, "POST", "/gated/write", "nobody") == 503
    assert await status(client, "GET", "/live") == 200
    assert await status(client, "GET", "/health") == 200


async def test_without_writes_everything_can_be_looked_at(client: httpx.AsyncClient, database: Database) -> None:
    async with database.system() as session:
        await stops.stop_installation(session, Mode.NO_WRITES, reason="An upgrade is prepared", actor="op")
    assert await status(client, "GET", "/gated/read") == 200
    refused = await client.post("/gated/write", headers=be("stranger"))
    assert (refused.status_code, refused.json()["code"]) == (503, "OPS_002")
    assert await status(client, "POST", "/gated/look") == 200
    assert await status(client, "POST", "/api/live/tickets") == 201


async def test_under_maintenance_not_even_what_works_without_writes(
    client: httpx.AsyncClient, database: Database
) -> None:
    async with database.system() as session:
        await stops.stop_installation(session, Mode.MAINTENANCE, reason="Back at noon", actor="op")
    assert await status(client, "POST", "/gated/look") == 503
    assert await status(client, "POST", "/api/live/tickets") == 503


async def test_what_works_without_writes_is_still_refused_to_a_paused_tenant_unless_it_says_so(
    client: httpx.AsyncClient,
) -> None:
    await client.put("/api/controls/pause", json=WHY, headers=be("owner"))
    assert await status(client, "POST", "/gated/look") == 409
    assert await status(client, "POST", "/api/live/tickets") == 201
