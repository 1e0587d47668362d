"""The audit trail over HTTP."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet

from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.audit.trail import record
from syncline.runtime.db.engine import Database
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.http.factory import create_app
from syncline.runtime.jobs import JobQueue
from syncline.runtime.secrets import SecretBox

OWNER, EDITOR, STRANGER = ({"Authorization": f"Bearer {name}"} for name in ("owner", "editor", "stranger"))


@pytest.fixture
async def client(
    database: Database, tenant_id: TenantId, other_tenant_id: TenantId
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
    app = create_app(runtime, (), authenticate=authenticate)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test") as made:
        yield made


@pytest.fixture(autouse=True)
async def three_entries(database: Database, tenant_id: TenantId) -> None:
    for name, subject in (("ann", "=cmd()"), ("ben", "summer"), ("ann", "winter")):
        async with database.writing(tenant_id) as session:
            actor = Actor(tenant_id, name, "owner")
            await record(session, actor=actor, action="stores.add", subject=subject, after={"plan": "basic"})


async def test_the_latest_come_first_and_searching_leaves_an_entry(client: httpx.AsyncClient) -> None:
    first = (await client.get("/api/audit", headers=OWNER)).json()
    assert [one["subject"] for one in first["entries"]] == ["winter", "summer", "=cmd()"]
    assert first["entries"][0]["after"] == {"plan": "basic"}
    second = (await client.get("/api/audit", headers=OWNER)).json()
    assert second["entries"][0]["action"] == "GET /api/audit"
    assert second["pagination"]["totalItems"] == 4


async def test_it_is_searched_by_who_and_what(client: httpx.AsyncClient) -> None:
    asked = {"actor": "ann", "action": "stores", "subject": "win"}
    found = (await client.get("/api/audit", headers=OWNER, params=asked)).json()
    assert [one["number"] for one in found["entries"]] == [3]
    assert (await client.get("/api/audit", headers=OWNER, params={"since": "2999-01-01T00:00:00Z"})).json()[
        "entries"
    ] == []


async def test_a_moment_without_its_zone_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/audit", headers=OWNER, params={"since": "2026-01-01T00:00:00"})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/api/audit", "/api/audit/export", "/api/audit/verification"])
async def test_only_owners_and_admins_see_the_trail_and_only_their_own(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 401
    assert (await client.get(path, headers=EDITOR)).status_code == 403
    theirs = await client.get(path, headers=STRANGER)
    assert theirs.status_code == 200
    assert "summer" not in theirs.text


async def test_it_is_exported_as_csv_that_no_spreadsheet_computes(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/audit/export", headers=OWNER)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["subject"] for row in rows] == ["'=cmd()", "summer", "winter"]
    assert json.loads(rows[0]["after"]) == {"plan": "basic"}
    assert "audit.csv" in answer.headers["content-disposition"]


async def test_it_is_exported_as_a_json_object_a_line(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/audit/export", headers=OWNER, params={"format": "jsonl", "actor": "ben"})
    (line,) = answer.text.splitlines()
    assert json.loads(line)["subject"] == "summer"
    assert answer.headers["content-type"] == "application/jsonl"


async def test_a_row_that_was_changed_is_named(client: httpx.AsyncClient, database_settings: DatabaseSettings) -> None:
    whole = (await client.get("/api/audit/verification", headers=OWNER)).json()
    assert (whole["whole"], whole["entries"], whole["findings"]) == (True, 3, [])
    with psycopg.connect(str(database_settings.admin_url), autocommit=True) as operator:
        operator.execute("SET session_replication_role = replica")
        operator.execute("UPDATE audit.entry SET actor = 'nobody' WHERE number = 2")
    found = (await client.get("/api/audit/verification", headers=OWNER)).json()
    assert [one["sentence"] for one in found["findings"]] == ["Entry 2 was changed."]
    assert found["whole"] is False
