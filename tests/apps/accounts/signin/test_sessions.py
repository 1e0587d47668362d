from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from syncline.kernel import clock
from syncline.runtime.db.engine import Database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RACE = timedelta(seconds=10)
Signed = dict[str, Any]


async def refresh(client: httpx.AsyncClient, token: str, **more: str) -> httpx.Response:
    return await client.post("/api/auth/refresh", json={"refresh_token": token, **more})


async def status_of(client: httpx.AsyncClient, signed: Signed) -> int:
    return (await client.get("/api/auth/me", headers=headers(signed))).status_code


def headers(signed: Signed) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}"}


async def sign_in(client: httpx.AsyncClient) -> Signed:
    body = {"email": "ada@example.com", "password": "four words in a row"}
    signed: Signed = (await client.post("/api/auth/login", json=body, headers={"User-Agent": "a phone"})).json()
    return signed


async def test_a_refresh_gives_the_next_pair_in_the_same_session(client: httpx.AsyncClient, ada: Signed) -> None:
    answer = await refresh(client, ada["refresh_token"])
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    renewed = answer.json()
    assert renewed["session_id"] == ada["session_id"]
    assert renewed["refresh_token"] != ada["refresh_token"]
    assert (await refresh(client, renewed["refresh_token"])).status_code == 200
    assert await status_of(client, renewed) == 200


async def test_using_one_twice_ends_the_session_for_both(client: httpx.AsyncClient, ada: Signed) -> None:
    with clock.frozen(NOON):
        signed = await sign_in(client)
        renewed = (await refresh(client, signed["refresh_token"])).json()
    with clock.frozen(NOON + RACE + timedelta(seconds=1)):
        assert await status_of(client, renewed) == 200
        again = await refresh(client, signed["refresh_token"])
        assert (again.status_code, again.json()["code"]) == (401, "AUTH_002")
        assert (await refresh(client, renewed["refresh_token"])).status_code == 401
        assert await status_of(client, renewed) == 401


