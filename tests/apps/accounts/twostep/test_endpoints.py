from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from syncline.apps.accounts.totp.codes import code_at, step_of
from syncline.kernel import clock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
STEP = timedelta(seconds=30)
PASSWORD = "four words in a row"
Signed = dict[str, Any]


def headers(signed: Signed) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}"}


def code_of(secret: str, moment: datetime) -> str:
    return code_at(base64.b32decode(secret), step_of(moment))


async def sign_in(client: httpx.AsyncClient) -> Signed:
    body = {"email": "ada@example.com", "password": PASSWORD}
    answer = await client.post("/api/auth/login", json=body)
    assert answer.status_code == 200, answer.text
    told: Signed = answer.json()
    return told


async def second(client: httpx.AsyncClient, challenge: str, code: str) -> httpx.Response:
    return await client.post("/api/auth/login/second-step", json={"challenge": challenge, "code": code})


async def turn_on(client: httpx.AsyncClient, signed: Signed, at: datetime) -> tuple[str, list[str]]:
    """The secret, and the recovery codes. Uses up the code of `at`."""
    begun = await client.post("/api/auth/totp", json={"password": PASSWORD}, headers=headers(signed))
    assert begun.status_code == 200, begun.text
    secret: str = begun.json()["secret"]
    confirmed = await client.post("/api/auth/totp/confirm", json={"code": code_of(secret, at)}, headers=headers(signed))
    assert confirmed.status_code == 200, confirmed.text
    return secret, confirmed.json()["recovery_codes"]


async def test_signing_in_takes_a_code_once_the_second_step_is_on(client: httpx.AsyncClient, register: Any) -> None:
    with clock.frozen(NOON):
        secret, codes = await turn_on(client, await register(), NOON)
        assert len(codes) == 10
    with clock.frozen(NOON + STEP):
        told = await sign_in(client)
        assert "access_token" not in told
        assert (told["second_step"], told["expires_in"]) == ("totp", 300)
        done = await second(client, told["challenge"], code_of(secret, NOON + STEP))
        assert done.status_code == 200
        sessions = await client.get("/api/auth/sessions", headers=headers(done.json()))
        assert sessions.json()["sessions"][0]["methods"] == ["pwd", "otp"]


async def test_until_it_is_confirmed_nothing_changes(client: httpx.AsyncClient, ada: Signed) -> None:
    await client.post("/api/auth/totp", json={"password": PASSWORD}, headers=headers(ada))
    wrong = await client.post("/api/auth/totp/confirm", json={"code": "000000"}, headers=headers(ada))
    assert (wrong.status_code, wrong.json()["code"]) == (401, "AUTH_013")
    assert "access_token" in await sign_in(client)
    state = await client.get("/api/auth/totp", headers=headers(ada))
    assert state.json() == {"is_on": False, "recovery_codes_left": 0}


async def test_a_code_is_not_good_twice(client: httpx.AsyncClient, register: Any) -> None:
    with clock.frozen(NOON):
        secret, _ = await turn_on(client, await register(), NOON)
        told = await sign_in(client)
        assert (await second(client, told["challenge"], code_of(secret, NOON))).json()["code"] == "AUTH_013"
    with clock.frozen(NOON + STEP):
        challenges = [(await sign_in(client))["challenge"] for _ in range(4)]
        code = code_of(secret, NOON + STEP)
        answers = await asyncio.gather(*(second(client, challenge, code) for challenge in challenges))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


async def test_a_challenge_is_good_once_and_for_five_minutes(client: httpx.AsyncClient, register: Any) -> None:
    with clock.frozen(NOON):
        secret, codes = await turn_on(client, await register(), NOON)
        used, late = (await sign_in(client))["challenge"], (await sign_in(client))["challenge"]
        assert (await second(client, used, codes[0])).status_code == 200
        assert (await second(client, used, codes[1])).json()["code"] == "AUTH_002"
    with clock.frozen(NOON + timedelta(minutes=5)):
        over = await second(client, late, code_of(secret, NOON + timedelta(minutes=5)))
        assert (over.status_code, over.json()["code"]) == (401, "AUTH_002")


async def test_five_wrong_codes_end_a_challenge(client: httpx.AsyncClient, register: Any) -> None:
    with clock.frozen(NOON):
        secret, _ = await turn_on(client, await register(), NOON)
    with clock.frozen(NOON + STEP):
        challenge = (await sign_in(client))["challenge"]
        wrong = [await second(client, challenge, "000000") for _ in range(5)]
        assert {answer.json()["code"] for answer in wrong} == {"AUTH_013"}
        right = await second(client, challenge, code_of(secret, NOON + STEP))
        assert right.json()["code"] == "AUTH_002"


