"""Every write that somebody we know asks for over HTTP leaves one entry, whatever became of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet
from fastapi import APIRouter, Depends
from sqlalchemy import text

from syncline.kernel.errors import Conflict
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.audit.entry import Entry
from syncline.runtime.audit.trail import EntryQuery, list_entries, record
from syncline.runtime.db.engine import Database
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.http.audit import BROKEN, LOST, reads_people
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Writing
from syncline.runtime.http.factory import create_app
from syncline.runtime.jobs import JobQueue
from syncline.runtime.secrets import SecretBox

router = APIRouter(prefix="/audited", tags=["audited"])
_Editor = Annotated[Actor, Depends(require("changes:stage"))]


@router.get("/read")
async def read(_actor: _Editor) -> str:
    return "read"


@router.get("/people")
@reads_people
async def people(_actor: _Editor) -> str:
    return "ann"


@router.post("/{name}/outside")
async def write_outside_of_its_transaction(name: str, _actor: _Editor) -> str:
    return name


@router.post("/{name}/inside")
async def write_inside(name: str, _actor: _Editor, session: Writing) -> str:
    return name


@router.post("/{name}/marked")
async def write_a_row(name: str, _actor: _Editor, session: Writing) -> str:
    row = {"id": new_id(), "slug": f"audited-{name}"}
    statement = "INSERT INTO accounts.tenant (id, slug, name, created_at) VALUES (:id, :slug, :slug, now())"
    await session.execute(text(statement), row)
    return name


@router.post("/{name}/told")
async def write_and_tell(name: str, actor: _Editor, session: Writing) -> str:
    await record(session, actor=actor, action="things.rename", subject=name, before={"a": 1}, after={"a": 2})
    return name


@router.post("/{name}/refused")
async def refuse(name: str, actor: _Editor, session: Writing) -> None:
    await record(session, actor=actor, action="things.rename", subject=name)
    raise Conflict("Not this one.")


@router.post("/{name}/broken")
async def break_down(name: str, _actor: _Editor) -> None:
    raise RuntimeError(name)


@router.post("/{name}/admin")
async def admin_only(name: str, _actor: Annotated[Actor, Depends(require("keys:manage"))]) -> str:
    return name


@pytest.fixture
async def client(database: Database, tenant_id: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    async def authenticate(key: str) -> Actor | None:
        return Actor(tenant_id, "ed", "editor") if key == "good" else None

    secrets = SecretBox([Fernet.generate_key().decode()])
    runtime = Runtime(database=database, queue=JobQueue([]), secrets=secrets, settings={})
    app = create_app(runtime, (), authenticate=authenticate, routers=[router])
    transport = httpx.ASGITransport(app=app, client=("203.0.113.7", 1), raise_app_exceptions=False)
    headers = {"Authorization": "Bearer good", "X-Correlation-ID": "test-1"}
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test", headers=headers) as made:
        yield made


async def entries(database: Database, tenant_id: TenantId) -> list[Entry]:
    async with database.reading(tenant_id) as session:
        return list(reversed((await list_entries(session, EntryQuery(), PageRequest())).items))


async def test_a_write_is_in_the_trail_when_its_answer_is_there(
    client: httpx.AsyncClient, database: Database, tenant_id: TenantId
) -> None:
    await client.post("/audited/summer/outside")
    (entry,) = await entries(database, tenant_id)
    assert (entry.action, entry.subject) == ("POST /audited/{name}/outside", "/audited/summer/outside")
    assert (entry.actor, entry.role, entry.outcome) == ("ed", "editor", "200")
    assert (entry.address, entry.correlation_id) == ("203.0.113.7", "test-1")
    assert entry.details == {"permission": "changes:stage"}


async def test_a_write_in_the_requests_transaction_has_its_entry_there_and_one_only(
    client: httpx.AsyncClient, database: Database, tenant_id: TenantId
) -> None:
    await client.post("/audited/summer/inside")
    assert [one.outcome for one in await entries(database, tenant_id)] == ["done"]


async def test_a_service_that_says_more_is_not_repeated(
    client: httpx.AsyncClient, database: Database, tenant_id: TenantId
) -> None:
    await client.post("/audited/summer/told")
    assert [(one.action, one.after) for one in await entries(database, tenant_id)] == [("things.rename", {"a": 2})]


@pytest.mark.parametrize(("path", "outcome"), [("refused", "409"), ("broken", "500"), ("admin", "403")])
async def test_what_was_not_done_is_in_the_trail_with_its_outcome(
    client: httpx.AsyncClient, database: Database, tenant_id: TenantId, path: str, outcome: str
) -> None:
    await client.post(f"/audited/summer/{path}")
    assert [(one.action, one.outcome) for one in await entries(database, tenant_id)] == [
        (f"POST /audited/{{name}}/{path}", outcome)
    ]


async def test_a_request_that_breaks_is_counted_by_what_broke_it(client: httpx.AsyncClient) -> None:
    before = BROKEN.labels(error="RuntimeError")._value.get()
    assert (await client.post("/audited/summer/broken")).status_code == 500
    assert (await client.post("/audited/summer/refused")).status_code == 409
    assert BROKEN.labels(error="RuntimeError")._value.get() == before + 1


async def test_reading_leaves_an_entry_only_where_people_are_shown(
    client: httpx.AsyncClient, database: Database, tenant_id: TenantId
) -> None:
    await client.get("/audited/read")
    await client.get("/audited/people")
    await client.get("/nowhere")
    assert [one.action for one in await entries(database, tenant_id)] == ["GET /audited/people"]


async def test_strangers_leave_nothing(client: httpx.AsyncClient, database: Database, tenant_id: TenantId) -> None:
    answer = await client.post("/audited/summer/outside", headers={"Authorization": "Bearer bad"})
    assert answer.status_code == 401
    assert await entries(database, tenant_id) == []


@pytest.fixture
def trail_is_closed(database_settings: DatabaseSettings) -> None:
    with psycopg.connect(str(database_settings.admin_url), autocommit=True) as operator:
        operator.execute("REVOKE INSERT ON audit.entry FROM syncline_app")


async def test_an_entry_that_cannot_be_written_is_counted_and_the_answer_stands(
    client: httpx.AsyncClient, trail_is_closed: None
) -> None:
    lost = LOST._value.get()
    assert (await client.post("/audited/summer/outside")).status_code == 200
    assert LOST._value.get() == lost + 1


async def test_a_write_whose_entry_cannot_be_written_in_its_transaction_is_not_made(
    client: httpx.AsyncClient, database: Database, trail_is_closed: None
) -> None:
    assert (await client.post("/audited/summer/marked")).status_code == 500
    async with database.system() as session:
        found = await session.scalar(text("SELECT count(*) FROM accounts.tenant WHERE slug = 'audited-summer'"))
    assert found == 0
