"""One request is one transaction, closed before the answer is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from cryptography.fernet import Fernet
from fastapi import APIRouter
from sqlalchemy import text

from syncline.kernel.errors import Conflict
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.engine import Database
from syncline.runtime.http.dependencies import Reading, Writing
from syncline.runtime.http.factory import create_app
from syncline.runtime.jobs import JobQueue
from syncline.runtime.secrets import SecretBox

INSERT = text("INSERT INTO accounts.tenant (id, slug, name, created_at) VALUES (:id, :slug, :slug, now())")
router = APIRouter(prefix="/notes", tags=["notes"])


@router.post("/{slug}", status_code=201)
async def write(slug: str, session: Writing) -> str:
    await session.execute(INSERT, {"id": new_id(), "slug": slug})
    return slug


@router.post("/{slug}/refused")
async def write_and_refuse(slug: str, session: Writing) -> None:
    await session.execute(INSERT, {"id": new_id(), "slug": slug})
    raise Conflict("Not this one.")


@router.post("/{slug}/uncommittable", status_code=201)
async def write_what_cannot_be_committed(slug: str, session: Writing) -> str:
    await session.execute(INSERT, {"id": new_id(), "slug": slug})
    await session.execute(text("CREATE TEMP TABLE once (x int UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP"))
    await session.execute(text("INSERT INTO once VALUES (1), (1)"))
    return slug


@router.post("/{slug}/read-only")
async def write_while_reading(slug: str, session: Reading) -> None:
    await session.execute(INSERT, {"id": new_id(), "slug": slug})


@router.get("/whose")
async def whose(session: Reading) -> str:
    return str(await session.scalar(text("SELECT current_setting('syncline.tenant')")))


@router.post("/{slug}/cut-off")
async def lose_the_connection(slug: str, session: Writing) -> None:
    await session.execute(INSERT, {"id": new_id(), "slug": slug})
    await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


@pytest.fixture
async def client(database: Database, tenant_id: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    secrets = SecretBox([Fernet.generate_key().decode()])
    runtime = Runtime(database=database, queue=JobQueue([]), secrets=secrets, settings={})

    async def authenticate(_key: str) -> Actor:
        return Actor(tenant_id, "a test", "owner")

    app = create_app(runtime, (), authenticate=authenticate, routers=[router])
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": "Bearer x"}
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test", headers=headers) as made:
        yield made


async def slugs(database: Database) -> set[str]:
    async with database.system() as session:
        return set(await session.scalars(text("SELECT slug FROM accounts.tenant WHERE slug <> 'main'")))


async def test_what_an_endpoint_wrote_is_committed_when_the_answer_is_there(
    client: httpx.AsyncClient, database: Database
) -> None:
    assert (await client.post("/notes/kept")).status_code == 201
    assert await slugs(database) == {"kept"}


async def test_an_error_undoes_the_whole_request(client: httpx.AsyncClient, database: Database) -> None:
    assert (await client.post("/notes/lost/refused")).status_code == 409
    assert await slugs(database) == set()


async def test_nobody_is_told_of_a_change_that_did_not_commit(client: httpx.AsyncClient, database: Database) -> None:
    answer = await client.post("/notes/lost/uncommittable")
    assert (answer.status_code, answer.json()["code"]) == (500, "REQ_500")
    assert await slugs(database) == set()


async def test_a_reading_endpoint_cannot_write(client: httpx.AsyncClient, database: Database) -> None:
    assert (await client.post("/notes/lost/read-only")).status_code == 500
    assert await slugs(database) == set()


async def test_the_transaction_is_the_callers_tenants(client: httpx.AsyncClient, tenant_id: TenantId) -> None:
    assert (await client.get("/notes/whose")).json() == str(tenant_id)


async def test_without_a_key_no_transaction_is_opened(client: httpx.AsyncClient, database: Database) -> None:
    answer = await client.post("/notes/lost", headers={"Authorization": ""})
    assert answer.status_code == 401
    assert await slugs(database) == set()


async def test_a_lost_connection_is_503_and_the_next_request_works(
    client: httpx.AsyncClient, database: Database
) -> None:
    answer = await client.post("/notes/lost/cut-off")
    assert (answer.status_code, answer.json()["code"]) == (503, "DB_006")
    assert (await client.post("/notes/kept")).status_code == 201
    assert await slugs(database) == {"kept"}