async def test_codes_are_not_guessed_by_beginning_again_and_again(client: httpx.AsyncClient, register: Any) -> None:
    with clock.frozen(NOON):
        await turn_on(client, await register(), NOON)
        answers = []
        for _ in range(5):
            challenge = (await sign_in(client))["challenge"]
            answers += [await second(client, challenge, "000000") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 5


async def test_a_recovery_code_opens_once(client: httpx.AsyncClient, register: Any) -> None:
    with clock.frozen(NOON):
        _, codes = await turn_on(client, await register(), NOON)
        done = await second(client, (await sign_in(client))["challenge"], codes[3].upper())
        assert done.status_code == 200
        again = await second(client, (await sign_in(client))["challenge"], codes[3])
        assert again.json()["code"] == "AUTH_013"
        state = await client.get("/api/auth/totp", headers=headers(done.json()))
        assert state.json() == {"is_on": True, "recovery_codes_left": 9}


async def test_new_recovery_codes_end_the_old_ones(client: httpx.AsyncClient, register: Any) -> None:
    with clock.frozen(NOON):
        ada = await register()
        _, codes = await turn_on(client, ada, NOON)
        body = {"password": PASSWORD, "code": codes[0]}
        renewed = await client.post("/api/auth/totp/recovery-codes", json=body, headers=headers(ada))
        assert len(renewed.json()["recovery_codes"]) == 10
        assert (await second(client, (await sign_in(client))["challenge"], codes[1])).status_code == 401
        opened = await second(client, (await sign_in(client))["challenge"], renewed.json()["recovery_codes"][0])
        assert opened.status_code == 200


async def test_turning_it_off_takes_password_and_code(client: httpx.AsyncClient, register: Any, mailbox: Any) -> None:
    with clock.frozen(NOON):
        ada = await register()
        secret, _ = await turn_on(client, ada, NOON)
    with clock.frozen(NOON + STEP):
        for body in (
            {"password": "wrong password", "code": code_of(secret, NOON + STEP)},
            {"password": PASSWORD, "code": "000000"},
        ):
            refused = await client.post("/api/auth/totp/off", json=body, headers=headers(ada))
            assert refused.status_code == 401
        body = {"password": PASSWORD, "code": code_of(secret, NOON + STEP)}
        assert (await client.post("/api/auth/totp/off", json=body, headers=headers(ada))).status_code == 200
        assert "access_token" in await sign_in(client)
    assert [one.text.split("was ")[1][:10] for one in await mailbox.read("notice")] == ["turned off", "turned on."]


async def test_it_is_not_set_up_anew_while_it_is_on(client: httpx.AsyncClient, register: Any) -> None:
    with clock.frozen(NOON):
        ada = await register()
        await turn_on(client, ada, NOON)
        again = await client.post("/api/auth/totp", json={"password": PASSWORD}, headers=headers(ada))
        assert (again.status_code, again.json()["code"]) == (409, "AUTH_014")


async def test_a_reset_of_the_password_does_not_go_round_it(
    client: httpx.AsyncClient, register: Any, mailbox: Any
) -> None:
    with clock.frozen(NOON):
        await turn_on(client, await register(), NOON)
        before = (await sign_in(client))["challenge"]
        await client.post("/api/auth/forgot-password", json={"email": "ada@example.com"})
        token = await mailbox.token("reset_password")
    with clock.frozen(NOON + timedelta(seconds=1)):
        body = {"token": token, "password": PASSWORD + " more"}
        assert (await client.post("/api/auth/reset-password", json=body)).status_code == 200
        login = {"email": "ada@example.com", "password": PASSWORD + " more"}
        assert "challenge" in (await client.post("/api/auth/login", json=login)).json()
        # A first step with the old password is worth nothing any more.
        assert (await second(client, before, "000000")).json()["code"] == "AUTH_002"


@pytest.mark.parametrize("challenge", ["", "not one", f"slc_{'0' * 32}_{'a' * 43}", f"slr_{'0' * 32}_{'a' * 43}"])
async def test_what_is_no_challenge_is_401(client: httpx.AsyncClient, challenge: str) -> None:
    answer = await second(client, challenge, "123456")
    assert (answer.status_code, answer.json()["code"]) == (401, "AUTH_002")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("POST", "/confirm"), ("POST", "/off")])
async def test_anonymous_is_401(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, f"/api/auth/totp{path}", json={})
    assert (answer.status_code, answer.json()["code"]) == (401, "API_001")
