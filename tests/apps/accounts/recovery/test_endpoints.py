from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from syncline.kernel import clock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD, NEW = "four words in a row", "five words in a row"
Signed = dict[str, Any]


def headers(signed: Signed) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}"}


async def sign_in(client: httpx.AsyncClient, password: str = OLD, email: str = "ada@example.com") -> httpx.Response:
    return await client.post("/api/auth/login", json={"email": email, "password": password})


async def me(client: httpx.AsyncClient, signed: Signed) -> dict[str, Any]:
    facts: dict[str, Any] = (await client.get("/api/auth/me", headers=headers(signed))).json()
    return facts


async def reset(client: httpx.AsyncClient, token: str, password: str = NEW) -> httpx.Response:
    return await client.post("/api/auth/reset-password", json={"token": token, "password": password})


async def forget(client: httpx.AsyncClient, email: str = "ada@example.com") -> httpx.Response:
    return await client.post("/api/auth/forgot-password", json={"email": email})


@pytest.mark.parametrize("path", ["verify-email", "reset-password"])
@pytest.mark.parametrize("token", ["", "not a token", f"slo_{'0' * 32}_{'a' * 43}", f"slr_{'0' * 32}_{'a' * 43}"])
async def test_what_is_no_token_is_400_with_one_sentence(client: httpx.AsyncClient, path: str, token: str) -> None:
    body = {"token": token, **({"password": NEW} if path == "reset-password" else {})}
    answer = await client.post(f"/api/auth/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "AUTH_012")


async def test_an_address_is_confirmed_once(client: httpx.AsyncClient, ada: Signed, mailbox: Any) -> None:
    token = await mailbox.token("verify_email")
    assert (await me(client, ada))["user"]["email_verified"] is False
    assert (await client.post("/api/auth/verify-email", json={"token": token})).status_code == 200
    assert (await me(client, ada))["user"]["email_verified"] is True
    assert (await client.post("/api/auth/verify-email", json={"token": token})).json()["code"] == "AUTH_012"


async def test_a_link_to_confirm_ends_after_a_day(client: httpx.AsyncClient, register: Any, mailbox: Any) -> None:
    with clock.frozen(NOON):
        await register()
        token = await mailbox.token("verify_email")
    with clock.frozen(NOON + timedelta(days=1)):
        assert (await client.post("/api/auth/verify-email", json={"token": token})).status_code == 400


async def test_it_is_mailed_again_at_most_once_a_minute_and_replaces_the_earlier(
    client: httpx.AsyncClient, register: Any, mailbox: Any
) -> None:
    with clock.frozen(NOON):
        signed = await register()
        first = await mailbox.token("verify_email")
        for _ in range(3):
            again = await client.post("/api/auth/verify-email/resend", headers=headers(signed))
            assert again.status_code == 202
        assert len(await mailbox.read("verify_email")) == 1
    with clock.frozen(NOON + timedelta(minutes=1)):
        await client.post("/api/auth/verify-email/resend", headers=headers(signed))
        assert len(await mailbox.read("verify_email")) == 2
        assert (await client.post("/api/auth/verify-email", json={"token": first})).status_code == 400
        second = await mailbox.token("verify_email")
        assert (await client.post("/api/auth/verify-email", json={"token": second})).status_code == 200


async def test_asking_for_a_reset_tells_nothing(client: httpx.AsyncClient, ada: Signed, mailbox: Any) -> None:
    known, unknown = await forget(client), await forget(client, "eve@example.com")
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json()) == (202, {"success": True})
    assert [one.recipient for one in await mailbox.read("reset_password")] == ["ada@example.com"]


