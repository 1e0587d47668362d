from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from syncline.apps.accounts.facade import LocalKeyRing
from syncline.apps.accounts.privacy.retention.jobs import start_expiry, start_retention
from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs import JobContext
from syncline.runtime.jobs.testing import FakeJobQueue

Headers = dict[str, str]
SOMEBODY = {"subject": {"email": "Carl@Example.com"}}
AGREED = {**SOMEBODY, "document": "newsletter", "version": "2026-11", "is_given": True, "method": "web form"}


async def work(runtime: Runtime) -> None:
    assert isinstance(runtime.queue, FakeJobQueue)
    await runtime.queue.run_waiting(runtime)


async def exported(client: httpx.AsyncClient, runtime: Runtime, owner: Headers) -> str:
    asked = await client.post("/api/privacy/exports", json=SOMEBODY, headers=owner)
    assert asked.status_code == 202, asked.text
    await work(runtime)
    export_id: str = asked.json()["id"]
    return export_id


async def test_an_export_is_asked_for_made_by_a_job_and_fetched(
    client: httpx.AsyncClient, owner: Headers, runtime: Runtime
) -> None:
    await client.post("/api/privacy/consents", json=AGREED, headers=owner)
    export_id = await exported(client, runtime, owner)
    told = (await client.get(f"/api/privacy/exports/{export_id}", headers=owner)).json()
    assert (told["status"], told["manifest"]["counts"]["accounts"]) == ("completed", {"subject": 1, "consent": 1})
    file = await client.get(f"/api/privacy/exports/{export_id}/file", headers=owner)
    assert (file.status_code, len(file.content)) == (200, told["size_bytes"])
    with ZipFile(BytesIO(file.content)) as archive:
        assert archive.testzip() is None
        (row,) = json.loads(archive.read("accounts/consent.json"))
        assert archive.read("accounts/consent.csv").decode("utf-8-sig").count("\r\n") == 2
    assert (row["document"], row["version"], row["is_given"]) == ("newsletter", "2026-11", True)


async def test_fetching_leaves_an_entry_in_the_trail(
    client: httpx.AsyncClient, owner: Headers, runtime: Runtime
) -> None:
    export_id = await exported(client, runtime, owner)
    await client.get(f"/api/privacy/exports/{export_id}/file", headers=owner)
    entries = (await client.get("/api/audit", headers=owner)).json()["entries"]
    actions = [one["action"] for one in entries]
    assert "GET /api/privacy/exports/{export_id}/file" in actions
    assert "privacy export" in actions
    assert "carl@example.com" not in json.dumps(entries).lower()


async def test_a_file_is_not_there_before_the_job_ran_and_gone_when_its_time_is_over(
    client: httpx.AsyncClient, owner: Headers, runtime: Runtime, database: Database, tenant_id: TenantId
) -> None:
    asked = (await client.post("/api/privacy/exports", json=SOMEBODY, headers=owner)).json()
    address = f"/api/privacy/exports/{asked['id']}/file"
    early = await client.get(address, headers=owner)
    assert (early.status_code, early.json()["code"]) == (409, "PRIV_003")
    await work(runtime)
    assert (await client.get(address, headers=owner)).status_code == 200
    await make_tenant(database, tenant_id)
    with clock.frozen(clock.now() + timedelta(days=8)):
        late = await client.get(address, headers=owner)
        assert (late.status_code, late.json()["code"]) == (410, "PRIV_004")
        await start_expiry(JobContext(runtime=runtime, job_id=1, attempt=1, tenant=None), {})
        await work(runtime)
    async with database.reading(tenant_id) as session:
        assert await session.scalar(text("SELECT count(*) FROM accounts.personal_export_part")) == 0


