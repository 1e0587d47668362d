from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from syncline.apps.accounts.facade import LocalKeyRing
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin.passwords import Passwords
from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PASSWORD = "four words in a row"
Signed = dict[str, Any]


async def sign_in(
    client: httpx.AsyncClient, email: str = "ada@example.com", password: str = PASSWORD, **more: str
) -> httpx.Response:
    return await client.post("/api/auth/login", json={"email": email, "password": password, **more})


async def who(client: httpx.AsyncClient, token: str, **headers: str) -> httpx.Response:
    return await client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}", **headers})


@pytest.mark.parametrize("email", ["ada@example.com", "Ada@EXAMPLE.com", " ada@example.com"])
async def test_the_right_password_opens_a_session(client: httpx.AsyncClient, ada: Signed, email: str) -> None:
    answer = await sign_in(client, email)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["session_id"] != ada["session_id"]
    assert (await who(client, answer.json()["access_token"])).json()["name"] == "Ada Lovelace"


async def test_an_unknown_e_mail_and_a_wrong_password_get_the_same_answer(
    client: httpx.AsyncClient, ada: Signed
) -> None:
    wrong, unknown = await sign_in(client, password="five words in a row"), await sign_in(client, "eve@example.com")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "AUTH_001")
    nameless = [{**answer.json(), "correlation_id": ""} for answer in (wrong, unknown)]
    assert nameless[0] == nameless[1]
    assert wrong.headers.keys() == unknown.headers.keys()


async def test_for_an_unknown_e_mail_a_password_is_hashed_all_the_same(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []
    verify = Passwords._verify

    def watched(self: Passwords, password: str, stored: str | None) -> tuple[bool, str | None]:
        seen.append(stored)
        return verify(self, password, stored)

    monkeypatch.setattr(Passwords, "_verify", watched)
    await sign_in(client, "eve@example.com")
    assert seen == [None]


async def test_a_sign_in_elsewhere_is_not_locked_by_a_guesser(client: httpx.AsyncClient, ada: Signed) -> None:
    guesser = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=client._transport.app, client=("192.0.2.66", 1)),  # type: ignore[attr-defined]
        base_url="http://syncline.test",
    )
    async with guesser:
        guesses = [await sign_in(guesser, password=f"guess number {number}") for number in range(7)]
        assert [guess.status_code for guess in guesses] == [401] * 5 + [429] * 2
        assert guesses[-1].json()["code"] == "AUTH_003"
        assert int(guesses[-1].headers["retry-after"]) >= 1
        # Not even the right password, or each guess would be answered while one waits.
        assert (await sign_in(guesser)).status_code == 429
    assert (await sign_in(client)).status_code == 200


async def test_many_guesses_at_once_are_not_more_than_many_in_turn(client: httpx.AsyncClient, ada: Signed) -> None:
    guesses = await asyncio.gather(*(sign_in(client, password=f"guess number {number}") for number in range(20)))
    assert sorted(guess.status_code for guess in guesses) == [401] * 5 + [429] * 15


async def test_an_unknown_e_mail_has_to_wait_just_the_same(client: httpx.AsyncClient) -> None:
    guesses = [await sign_in(client, "eve@example.com") for _ in range(6)]
    assert [guess.status_code for guess in guesses] == [401] * 5 + [429]


async def test_the_wait_doubles_and_ends_and_a_success_forgets_it(client: httpx.AsyncClient, ada: Signed) -> None:
    moment, waits = NOON, []
    with clock.frozen(moment):
        for _ in range(4):
            await sign_in(client, password="wrong password")
    for _ in range(3):
        with clock.frozen(moment):
            assert (await sign_in(client, password="wrong password")).status_code == 401
            refused = await sign_in(client, password="wrong password")
            waits.append(int(refused.headers["retry-after"]))
        moment += timedelta(seconds=waits[-1])
    assert waits == [1, 2, 4]
    with clock.frozen(moment):
        assert (await sign_in(client)).status_code == 200
        assert (await sign_in(client, password="wrong password")).status_code == 401
        assert (await sign_in(client)).status_code == 200


