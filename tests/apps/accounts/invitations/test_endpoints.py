from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from syncline.kernel import clock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PASSWORD = "four words in a row"
SOME_ID = "01a20193-4e72-70e7-a846-5fae67bee546"
Signed = dict[str, Any]


def headers(signed: Signed) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}"}


async def invite(
    client: httpx.AsyncClient, signed: Signed, email: str = "bob@example.com", role: str = "editor"
) -> httpx.Response:
    return await client.post("/api/invitations", json={"email": email, "role": role}, headers=headers(signed))


async def accept(client: httpx.AsyncClient, token: str, **body: str) -> httpx.Response:
    return await client.post("/api/invitations/accept", json={"token": token, "password": PASSWORD, **body})


async def test_who_has_no_account_makes_one_and_is_in(client: httpx.AsyncClient, ada: Signed, mailbox: Any) -> None:
    made = await invite(client, ada)
    assert made.status_code == 201
    token = await mailbox.token("invitation")
    assert token not in made.text
    looked = (await client.post("/api/invitations/look", json={"token": token})).json()
    assert (looked["tenant"], looked["email"], looked["role"]) == ("summer", "bob@example.com", "editor")
    assert (looked["invited_by"], looked["has_account"]) == ("Ada Lovelace", False)
    joined = await accept(client, token, name="Bob")
    assert joined.status_code == 200
    told = joined.json()
    assert (told["tenant"]["id"], told["tenant"]["role"]) == (ada["tenant"]["id"], "editor")
    assert told["user"]["email_verified"] is True
    assert (await client.get("/api/invitations", headers=headers(ada))).json() == {"invitations": []}


async def test_who_has_an_account_comes_in_with_its_password(
    client: httpx.AsyncClient, ada: Signed, register: Any, mailbox: Any
) -> None:
    bob = await register("bob@example.com", shopDomain="winter.myshopify.com")
    await invite(client, ada, "BOB@example.com")
    token = await mailbox.token("invitation")
    assert (await client.post("/api/invitations/look", json={"token": token})).json()["has_account"] is True
    wrong = await accept(client, token, password="wrong password")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "AUTH_001")
    told = (await accept(client, token)).json()
    assert told["user"]["id"] == bob["user"]["id"]
    assert [one["slug"] for one in told["tenants"]] == ["winter", "summer"]
    assert told["tenant"]["slug"] == "summer"


async def test_who_is_signed_in_comes_in_without_a_password(
    client: httpx.AsyncClient, ada: Signed, register: Any, mailbox: Any
) -> None:
    bob = await register("bob@example.com", shopDomain="winter.myshopify.com")
    eve = await register("eve@example.com", shopDomain="autumn.myshopify.com")
    await invite(client, ada)
    body = {"token": await mailbox.token("invitation")}
    stolen = await client.post("/api/invitations/accept-signed-in", json=body, headers=headers(eve))
    assert (stolen.status_code, stolen.json()["code"]) == (400, "USERS_005")
    joined = await client.post("/api/invitations/accept-signed-in", json=body, headers=headers(bob))
    assert (joined.json()["slug"], joined.json()["role"]) == ("summer", "editor")
    me = await client.get("/api/auth/me", headers={**headers(bob), "X-Tenant": "summer"})
    assert me.json()["role"] == "editor"