async def test_another_tenant_finds_no_export_and_no_erasure(
    client: httpx.AsyncClient, owner: Headers, stranger: Headers, runtime: Runtime
) -> None:
    export_id = await exported(client, runtime, owner)
    asked = await client.post("/api/privacy/erasures", json={**SOMEBODY, "reason": "asked for"}, headers=owner)
    for path in (
        f"/api/privacy/exports/{export_id}",
        f"/api/privacy/exports/{export_id}/file",
        f"/api/privacy/erasures/{asked.json()['id']}",
    ):
        assert (await client.get(path, headers=stranger)).status_code == 404
    assert (await client.get("/api/privacy/erasures", headers=stranger)).json() == {"erasures": []}
    found = await client.post("/api/privacy/choices/search", json=SOMEBODY, headers=stranger)
    assert found.json()["history"] == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/privacy/exports", SOMEBODY),
        ("POST", "/api/privacy/erasures/preview", SOMEBODY),
        ("POST", "/api/privacy/erasures", {**SOMEBODY, "reason": "x"}),
        ("POST", "/api/privacy/consents", AGREED),
        ("POST", "/api/privacy/choices/search", SOMEBODY),
        ("GET", "/api/privacy/erasures", None),
        ("POST", "/api/privacy/retention/apply", None),
    ],
)
async def test_an_editor_may_do_none_of_it(
    client: httpx.AsyncClient, editor: Headers, method: str, path: str, body: Any
) -> None:
    assert (await client.request(method, path, json=body, headers=editor)).status_code == 403
    assert (await client.request(method, path, json=body)).status_code == 401


@pytest.mark.parametrize(
    "subject", [{}, {"email": "carl"}, {"store": "demo"}, {"email": "c@d.org", "user_id": str(UUID(int=1))}]
)
async def test_who_is_meant_must_be_said_in_one_way(
    client: httpx.AsyncClient, owner: Headers, subject: dict[str, Any]
) -> None:
    answer = await client.post("/api/privacy/exports", json={"subject": subject}, headers=owner)
    assert answer.status_code == 400


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "x" * 321])
@pytest.mark.parametrize("field", ["store", "document", "method", "reason", "email"])
async def test_what_no_database_holds_is_refused_and_not_an_error_of_ours(
    client: httpx.AsyncClient, owner: Headers, field: str, text: str
) -> None:
    about = {"store": {"store": text, "customer": 1}, "email": {"email": f"{text}@example.com"}}
    body = {**AGREED, "subject": about.get(field, SOMEBODY["subject"]), **({field: text} if field in AGREED else {})}
    where = {"reason": ("/api/privacy/erasures", {**SOMEBODY, "reason": text})}
    path, sent = where.get(field, ("/api/privacy/consents", body))
    answer = await client.post(path, content=json.dumps(sent), headers={**owner, "Content-Type": "application/json"})
    assert answer.status_code == 400


async def test_consents_only_add_up_and_the_last_word_stands(client: httpx.AsyncClient, owner: Headers) -> None:
    for change in ({}, {"is_given": False, "method": "phone"}, {"version": "2026-12"}):
        answer = await client.post("/api/privacy/consents", json={**AGREED, **change}, headers=owner)
        assert answer.status_code == 201
    found = (await client.post("/api/privacy/choices/search", json=SOMEBODY, headers=owner)).json()
    assert [(one["version"], one["is_given"]) for one in found["history"]] == [
        ("2026-12", True),
        ("2026-11", False),
        ("2026-11", True),
    ]
    assert [one["version"] for one in found["standing"]] == ["2026-12"]


