"""A person of the installation: what is exported of him, what an erasure leaves; no other tenant reaches it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import httpx
import psycopg
import pytest

from syncline.apps.accounts.contract import ErasureObjected, SubjectRef
from syncline.apps.accounts.facade import LocalKeyRing
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs.testing import FakeJobQueue

Signed = dict[str, Any]
BOB, BOB_IS = "bob.builder@example.com", "Bob Builder"
JoinBob = Callable[[Signed], Awaitable[Signed]]


def bearer(signed: Signed) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}"}


def actor_of(signed: Signed) -> Actor:
    return Actor(TenantId(UUID(signed["tenant"]["id"])), "the officer", "owner")


async def work(runtime: Runtime) -> None:
    assert isinstance(runtime.queue, FakeJobQueue)
    await runtime.queue.run_waiting(runtime)


@pytest.fixture
def join_bob(client: httpx.AsyncClient, mailbox: Any) -> JoinBob:
    """Bob, invited into the tenant of whoever asks; the second time with the account he has."""

    async def join(host: Signed) -> Signed:
        body = {"email": BOB, "role": "editor"}
        assert (await client.post("/api/invitations", json=body, headers=bearer(host))).status_code == 201
        acceptance = {"token": await mailbox.token("invitation"), "name": BOB_IS, "password": "four words in a row"}
        answer = await client.post("/api/invitations/accept", json=acceptance)
        assert answer.status_code == 200, answer.text
        told: Signed = answer.json()
        return told

    return join


async def erase(ring: LocalKeyRing, runtime: Runtime, host: Signed, ref: SubjectRef) -> dict[str, Any]:
    asked = await ring.start_erasure(actor=actor_of(host), subject=ref, reason="asked for")
    await work(runtime)
    done = await ring.get_erasure(actor=actor_of(host), erasure_id=asked.id)
    assert done.status == "completed"
    return {step.app: dict(step.counts or {}) for step in done.steps}


async def test_an_erased_person_leaves_nothing_but_an_empty_account(
    client: httpx.AsyncClient,
    ada: Signed,
    join_bob: JoinBob,
    ring: LocalKeyRing,
    runtime: Runtime,
    database_settings: DatabaseSettings,
) -> None:
    bob = await join_bob(ada)
    await client.post("/api/auth/forgot-password", json={"email": BOB})
    await client.post("/api/auth/login", json={"email": BOB, "password": "not this one at all"})
    consent = {"document": "terms", "version": "3", "is_given": True, "method": "web form"}
    told = await client.post("/api/privacy/consents", json={**consent, "subject": {"email": BOB}}, headers=bearer(ada))
    assert told.status_code == 201, told.text
    counts = await erase(ring, runtime, ada, SubjectRef(email=BOB))
    dumped = dump(str(database_settings.admin_url))
    assert BOB not in dumped
    assert BOB_IS not in dumped
    assert counts["accounts"]["account"] == counts["accounts"]["member"] == counts["accounts"]["subject"] == 1
    assert (await client.get("/api/auth/me", headers=bearer(bob))).status_code == 401
    login = await client.post("/api/auth/login", json={"email": BOB, "password": "four words in a row"})
    assert login.status_code == 401


async def test_a_person_who_belongs_elsewhere_too_leaves_this_tenant_and_keeps_his_account(
    client: httpx.AsyncClient, register: Any, join_bob: JoinBob, ring: LocalKeyRing, runtime: Runtime
) -> None:
    ada = await register()
    eve = await register(email="eve@example.com", name="Eve", shopDomain="winter.myshopify.com")
    await join_bob(ada)
    elsewhere = await join_bob(eve)
    counts = await erase(ring, runtime, ada, SubjectRef(email=BOB))
    assert counts["accounts"]["member"] == 1
    assert "account" not in counts["accounts"]
    assert (await client.get("/api/auth/me", headers=bearer(elsewhere))).json()["user"]["email"] == BOB
    members = (await client.get("/api/members", headers=bearer(ada))).json()["members"]
    assert [one["email"] for one in members] == ["ada@example.com"]


async def test_the_last_owner_is_not_erased(ada: Signed, ring: LocalKeyRing) -> None:
    ref = SubjectRef(email="ada@example.com")
    planned = await ring.plan_erasure(actor=actor_of(ada), subject=ref)
    assert "owner" in planned.objections[0]
    with pytest.raises(ErasureObjected, match="owner"):
        await ring.start_erasure(actor=actor_of(ada), subject=ref, reason="asked for")


async def test_the_export_of_a_person_has_his_sign_ins_here_and_none_of_elsewhere(
    register: Any, join_bob: JoinBob, ring: LocalKeyRing
) -> None:
    ada = await register()
    eve = await register(email="eve@example.com", name="Eve", shopDomain="winter.myshopify.com")
    here = await join_bob(ada)
    await join_bob(eve)
    file = BytesIO()
    manifest = await ring.export_person(actor=actor_of(ada), subject=SubjectRef(email=BOB), file=file)
    with ZipFile(file) as archive:
        whole = "".join(archive.read(name).decode() for name in archive.namelist())
        sessions = json.loads(archive.read("accounts/session.json"))
    assert manifest["counts"]["accounts"]["member"] == 1
    assert [one["id"] for one in sessions] == [here["session_id"]]
    assert eve["tenant"]["id"] not in whole
    assert "argon2" not in whole


async def test_a_stranger_who_knows_the_address_or_the_id_gets_nothing(
    register: Any, join_bob: JoinBob, ring: LocalKeyRing, runtime: Runtime, client: httpx.AsyncClient
) -> None:
    ada = await register()
    eve = await register(email="eve@example.com", name="Eve", shopDomain="winter.myshopify.com")
    bob = await join_bob(ada)
    for ref in (SubjectRef(email=BOB), SubjectRef(user_id=UUID(bob["user"]["id"]))):
        manifest = await ring.export_person(actor=actor_of(eve), subject=ref, file=BytesIO())
        assert manifest["records"] == 0
        counts = await erase(ring, runtime, eve, ref)
        assert counts == {"queues": {}, "accounts": {}, "audit": {}}
    assert (await client.get("/api/auth/me", headers=bearer(bob))).status_code == 200


_TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('accounts', 'jobs', 'bus', 'live')
"""


def dump(url: str) -> str:
    """Every row of every table but the trail, which keeps by name who of the staff acted, past row-level security."""
    with psycopg.connect(url) as connection:
        names = connection.execute(_TABLES).fetchall()
        connection.execute("SET row_security = off")
        rows = [connection.execute(f"SELECT t::text FROM {name} t".encode()).fetchall() for (name,) in names]
    return "\n".join(row for table in rows for (row,) in table)
