from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.fernet import Fernet

from syncline.apps.accounts.app import APP
from syncline.apps.accounts.contract import OutgoingMail
from syncline.apps.accounts.facade import LocalKeyRing, build
from syncline.apps.accounts.settings import AccountsSettings
from syncline.kernel.tenant import Actor, TenantId
from syncline.main.compose import personal_data_of
from syncline.runtime.app import Runtime
from syncline.runtime.db.engine import Database
from syncline.runtime.http.factory import create_app
from syncline.runtime.jobs.testing import FakeJobQueue
from syncline.runtime.secrets import SecretBox


@pytest.fixture
def settings() -> AccountsSettings:
    """As in use, but for hashes, which would take most of a test's time."""
    return AccountsSettings(hash_memory_kib=8, hash_passes=1, hash_lanes=1)


@pytest.fixture
def runtime(database: Database, settings: AccountsSettings, tmp_path: Path) -> Runtime:
    return Runtime(
        database=database,
        queue=FakeJobQueue(APP.jobs),
        secrets=SecretBox([Fernet.generate_key().decode()]),
        settings={"accounts": settings},
        personal_data=personal_data_of([APP]),
        erasure_list=tmp_path / "erasures.jsonl",
    )


@pytest.fixture
def ring(runtime: Runtime) -> LocalKeyRing:
    return build(runtime)


@pytest.fixture
async def client(runtime: Runtime, ring: LocalKeyRing) -> AsyncIterator[httpx.AsyncClient]:
    async def authenticate(bearer: str) -> Actor | None:
        return await ring.authenticate(bearer=bearer)

    async def enter(actor: Actor, tenant: str) -> Actor:
        return await ring.enter(actor=actor, tenant=tenant)

    app = create_app(runtime, [APP], authenticate=authenticate, enter=enter)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test") as made:
        yield made


@pytest.fixture
async def owner(ring: LocalKeyRing, tenant_id: TenantId) -> dict[str, str]:
    """The headers of an owner of `tenant_id`."""
    return await headers_of(ring, tenant_id, "owner")


@pytest.fixture
async def editor(ring: LocalKeyRing, tenant_id: TenantId) -> dict[str, str]:
    return await headers_of(ring, tenant_id, "editor")


@pytest.fixture
async def stranger(ring: LocalKeyRing, other_tenant_id: TenantId) -> dict[str, str]:
    """An owner, of another tenant."""
    return await headers_of(ring, other_tenant_id, "owner")


async def headers_of(ring: LocalKeyRing, tenant_id: UUID, role: str) -> dict[str, str]:
    issued = await ring.create_key(tenant_id=TenantId(tenant_id), name=f"the {role}", role=role, created_by="a test")
    return {"Authorization": f"Bearer {issued.bearer}"}


PASSWORD = "four words in a row"
Signed = dict[str, Any]
Register = Callable[..., Awaitable[Signed]]


@pytest.fixture
def register(client: httpx.AsyncClient) -> Register:
    """Makes a tenant with its owner and answers what the owner was told."""

    async def make(email: str = "ada@example.com", **more: str) -> Signed:
        body = {"name": "Ada Lovelace", "email": email, "password": PASSWORD, "shopDomain": "summer.myshopify.com"}
        answer = await client.post("/api/auth/register", json={**body, **more})
        assert answer.status_code == 201, answer.text
        told: Signed = answer.json()
        return told

    return make


@pytest.fixture
async def ada(register: Register) -> Signed:
    return await register()


@dataclass
class Mailbox:
    """What was written to people."""

    ring: LocalKeyRing
    runtime: Runtime

    async def read(self, kind: str | None = None) -> list[OutgoingMail]:
        """Newest first, after every job that waits has run."""
        assert isinstance(self.runtime.queue, FakeJobQueue)
        await self.runtime.queue.run_waiting(self.runtime)
        return [one for one in await self.ring.list_mails() if kind in {None, one.kind}]

    async def token(self, kind: str) -> str:
        """Of the newest mail of this kind."""
        newest = (await self.read(kind))[0]
        found = re.search(r"#token=(\S+)", newest.text or "")
        assert found is not None
        return found[1]


@pytest.fixture
def mailbox(ring: LocalKeyRing, runtime: Runtime) -> Mailbox:
    return Mailbox(ring, runtime)
