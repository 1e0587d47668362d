"""A dump of a database in use, as a thief of a backup would have it, holds no secret that can be used; and the key that
sealed them can be thrown away after a rotation, and everything still works."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from syncline.apps.accounts.contract import Erasure, KeyRing, PersonalExport, SubjectRef
from syncline.apps.accounts.oidc.repository import insert_flow
from syncline.apps.accounts.privacy.exports.download import read_file
from syncline.apps.accounts.providers import service as providers
from syncline.apps.accounts.providers.provider import Provider
from syncline.apps.accounts.totp.codes import code_at, step_of
from syncline.apps.commerce.contract import RunStatus, Store
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.main.rotation import rotate
from syncline.main.targets import APPS
from syncline.main.testing.shop import Shop
from syncline.main.testing.web import PASSWORD, Signed, bearing, open_web, register
from syncline.main.testing.works import Works, eventually, open_works
from syncline.runtime.db.server import ServerHandle
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.secrets import add_key, ensure_key_file

EMAIL = "ada@example.com"
SEALED = {
    "accounts.signing_key.sealed_key",
    "accounts.totp_device.sealed_secret",
    "accounts.outgoing_mail.sealed_text",
    "commerce.store.token_sealed",
}


@pytest.fixture
async def client(works: Works) -> AsyncIterator[httpx.AsyncClient]:
    async with open_web(works) as opened:
        yield opened


async def second_step(client: httpx.AsyncClient, ada: Signed) -> tuple[str, list[str]]:
    """The seed in the phone, and the recovery codes."""
    begun = await client.post("/api/auth/totp", json={"password": PASSWORD}, headers=bearing(ada))
    seed: str = begun.json()["secret"]
    confirmed = await client.post("/api/auth/totp/confirm", json={"code": code_of(seed)}, headers=bearing(ada))
    codes: list[str] = confirmed.json()["recovery_codes"]
    return seed, codes


def code_of(seed: str, later: int = 0) -> str:
    return code_at(base64.b32decode(seed), step_of(clock.now()) + later)


def dump(server: ServerHandle, database: DatabaseSettings) -> str:
    command = [str(server.bin_dir / "pg_dump"), "--dbname", str(database.admin_url), "--inserts"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


async def sign_in_provider(works: Works, ada: Signed) -> None:
    """A tenant's own, and somebody on his way to it."""
    seal, tenant_id = works.runtime.secrets.seal, TenantId(UUID(ada["tenant"]["id"]))
    now = clock.now()
    made = Provider("", "house", "House", "https://login.example.com", "us", "the client's secret", tenant_id)
    owner = Actor(tenant_id=tenant_id, name="Ada", role="owner")
    async with works.runtime.database.writing(tenant_id) as session:
        await providers.create(session, owner, replace(made, key=str(new_id())), secrets=works.runtime.secrets)
    flow = {"digest": b"d", "browser": b"b", "provider": "house", "return_to": "/", "expires_at": now}
    async with works.runtime.database.system() as session:
        await insert_flow(session, {**flow, "sealed_exchange": seal("nonce and verifier")})


async def letters(works: Works) -> list[str]:
    return [one.text or "" for one in await works.runtime.contract(KeyRing).list_mails()]


async def test_a_dump_of_a_database_in_use_holds_nothing_usable(
    works: Works,
    client: httpx.AsyncClient,
    shop: Shop,
    store: Store,
    server: ServerHandle,
    database_settings: DatabaseSettings,
) -> None:
    assert (await works.pull()).status is RunStatus.COMPLETED
    ada = await register(client, EMAIL)
    seed, codes = await second_step(client, ada)
    key = (await client.post("/api/keys", json={"name": "a", "role": "viewer"}, headers=bearing(ada))).json()["key"]
    await client.post("/api/invitations", json={"email": "bob@example.com", "role": "viewer"}, headers=bearing(ada))
    await client.post("/api/auth/forgot-password", json={"email": EMAIL})
    login = await client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
    async with works.working():
        assert await works.runtime.contract(KeyRing).rotate_signing_key()
    mailed = re.findall(r"#token=(\S+)", "\n".join(await letters(works)))
    assert len(mailed) >= 2
    (encryption_key,) = ensure_key_file(works.settings.data_dir)
    whole = [key, ada["refresh_token"], login.json()["challenge"], *mailed]
    secrets = [
        shop.token,
        PASSWORD,
        seed,
        encryption_key,
        ada["access_token"],
        *codes,
        *whole,
        *(one[-43:] for one in whole),
    ]
    forms = [form for one in secrets for form in (one, one.encode().hex(), base64.b64encode(one.encode()).decode())]
    dumped = dump(server, database_settings)
    assert EMAIL in dumped
    assert shop.domain.partition(".")[0] in dumped
    assert [form for form in [*forms, base64.b32decode(seed).hex(), "PRIVATE KEY"] if form in dumped] == []


async def asked_about_people(works: Works) -> tuple[PersonalExport, Erasure]:
    """An export that is there, one that waits, and an erasure that waits."""
    ring, actor, bob = works.runtime.contract(KeyRing), works.actor, SubjectRef(email="bob@example.com")
    made = await ring.start_export(actor=actor, subject=bob)
    async with works.working():
        await eventually(lambda: ring.get_export(actor=actor, export_id=made.id), lambda one: one.status == "completed")
    await ring.start_export(actor=actor, subject=bob)
    waiting = await ring.start_erasure(actor=actor, subject=SubjectRef(email="carl@example.com"), reason="asked for")
    return made, waiting


async def test_after_a_rotation_everything_works_without_the_old_key(
    database_settings: DatabaseSettings, tmp_path: Path, shop: Shop
) -> None:
    async with open_works(database_settings, tmp_path) as works, open_web(works) as client:
        await works.connect(shop)
        ada = await register(client, EMAIL)
        seed, _ = await second_step(client, ada)
        await client.post("/api/auth/forgot-password", json={"email": EMAIL})
        export, erasure = await asked_about_people(works)
        await sign_in_provider(works, ada)
        sealed = await rotate(works.runtime, APPS, add_key=partial(add_key, tmp_path))
        assert {name for name, many in sealed.items() if many} >= SEALED
        assert (await client.get("/api/auth/me", headers=bearing(ada))).status_code == 200
    newest, _ = ensure_key_file(tmp_path)
    (tmp_path / "secret.keys").write_text(f"{newest}\n")
    async with open_works(database_settings, tmp_path) as works, open_web(works) as client:
        assert (await client.get("/api/auth/me", headers=bearing(ada))).status_code == 200
        login = await client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
        body = {"challenge": login.json()["challenge"], "code": code_of(seed, later=1)}
        signed_in = await client.post("/api/auth/login/second-step", json=body)
        assert (await client.get("/api/auth/me", headers=bearing(signed_in.json()))).status_code == 200
        assert any("#token=" in one for one in await letters(works))
        runtime, actor = works.runtime, works.actor
        parts = [part async for part in read_file(runtime.database, actor.tenant_id, runtime.secrets, export.id)]
        assert b"".join(parts).startswith(b"PK")
        ring = runtime.contract(KeyRing)
        async with works.working():
            await eventually(
                lambda: ring.get_erasure(actor=actor, erasure_id=erasure.id), lambda one: one.status == "completed"
            )
        assert (await works.pull()).status is RunStatus.COMPLETED