async def test_of_two_tabs_one_is_given_the_tokens_and_the_session_lives(
    client: httpx.AsyncClient, ada: Signed
) -> None:
    answers = await asyncio.gather(*(refresh(client, ada["refresh_token"]) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    raced = next(answer for answer in answers if answer.status_code == 409)
    assert (raced.json()["code"], raced.headers["retry-after"]) == ("AUTH_006", "1")
    assert "access_token" not in raced.json()
    (renewed,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert (await refresh(client, renewed["refresh_token"])).status_code == 200


async def test_whoever_waits_out_the_race_with_a_used_token_ends_the_session(
    client: httpx.AsyncClient, ada: Signed
) -> None:
    with clock.frozen(NOON):
        stolen = (await sign_in(client))["refresh_token"]
        thiefs = (await refresh(client, stolen)).json()
    with clock.frozen(NOON + RACE):
        assert (await refresh(client, stolen)).status_code == 409
        assert await status_of(client, thiefs) == 200
    with clock.frozen(NOON + RACE + timedelta(milliseconds=1)):
        assert (await refresh(client, stolen)).status_code == 401
        assert await status_of(client, thiefs) == 401


async def test_another_session_of_the_same_person_lives_on(client: httpx.AsyncClient, ada: Signed) -> None:
    with clock.frozen(NOON):
        signed = await sign_in(client)
        other = await sign_in(client)
        await refresh(client, signed["refresh_token"])
    with clock.frozen(NOON + timedelta(minutes=1)):
        await refresh(client, signed["refresh_token"])
        assert await status_of(client, other) == 200
        assert (await refresh(client, other["refresh_token"])).status_code == 200


@pytest.mark.parametrize("token", ["", "slr_x", "not a token", f"slr_{'0' * 32}_{'a' * 43}"])
async def test_what_is_no_refresh_token_is_401(client: httpx.AsyncClient, token: str) -> None:
    answer = await refresh(client, token)
    assert (answer.status_code, answer.json()["code"]) == (401, "AUTH_002")


async def test_knowing_a_persons_id_ends_nothing(client: httpx.AsyncClient, ada: Signed) -> None:
    forged = ada["refresh_token"][:-43] + "a" * 43
    assert (await refresh(client, forged)).status_code == 401
    assert (await refresh(client, ada["refresh_token"])).status_code == 200


async def test_an_access_token_renews_nothing_and_a_refresh_token_opens_nothing(
    client: httpx.AsyncClient, ada: Signed
) -> None:
    assert (await refresh(client, ada["access_token"])).status_code in {400, 401}
    assert await status_of(client, {"access_token": ada["refresh_token"]}) == 401


async def test_a_session_ends_when_nobody_renews_it_and_in_any_case_after_its_time(
    client: httpx.AsyncClient, ada: Signed
) -> None:
    with clock.frozen(NOON):
        idle, busy = await sign_in(client), await sign_in(client)
    for days in (29, 58, 87):
        with clock.frozen(NOON + timedelta(days=days)):
            busy = (await refresh(client, busy["refresh_token"])).json()
    with clock.frozen(NOON + timedelta(days=30)):
        assert (await refresh(client, idle["refresh_token"])).status_code == 401
    with clock.frozen(NOON + timedelta(days=90)):
        assert (await refresh(client, busy["refresh_token"])).status_code == 401


async def test_signing_out_ends_the_session_at_once_and_twice_is_as_good(
    client: httpx.AsyncClient, ada: Signed
) -> None:
    for _ in range(2):
        answer = await client.post("/api/auth/logout", json={"refresh_token": ada["refresh_token"]})
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert await status_of(client, ada) == 401
    assert (await refresh(client, ada["refresh_token"])).status_code == 401


async def test_sessions_are_listed_with_device_and_address(client: httpx.AsyncClient, ada: Signed) -> None:
    phone = await sign_in(client)
    listed = (await client.get("/api/auth/sessions", headers=headers(phone))).json()["sessions"]
    assert [(one["id"], one["is_current"]) for one in listed] == [
        (phone["session_id"], True),
        (ada["session_id"], False),
    ]
    assert (listed[0]["device"], listed[0]["address"], listed[0]["methods"]) == ("a phone", "127.0.0.1", ["pwd"])


async def test_a_device_is_signed_out_by_another(client: httpx.AsyncClient, ada: Signed) -> None:
    phone = await sign_in(client)
    ended = await client.delete(f"/api/auth/sessions/{phone['session_id']}", headers=headers(ada))
    assert ended.json() == {"success": True}
    assert await status_of(client, phone) == 401
    assert await status_of(client, ada) == 200
    again = await client.delete(f"/api/auth/sessions/{phone['session_id']}", headers=headers(ada))
    assert (again.status_code, again.json()["code"]) == (404, "AUTH_010")


async def test_all_others_are_signed_out_at_once(client: httpx.AsyncClient, ada: Signed) -> None:
    others = [await sign_in(client) for _ in range(3)]
    ended = await client.delete("/api/auth/sessions", headers=headers(ada))
    assert ended.json() == {"success": True, "ended": 3}
    assert [await status_of(client, one) for one in (ada, *others)] == [200, 401, 401, 401]


async def test_nobody_ends_somebody_elses_session(client: httpx.AsyncClient, ada: Signed, register: Any) -> None:
    eve = await register("eve@example.com")
    answer = await client.delete(f"/api/auth/sessions/{ada['session_id']}", headers=headers(eve))
    assert answer.status_code == 404
    assert (await client.delete("/api/auth/sessions", headers=headers(eve))).json()["ended"] == 0
    assert await status_of(client, ada) == 200


async def test_the_last_use_is_written_at_most_once_a_minute(client: httpx.AsyncClient, ada: Signed) -> None:
    seen = []
    with clock.frozen(NOON):
        signed = await sign_in(client)
    for seconds in (30, 60, 90):
        with clock.frozen(NOON + timedelta(seconds=seconds)):
            await client.get("/api/auth/me", headers=headers(signed))
            listed = (await client.get("/api/auth/sessions", headers=headers(signed))).json()["sessions"]
        seen.append(next(one["last_seen_at"] for one in listed if one["is_current"]))
    assert seen == ["2026-11-22T12:00:00Z", "2026-11-22T12:01:00Z", "2026-11-22T12:01:00Z"]


async def test_a_refresh_can_go_over_to_another_tenant(
    client: httpx.AsyncClient, ada: Signed, register: Any, database: Database
) -> None:
    eve = await register("eve@example.com", shopDomain="winter.myshopify.com")
    refused = await refresh(client, ada["refresh_token"], tenant="winter")
    assert (refused.status_code, refused.json()["code"]) == (403, "AUTH_008")
    async with database.writing(eve["tenant"]["id"]) as session:
        query = "INSERT INTO accounts.membership VALUES (:tenant, :user, 'viewer', now(), 'a test')"
        await session.execute(text(query), {"tenant": eve["tenant"]["id"], "user": ada["user"]["id"]})
    moved = (await refresh(client, ada["refresh_token"], tenant="winter")).json()
    assert moved["tenant"]["slug"] == "winter"
    assert (await client.get("/api/auth/me", headers=headers(moved))).json()["role"] == "viewer"
    stays = (await refresh(client, moved["refresh_token"])).json()
    assert stays["tenant"]["slug"] == "winter"