async def test_the_history_of_consents_cannot_be_changed(
    client: httpx.AsyncClient, owner: Headers, database: Database, tenant_id: TenantId
) -> None:
    await client.post("/api/privacy/consents", json=AGREED, headers=owner)
    for change in ("UPDATE accounts.consent SET is_given = false", "DELETE FROM accounts.consent"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with database.writing(tenant_id) as session:
                await session.execute(text(change))


async def test_no_address_gets_into_the_history(client: httpx.AsyncClient, owner: Headers) -> None:
    body = {**AGREED, "method": "mail from carl@example.com"}
    answer = await client.post("/api/privacy/consents", json=body, headers=owner)
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (400, "method")


async def test_who_opted_out_of_the_sale_is_left_out(
    client: httpx.AsyncClient, owner: Headers, ring: LocalKeyRing, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    choice = {**SOMEBODY, "may_not_be_sold": True, "method": "web form"}
    chosen = (await client.put("/api/privacy/choices/sale", json=choice, headers=owner)).json()
    assert (chosen["may_not_be_sold"], len(chosen["history"])) == (True, 1)
    emails = ["dora@example.com", "carl@example.com"]
    assert await ring.list_not_for_sale(tenant_id=tenant_id, emails=emails) == ["carl@example.com"]
    assert await ring.list_not_for_sale(tenant_id=other_tenant_id, emails=emails) == []
    await client.put("/api/privacy/choices/sale", json={**choice, "may_not_be_sold": False}, headers=owner)
    assert await ring.list_not_for_sale(tenant_id=tenant_id, emails=emails) == []


async def test_an_erased_consent_stays_as_proof_and_names_nobody(
    client: httpx.AsyncClient, owner: Headers, runtime: Runtime, database: Database, tenant_id: TenantId
) -> None:
    await client.post("/api/privacy/consents", json=AGREED, headers=owner)
    preview = (await client.post("/api/privacy/erasures/preview", json=SOMEBODY, headers=owner)).json()
    assert preview["total"] == 1
    erasure = await client.post("/api/privacy/erasures", json={**SOMEBODY, "reason": "asked for"}, headers=owner)
    await work(runtime)
    found = (await client.post("/api/privacy/choices/search", json=SOMEBODY, headers=owner)).json()
    assert found["history"] == []
    async with database.reading(tenant_id) as session:
        assert await session.scalar(text("SELECT count(*) FROM accounts.consent")) == 1
    searched = (await client.post("/api/privacy/erasures/search", json=SOMEBODY, headers=owner)).json()["erasures"]
    assert [one["id"] for one in searched] == [erasure.json()["id"]]
    assert searched[0]["status"] == "completed"


async def test_an_erasure_removes_exports_that_wait_to_be_fetched(
    client: httpx.AsyncClient, owner: Headers, runtime: Runtime
) -> None:
    export_id = await exported(client, runtime, owner)
    await client.post("/api/privacy/erasures", json={**SOMEBODY, "reason": "asked for"}, headers=owner)
    await work(runtime)
    assert (await client.get(f"/api/privacy/exports/{export_id}", headers=owner)).status_code == 404


async def test_a_rule_is_counted_changed_and_applied(
    client: httpx.AsyncClient, owner: Headers, runtime: Runtime, database: Database, tenant_id: TenantId
) -> None:
    invited = await client.post("/api/keys", json={"name": "a", "role": "viewer"}, headers=owner)
    await client.delete(f"/api/keys/{invited.json()['id']}", headers=owner)
    with clock.frozen(clock.now() + timedelta(days=40)):
        listed = (await client.get("/api/privacy/retention?counted=true", headers=owner)).json()["rules"]
        (before,) = (one for one in listed if one["name"] == "accounts.keys")
        assert (before["days"], before["found"]) == (365, 0)
        changed = await client.put("/api/privacy/retention/accounts.keys", json={"days": 30}, headers=owner)
        assert (changed.json()["days"], changed.json()["default_days"]) == (30, 365)
        listed = (await client.get("/api/privacy/retention?counted=true", headers=owner)).json()["rules"]
        assert [one["found"] for one in listed if one["name"] == "accounts.keys"] == [1]
        applied = (await client.post("/api/privacy/retention/apply", headers=owner)).json()
        assert applied == {"removed": {"accounts.keys": 1}}
        again = (await client.post("/api/privacy/retention/apply", headers=owner)).json()
        assert again == {"removed": {}}


async def test_each_night_every_tenant_has_its_rules_applied(
    client: httpx.AsyncClient, owner: Headers, runtime: Runtime, database: Database, tenant_id: TenantId
) -> None:
    made = await client.post("/api/keys", json={"name": "a", "role": "viewer"}, headers=owner)
    await client.delete(f"/api/keys/{made.json()['id']}", headers=owner)
    await make_tenant(database, tenant_id)
    with clock.frozen(clock.now() + timedelta(days=366)):
        await start_retention(JobContext(runtime=runtime, job_id=1, attempt=1, tenant=None), {})
        await work(runtime)
    async with database.reading(tenant_id) as session:
        assert await session.scalar(text("SELECT count(*) FROM accounts.api_key WHERE revoked_at IS NOT NULL")) == 0


async def test_a_rule_that_is_none_and_days_too_few_are_refused(client: httpx.AsyncClient, owner: Headers) -> None:
    unknown = await client.put("/api/privacy/retention/accounts.nothing", json={"days": 30}, headers=owner)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "PRIV_007")
    few = await client.put("/api/privacy/retention/queues.job_dead_letters", json={"days": 1}, headers=owner)
    assert (few.status_code, few.json()["fields"][0]["field"]) == (400, "days")
    for_ever = await client.put("/api/privacy/retention/accounts.keys", json={"days": None}, headers=owner)
    assert for_ever.json()["days"] is None


async def make_tenant(database: Database, tenant_id: TenantId) -> None:
    async with database.system() as session:
        query = "INSERT INTO accounts.tenant (id, slug, name, created_at) VALUES (:id, :id, 'x', now())"
        await session.execute(text(query.replace(":id, :id", ":id, CAST(:id AS text)")), {"id": tenant_id})
