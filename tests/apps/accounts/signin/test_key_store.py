from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
from sqlalchemy import text

from syncline.apps.accounts.facade import LocalKeyRing
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin.key_store import KeyStore
from syncline.kernel import clock
from syncline.runtime.app import Runtime
from syncline.runtime.db.engine import Database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
Signed = dict[str, Any]


async def published(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    keys: dict[str, Any] = answer.json()
    return keys


async def status_of(client: httpx.AsyncClient, signed: Signed) -> int:
    headers = {"Authorization": f"Bearer {signed['access_token']}"}
    return (await client.get("/api/auth/me", headers=headers)).status_code


async def test_anybody_can_check_a_token_with_the_published_keys(client: httpx.AsyncClient, ada: Signed) -> None:
    keys = await published(client)
    (key,) = keys["keys"]
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "EdDSA")
    assert "d" not in key
    # By a library that is not ours, with nothing but what is published: as a gateway or another service does it.
    token = ada["access_token"]
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "kid": key["kid"], "typ": "at+jwt"}
    found = jwt.PyJWKSet.from_dict(keys)[key["kid"]]
    claims = jwt.decode(token, found, algorithms=["EdDSA"], audience="syncline", issuer="syncline")
    assert (claims["sub"], claims["tid"]) == (ada["user"]["id"], ada["tenant"]["id"])
    assert claims["amr"] == ["pwd"]


async def test_ten_processes_that_start_at_once_make_one_key(
    database: Database, runtime: Runtime, settings: AccountsSettings
) -> None:
    stores = [KeyStore(database, runtime.secrets, settings) for _ in range(10)]
    signers = await asyncio.gather(*(store.signer() for store in stores))
    assert len({key.kid for key in signers}) == 1


async def test_a_rotation_signs_nobody_out(client: httpx.AsyncClient, register: Any, ring: LocalKeyRing) -> None:
    with clock.frozen(NOON):
        before = await register()
        kid = await ring.rotate_signing_key()
        assert {key["kid"] for key in (await published(client))["keys"]} > {kid}
        still_old = await register("eve@example.com")
        assert jwt_kid(still_old) == jwt_kid(before) != kid
    with clock.frozen(NOON + timedelta(minutes=9)):
        assert await status_of(client, before) == 200
    with clock.frozen(NOON + timedelta(minutes=15)):
        after = await register("bob@example.com")
        assert jwt_kid(after) == kid
        assert await status_of(client, after) == 200
        assert len((await published(client))["keys"]) == 2
    with clock.frozen(NOON + timedelta(minutes=40)):
        renewed = await client.post("/api/auth/refresh", json={"refresh_token": before["refresh_token"]})
        assert renewed.status_code == 200
        assert [key["kid"] for key in (await published(client))["keys"]] == [kid]


async def test_a_key_of_its_age_is_replaced_by_itself(client: httpx.AsyncClient, register: Any) -> None:
    with clock.frozen(NOON):
        first = jwt_kid(await register())
    with clock.frozen(NOON + timedelta(days=90)):
        assert jwt_kid(await register("eve@example.com")) == first
        assert len((await published(client))["keys"]) == 2
    with clock.frozen(NOON + timedelta(days=90, minutes=15)):
        assert jwt_kid(await register("bob@example.com")) != first


async def test_a_token_signed_by_another_process_with_a_new_key_is_known_at_once(
    client: httpx.AsyncClient, register: Any, database: Database, runtime: Runtime, settings: AccountsSettings
) -> None:
    with clock.frozen(NOON):
        signed = await register()
        other = KeyStore(database, runtime.secrets, settings)
        kid = await other.rotate()
    store = KeyStore(database, runtime.secrets, settings)
    with clock.frozen(NOON):
        assert await store.public_key(jwt_kid(signed)) is not None
        await other.rotate()
    with clock.frozen(NOON + timedelta(seconds=2)):
        assert await store.public_key(kid) is not None


async def test_made_up_key_ids_are_not_a_query_each(
    runtime: Runtime, database: Database, settings: AccountsSettings
) -> None:
    store = KeyStore(database, runtime.secrets, settings)
    with clock.frozen(NOON):
        await store.signer()
        taken = database.engine.pool.checkedout  # type: ignore[attr-defined]
        assert [await store.public_key(f"made-up-{number}") for number in range(50)] == [None] * 50
        async with database.system() as session:
            await session.execute(text("DELETE FROM accounts.signing_key"))
        assert await store.public_key("made-up") is None
        assert (await store.signer()).kid is not None
        assert taken() == 0


def jwt_kid(signed: Signed) -> str:
    import base64
    import json

    header = signed["access_token"].split(".")[0]
    kid: str = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]
    return kid


async def test_a_token_that_was_read_is_refused_once_its_key_is_withdrawn_or_its_time_is_over(
    client: httpx.AsyncClient, register: Any, database: Database
) -> None:
    with clock.frozen(NOON):
        signed = await register()
        assert [await status_of(client, signed) for _ in range(3)] == [200] * 3
        assert await status_of(client, {"access_token": signed["access_token"][:-8] + "AAAAAAAA"}) == 401
    async with database.system() as session:
        await session.execute(text("DELETE FROM accounts.signing_key"))
    with clock.frozen(NOON + timedelta(minutes=2)):
        assert await status_of(client, signed) == 401
        other = await register("eve@example.com")
        assert await status_of(client, other) == 200
    with clock.frozen(NOON + timedelta(minutes=2 + 15)):
        assert await status_of(client, other) == 401