async def test_after_a_day_old_failures_are_forgotten(client: httpx.AsyncClient, ada: Signed) -> None:
    with clock.frozen(NOON):
        for _ in range(4):
            await sign_in(client, password="wrong password")
    with clock.frozen(NOON + timedelta(days=1, seconds=1)):
        answers = [await sign_in(client, password="wrong password") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 5


async def test_a_disabled_account_is_told_so_only_with_the_right_password(
    client: httpx.AsyncClient, ada: Signed, database: Database
) -> None:
    async with database.system() as session:
        await session.execute(text("UPDATE accounts.user_account SET disabled_at = now()"))
    assert (await sign_in(client)).json()["code"] == "AUTH_009"
    assert (await sign_in(client, password="wrong password")).json()["code"] == "AUTH_001"
    assert (await who(client, ada["access_token"])).status_code == 401


async def test_a_hash_made_with_weaker_parameters_is_made_anew(
    client: httpx.AsyncClient, ada: Signed, database: Database, ring: LocalKeyRing
) -> None:
    weak = await Passwords(AccountsSettings(hash_memory_kib=16, hash_passes=1, hash_lanes=1)).hash(PASSWORD)
    async with database.system() as session:
        await session.execute(text("UPDATE accounts.user_account SET password_hash = :hash"), {"hash": weak})
    assert (await sign_in(client)).status_code == 200
    async with database.system() as session:
        stored = await session.scalar(text("SELECT password_hash FROM accounts.user_account"))
    assert "m=8," in str(stored)
    assert (await sign_in(client)).status_code == 200


async def test_an_access_token_ends_with_its_time(client: httpx.AsyncClient, ada: Signed) -> None:
    with clock.frozen(NOON):
        token = (await sign_in(client)).json()["access_token"]
        assert (await who(client, token)).status_code == 200
    with clock.frozen(NOON + timedelta(minutes=10)):
        assert (await who(client, token)).status_code == 401


async def test_who_left_every_tenant_is_told_so(client: httpx.AsyncClient, ada: Signed, database: Database) -> None:
    async with database.writing(TenantId(ada["tenant"]["id"])) as session:
        await session.execute(text("DELETE FROM accounts.membership"))
    refused = await sign_in(client)
    assert (refused.status_code, refused.json()["code"]) == (403, "AUTH_008")
    assert (await who(client, ada["access_token"])).status_code == 401


async def test_a_person_in_two_tenants_picks_at_login_or_by_header(
    client: httpx.AsyncClient, ada: Signed, register: Any, database: Database
) -> None:
    eve = await register("eve@example.com", shopDomain="winter.myshopify.com")
    async with database.writing(eve["tenant"]["id"]) as session:
        query = "INSERT INTO accounts.membership VALUES (:tenant, :user, 'viewer', now(), 'a test')"
        await session.execute(text(query), {"tenant": eve["tenant"]["id"], "user": ada["user"]["id"]})
    first = (await sign_in(client)).json()
    assert first["tenant"] == ada["tenant"]
    assert [one["slug"] for one in first["tenants"]] == ["summer", "winter"]
    chosen = (await sign_in(client, tenant="winter")).json()
    assert (chosen["tenant"]["slug"], chosen["tenant"]["role"]) == ("winter", "viewer")
    by_header = await who(client, first["access_token"], **{"X-Tenant": "winter"})
    assert (by_header.json()["tenant"]["slug"], by_header.json()["role"]) == ("winter", "viewer")
    by_id = await who(client, first["access_token"], **{"X-Tenant": eve["tenant"]["id"]})
    assert by_id.json()["tenant"] == by_header.json()["tenant"]
    keys = await client.get(
        "/api/keys", headers={"Authorization": f"Bearer {first['access_token']}", "X-Tenant": "winter"}
    )
    assert keys.status_code == 403
    theirs = await who(client, eve["access_token"], **{"X-Tenant": "summer"})
    assert (theirs.status_code, theirs.json()["code"]) == (403, "AUTH_008")
    assert (await sign_in(client, "eve@example.com", tenant="summer")).json()["code"] == "AUTH_008"


async def test_a_key_stays_in_its_tenant(client: httpx.AsyncClient, ada: Signed) -> None:
    headers = {"Authorization": f"Bearer {ada['access_token']}"}
    made = await client.post("/api/keys", json={"name": "nightly", "role": "viewer"}, headers=headers)
    key = made.json()["key"]
    facts = (await who(client, key)).json()
    assert (facts["user"], facts["name"], facts["method"], facts["session_id"]) == (None, "nightly", "key", None)
    assert (await who(client, key, **{"X-Tenant": "summer"})).status_code == 200
    assert (await who(client, key, **{"X-Tenant": "main"})).json()["code"] == "AUTH_008"
    sessions = await client.get("/api/auth/sessions", headers={"Authorization": f"Bearer {key}"})
    assert (sessions.status_code, sessions.json()["code"]) == (403, "AUTH_011")


@pytest.mark.parametrize("path", ["login", "register", "refresh", "logout"])
async def test_an_unknown_field_is_named_and_a_get_is_405(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(f"/api/auth/{path}", json={"surprise": 1})
    assert "surprise" in {wrong["field"] for wrong in answer.json()["fields"]}
    assert (await client.get(f"/api/auth/{path}")).status_code == 405


@pytest.mark.parametrize(("method", "path"), [("GET", "/me"), ("GET", "/sessions"), ("DELETE", "/sessions")])
async def test_anonymous_is_401(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, f"/api/auth{path}")
    assert (answer.status_code, answer.json()["code"]) == (401, "API_001")