async def test_a_reset_sets_the_password_and_ends_every_session(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    await forget(client, " ADA@example.com")
    token = await mailbox.token("reset_password")
    assert (await reset(client, token)).json() == {"success": True}
    assert (await client.get("/api/auth/me", headers=headers(ada))).status_code == 401
    renewed = await client.post("/api/auth/refresh", json={"refresh_token": ada["refresh_token"]})
    assert renewed.status_code == 401
    assert (await sign_in(client)).status_code == 401
    signed = await sign_in(client, NEW)
    assert signed.status_code == 200
    assert signed.json()["user"]["email_verified"] is True
    assert "was reset" in (await mailbox.read("notice"))[0].text


async def test_a_reset_is_good_once_even_for_two_at_once(client: httpx.AsyncClient, ada: Signed, mailbox: Any) -> None:
    await forget(client)
    token = await mailbox.token("reset_password")
    answers = await asyncio.gather(*(reset(client, token, f"{NEW} {number}") for number in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


async def test_a_password_that_is_refused_leaves_the_token_good(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    await forget(client)
    token = await mailbox.token("reset_password")
    assert (await reset(client, token, "short")).json()["code"] == "AUTH_005"
    assert (await reset(client, token, "ada@example.com")).json()["code"] == "AUTH_005"
    assert (await reset(client, token)).status_code == 200


async def test_a_link_to_reset_ends_after_an_hour_and_with_the_next(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    with clock.frozen(NOON):
        await forget(client)
        first = await mailbox.token("reset_password")
        await forget(client)
        assert len(await mailbox.read("reset_password")) == 1
    with clock.frozen(NOON + timedelta(minutes=2)):
        await forget(client)
        second = await mailbox.token("reset_password")
        assert (await reset(client, first)).status_code == 400
    with clock.frozen(NOON + timedelta(minutes=62)):
        assert (await reset(client, second)).status_code == 400


async def test_a_token_for_one_thing_is_not_good_for_another(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    assert (await reset(client, await mailbox.token("verify_email"))).status_code == 400
    await forget(client)
    token = await mailbox.token("reset_password")
    assert (await client.post("/api/auth/verify-email", json={"token": token})).status_code == 400


async def test_changing_the_password_ends_the_other_sessions(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    phone = (await sign_in(client)).json()
    await forget(client)
    token = await mailbox.token("reset_password")
    body = {"current_password": OLD, "new_password": NEW}
    changed = await client.post("/api/auth/change-password", json=body, headers=headers(ada))
    assert changed.json() == {"success": True, "ended": 1}
    assert (await client.get("/api/auth/me", headers=headers(phone))).status_code == 401
    assert (await client.get("/api/auth/me", headers=headers(ada))).status_code == 200
    assert (await sign_in(client, NEW)).status_code == 200
    assert "was changed" in (await mailbox.read("notice"))[0].text
    # What was mailed before is not a way back in.
    assert (await reset(client, token, "six words in a row")).status_code == 400


@pytest.mark.parametrize(
    ("current", "new", "status", "code"),
    [
        ("wrong password", NEW, 401, "AUTH_001"),
        (OLD, "short", 400, "AUTH_005"),
        (OLD, OLD, 400, "REQ_001"),
    ],
)
async def test_a_wrong_change_changes_nothing(
    client: httpx.AsyncClient, ada: Signed, current: str, new: str, status: int, code: str
) -> None:
    body = {"current_password": current, "new_password": new}
    answer = await client.post("/api/auth/change-password", json=body, headers=headers(ada))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await sign_in(client)).status_code == 200


async def test_whoever_has_only_the_session_cannot_guess_the_password_with_it(
    client: httpx.AsyncClient, ada: Signed
) -> None:
    bodies = [{"current_password": f"guess number {number}", "new_password": NEW} for number in range(6)]
    answers = [await client.post("/api/auth/change-password", json=body, headers=headers(ada)) for body in bodies]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


async def test_an_address_is_changed_when_the_new_one_is_confirmed(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    body = {"email": "countess@example.com", "password": OLD}
    assert (await client.post("/api/auth/change-email", json=body, headers=headers(ada))).status_code == 202
    assert (await sign_in(client, email="countess@example.com")).status_code == 401
    mails = await mailbox.read("change_email")
    assert [one.recipient for one in mails] == ["countess@example.com"]
    token = await mailbox.token("change_email")
    assert (await client.post("/api/auth/verify-email", json={"token": token})).status_code == 200
    assert (await sign_in(client)).status_code == 401
    assert (await sign_in(client, email="countess@example.com")).status_code == 200
    assert (await mailbox.read("notice"))[0].recipient == "ada@example.com"


async def test_the_answer_does_not_tell_that_the_new_address_is_taken(
    client: httpx.AsyncClient, ada: Signed, register: Any, mailbox: Any
) -> None:
    await register("eve@example.com")
    body = {"email": "EVE@example.com", "password": OLD}
    answer = await client.post("/api/auth/change-email", json=body, headers=headers(ada))
    assert (answer.status_code, answer.json()) == (202, {"success": True})
    assert await mailbox.read("change_email") == []


async def test_an_address_that_was_taken_meanwhile_is_409(
    client: httpx.AsyncClient, ada: Signed, register: Any, mailbox: Any
) -> None:
    body = {"email": "eve@example.com", "password": OLD}
    await client.post("/api/auth/change-email", json=body, headers=headers(ada))
    token = await mailbox.token("change_email")
    await register("eve@example.com")
    answer = await client.post("/api/auth/verify-email", json={"token": token})
    assert (answer.status_code, answer.json()["code"]) == (409, "AUTH_004")


async def test_a_link_to_the_old_address_confirms_nothing_after_the_change(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    stale = await mailbox.token("verify_email")
    body = {"email": "countess@example.com", "password": OLD}
    await client.post("/api/auth/change-email", json=body, headers=headers(ada))
    await client.post("/api/auth/verify-email", json={"token": await mailbox.token("change_email")})
    assert (await client.post("/api/auth/verify-email", json={"token": stale})).status_code == 400


async def test_a_link_to_the_old_address_resets_nothing_after_the_change(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    await forget(client)
    stale = await mailbox.token("reset_password")
    body = {"email": "countess@example.com", "password": OLD}
    await client.post("/api/auth/change-email", json=body, headers=headers(ada))
    await client.post("/api/auth/verify-email", json={"token": await mailbox.token("change_email")})
    assert (await reset(client, stale)).status_code == 400


@pytest.mark.parametrize("path", ["change-password", "change-email", "verify-email/resend"])
async def test_anonymous_is_401(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(f"/api/auth/{path}", json={})
    assert (answer.status_code, answer.json()["code"]) == (401, "API_001")