async def test_an_invitation_is_good_once_even_for_two_at_once(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    await invite(client, ada)
    token = await mailbox.token("invitation")
    answers = await asyncio.gather(*(accept(client, token, name="Bob") for _ in range(4)))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert (await accept(client, token, name="Bob")).json()["code"] == "USERS_005"
    members = (await client.get("/api/members", headers=headers(ada))).json()["members"]
    assert [one["email"] for one in members] == ["ada@example.com", "bob@example.com"]


async def test_an_invitation_ends_after_a_week_when_withdrawn_and_with_the_next(
    client: httpx.AsyncClient, register: Any, mailbox: Any
) -> None:
    with clock.frozen(NOON):
        ada = await register()
        await invite(client, ada)
        replaced = await mailbox.token("invitation")
        second = await invite(client, ada)
        withdrawn = await mailbox.token("invitation")
        assert (await accept(client, replaced, name="Bob")).json()["code"] == "USERS_005"
        gone = await client.delete(f"/api/invitations/{second.json()['id']}", headers=headers(ada))
        assert gone.status_code == 200
        assert (await accept(client, withdrawn, name="Bob")).json()["code"] == "USERS_005"
        await invite(client, ada)
        late = await mailbox.token("invitation")
    with clock.frozen(NOON + timedelta(days=7)):
        assert (await accept(client, late, name="Bob")).json()["code"] == "USERS_005"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"password": "short", "name": "Bob"}, "AUTH_005"),
        ({"password": "bob@example.com", "name": "Bob"}, "AUTH_005"),
        ({}, "REQ_001"),
        ({"name": "  "}, "REQ_001"),
    ],
)
async def test_what_is_refused_leaves_the_invitation_good(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any, body: dict[str, str], code: str
) -> None:
    await invite(client, ada)
    token = await mailbox.token("invitation")
    refused = await accept(client, token, **body)
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert (await accept(client, token, name="Bob")).status_code == 200


@pytest.mark.parametrize("token", ["", "not one", f"sli_{'0' * 32}_{'a' * 43}", f"slo_{'0' * 32}_{'a' * 43}"])
async def test_what_is_no_invitation_is_400(client: httpx.AsyncClient, token: str) -> None:
    for path in ("look", "accept"):
        body = {"token": token, **({"password": PASSWORD, "name": "Bob"} if path == "accept" else {})}
        answer = await client.post(f"/api/invitations/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "USERS_005")


async def test_a_member_is_not_invited_again(client: httpx.AsyncClient, ada: Signed) -> None:
    answer = await invite(client, ada, "ADA@example.com")
    assert (answer.status_code, answer.json()["code"]) == (409, "USERS_003")


@pytest.mark.parametrize("role", ["boss", "service", ""])
async def test_a_role_that_is_none_for_people_is_400(client: httpx.AsyncClient, ada: Signed, role: str) -> None:
    answer = await invite(client, ada, role=role)
    assert (answer.status_code, answer.json()["code"]) == (400, "KEYS_002")


async def test_an_admin_invites_no_owner(client: httpx.AsyncClient, ada: Signed, mailbox: Any) -> None:
    await invite(client, ada, role="admin")
    bob = (await accept(client, await mailbox.token("invitation"), name="Bob")).json()
    answer = await invite(client, bob, "eve@example.com", "owner")
    assert (answer.status_code, answer.json()["code"]) == (403, "KEYS_003")
    assert (await invite(client, bob, "eve@example.com", "admin")).status_code == 201


async def test_where_registration_is_closed_people_are_invited_all_the_same(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any, settings: Any
) -> None:
    settings.registration_is_open = False
    await invite(client, ada)
    assert (await accept(client, await mailbox.token("invitation"), name="Bob")).status_code == 200


async def test_other_tenant_sees_and_withdraws_nothing(client: httpx.AsyncClient, ada: Signed, register: Any) -> None:
    made = (await invite(client, ada)).json()
    eve = await register("eve@example.com")
    assert (await client.get("/api/invitations", headers=headers(eve))).json() == {"invitations": []}
    answer = await client.delete(f"/api/invitations/{made['id']}", headers=headers(eve))
    assert (answer.status_code, answer.json()["code"]) == (404, "USERS_004")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", ""), ("DELETE", f"/{SOME_ID}"), ("POST", "/accept-signed-in")]
)
async def test_anonymous_is_401_and_an_editor_may_not_manage(
    client: httpx.AsyncClient, editor: dict[str, str], method: str, path: str
) -> None:
    anonymous = await client.request(method, f"/api/invitations{path}", json={"email": "a@b.de", "role": "viewer"})
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "API_001")
    body = {"token": "x"} if path == "/accept-signed-in" else {"email": "a@b.de", "role": "viewer"}
    refused = await client.request(method, f"/api/invitations{path}", json=body, headers=editor)
    assert refused.status_code == 403
