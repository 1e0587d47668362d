from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

SOME_ID = "01a20193-4e72-70e7-a846-5fae67bee546"
Signed = dict[str, Any]
Join = Callable[..., Awaitable[Signed]]


def headers(signed: Signed) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}"}


@pytest.fixture
def join(client: httpx.AsyncClient, ada: Signed, mailbox: Any) -> Join:
    """Makes a person a member of ada's tenant, in one of its roles."""

    async def make(email: str, role: str) -> Signed:
        await client.post("/api/invitations", json={"email": email, "role": role}, headers=headers(ada))
        body = {
            "token": await mailbox.token("invitation"),
            "name": email[:3].title(),
            "password": "four words in a row",
        }
        told: Signed = (await client.post("/api/invitations/accept", json=body)).json()
        return told

    return make


async def give(client: httpx.AsyncClient, by: Signed, to: Signed, role: str) -> httpx.Response:
    return await client.patch(f"/api/members/{to['user']['id']}", json={"role": role}, headers=headers(by))


async def remove(client: httpx.AsyncClient, by: Signed, who: Signed) -> httpx.Response:
    return await client.delete(f"/api/members/{who['user']['id']}", headers=headers(by))


async def role_of(client: httpx.AsyncClient, signed: Signed) -> str | None:
    role: str | None = (await client.get("/api/auth/me", headers=headers(signed))).json().get("role")
    return role


async def test_members_are_listed_the_oldest_first(client: httpx.AsyncClient, ada: Signed, join: Join) -> None:
    await join("bob@example.com", "editor")
    listed = (await client.get("/api/members", headers=headers(ada))).json()["members"]
    assert [(one["email"], one["role"], one["added_by"]) for one in listed] == [
        ("ada@example.com", "owner", "Ada Lovelace"),
        ("bob@example.com", "editor", "Ada Lovelace"),
    ]


async def test_a_new_role_works_from_the_next_request_on(client: httpx.AsyncClient, ada: Signed, join: Join) -> None:
    bob = await join("bob@example.com", "editor")
    assert (await client.get("/api/keys", headers=headers(bob))).status_code == 403
    assert (await give(client, ada, bob, "admin")).json()["role"] == "admin"
    assert (await client.get("/api/keys", headers=headers(bob))).status_code == 200
    await give(client, ada, bob, "viewer")
    assert (await client.get("/api/keys", headers=headers(bob))).status_code == 403


async def test_who_is_removed_is_out_at_once_and_for_good(client: httpx.AsyncClient, ada: Signed, join: Join) -> None:
    bob = await join("bob@example.com", "editor")
    assert (await remove(client, ada, bob)).json()["email"] == "bob@example.com"
    assert (await client.get("/api/auth/me", headers=headers(bob))).status_code == 401
    renewed = await client.post("/api/auth/refresh", json={"refresh_token": bob["refresh_token"]})
    assert renewed.status_code == 401
    assert (await remove(client, ada, bob)).json()["code"] == "USERS_001"


async def test_who_was_removed_can_be_invited_again(
    client: httpx.AsyncClient, ada: Signed, join: Join, mailbox: Any
) -> None:
    bob = await join("bob@example.com", "editor")
    await remove(client, ada, bob)
    assert (await join("bob@example.com", "viewer"))["tenant"]["role"] == "viewer"


async def test_a_place_elsewhere_stays(client: httpx.AsyncClient, ada: Signed, register: Any, join: Join) -> None:
    bob = await register("bob@example.com", shopDomain="winter.myshopify.com")
    here = await join("bob@example.com", "editor")
    await remove(client, ada, here)
    assert await role_of(client, bob) == "owner"
    elsewhere = await client.get("/api/auth/me", headers={**headers(bob), "X-Tenant": "summer"})
    assert elsewhere.status_code == 403


async def test_the_last_owner_is_neither_removed_nor_made_less(
    client: httpx.AsyncClient, ada: Signed, join: Join
) -> None:
    assert (await remove(client, ada, ada)).json()["code"] == "USERS_002"
    refused = await give(client, ada, ada, "admin")
    assert (refused.status_code, refused.json()["code"]) == (409, "USERS_002")
    bob = await join("bob@example.com", "owner")
    assert (await give(client, ada, ada, "admin")).status_code == 200
    assert (await remove(client, bob, bob)).json()["code"] == "USERS_002"


async def test_two_owners_who_remove_each_other_at_once_leave_one(
    client: httpx.AsyncClient, ada: Signed, join: Join
) -> None:
    bob = await join("bob@example.com", "owner")
    await asyncio.gather(give(client, ada, bob, "viewer"), give(client, bob, ada, "viewer"))
    assert sorted([str(await role_of(client, ada)), str(await role_of(client, bob))]) == ["owner", "viewer"]


async def test_an_admin_touches_no_owner_and_makes_none(client: httpx.AsyncClient, ada: Signed, join: Join) -> None:
    bob, eve = await join("bob@example.com", "admin"), await join("eve@example.com", "viewer")
    answers = [
        await give(client, bob, ada, "viewer"),
        await remove(client, bob, ada),
        await give(client, bob, eve, "owner"),
        await give(client, bob, bob, "owner"),
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(403, "KEYS_003")] * 4
    assert (await give(client, bob, eve, "editor")).status_code == 200


async def test_a_limited_key_gives_no_role_that_may_do_more(client: httpx.AsyncClient, ada: Signed, join: Join) -> None:
    bob = await join("bob@example.com", "learner")
    body = {"name": "people", "role": "owner", "scopes": ["users:manage"]}
    key = (await client.post("/api/keys", json=body, headers=headers(ada))).json()["key"]
    answer = await give(client, {"access_token": key}, bob, "admin")
    assert (answer.status_code, answer.json()["code"]) == (403, "KEYS_003")


async def test_other_tenant_sees_changes_and_removes_nobody(
    client: httpx.AsyncClient, ada: Signed, register: Any
) -> None:
    eve = await register("eve@example.com")
    listed = (await client.get("/api/members", headers=headers(eve))).json()["members"]
    assert [one["email"] for one in listed] == ["eve@example.com"]
    assert (await give(client, eve, ada, "viewer")).status_code == 404
    assert (await remove(client, eve, ada)).status_code == 404
    assert await role_of(client, ada) == "owner"


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PATCH", f"/{SOME_ID}"), ("DELETE", f"/{SOME_ID}")])
async def test_anonymous_is_401_and_an_editor_may_not(
    client: httpx.AsyncClient, editor: dict[str, str], method: str, path: str
) -> None:
    body = {"role": "viewer"}
    assert (await client.request(method, f"/api/members{path}", json=body)).status_code == 401
    assert (await client.request(method, f"/api/members{path}", json=body, headers=editor)).status_code == 403
