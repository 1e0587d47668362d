"""What the trail says of people, roles and keys: what was before and what is after, and nothing secret."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from syncline.kernel import clock

Signed = dict[str, Any]


def auth(signed: Signed) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}"}


async def entries(client: httpx.AsyncClient, signed: Signed, action: str) -> list[dict[str, Any]]:
    answer = await client.get("/api/audit", params={"action": action}, headers=auth(signed))
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


async def bob(client: httpx.AsyncClient, ada: Signed, mailbox: Any) -> Signed:
    body = {"email": "bob@example.com", "role": "viewer"}
    assert (await client.post("/api/invitations", json=body, headers=auth(ada))).status_code == 201
    accepting = {"token": await mailbox.token("invitation"), "name": "Bob", "password": "five words in a row"}
    made: Signed = (await client.post("/api/invitations/accept", json=accepting)).json()
    return made


async def test_a_role_given_and_a_member_removed_are_told_with_what_was_before(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    guest = (await bob(client, ada, mailbox))["user"]["id"]
    await client.patch(f"/api/members/{guest}", json={"role": "editor"}, headers=auth(ada))
    await client.delete(f"/api/members/{guest}", headers=auth(ada))
    (changed,) = await entries(client, ada, "PATCH /api/members")
    assert (changed["before"], changed["after"]) == (
        {f"member {guest}": {"role": "viewer"}},
        {f"member {guest}": {"role": "editor"}},
    )
    (gone,) = await entries(client, ada, "DELETE /api/members")
    assert (gone["before"][f"member {guest}"]["role"], gone["after"]) == ("editor", None)


async def test_a_change_that_is_refused_is_not_told_as_done(client: httpx.AsyncClient, ada: Signed) -> None:
    path = f"/api/members/{ada['user']['id']}"
    assert (await client.patch(path, json={"role": "viewer"}, headers=auth(ada))).status_code == 409
    (refused,) = await entries(client, ada, "PATCH /api/members")
    assert (refused["outcome"], refused["before"], refused["after"]) == ("409", None, None)


async def test_a_key_made_replaced_and_revoked_is_told_without_the_key(client: httpx.AsyncClient, ada: Signed) -> None:
    made = (await client.post("/api/keys", json={"name": "export", "role": "viewer"}, headers=auth(ada))).json()
    await client.post(f"/api/keys/{made['id']}/rotate", headers=auth(ada))
    await client.delete(f"/api/keys/{made['id']}", headers=auth(ada))
    told = await entries(client, ada, "/api/keys")
    assert [one["action"].partition(" ")[0] for one in told] == ["DELETE", "POST", "POST"]
    assert told[2]["after"][f"key {made['id']}"]["role"] == "viewer"
    assert told[0]["before"] == {f"key {made['id']}": {"revoked_at": None}}
    assert made["key"].rpartition("_")[2] not in str(told)


async def test_reading_who_the_people_are_leaves_an_entry(client: httpx.AsyncClient, ada: Signed) -> None:
    await client.get("/api/members", headers=auth(ada))
    await client.get("/api/invitations", headers=auth(ada))
    assert len(await entries(client, ada, "GET /api/members")) == 1
    assert len(await entries(client, ada, "GET /api/invitations")) == 1


async def told(client: httpx.AsyncClient, signed: Signed, action: str) -> list[tuple[str, str, str]]:
    return [(one["actor"], one["role"], one["subject"]) for one in await entries(client, signed, action)]


async def test_coming_in_and_going_are_told_with_how(client: httpx.AsyncClient, ada: Signed) -> None:
    again = (
        await client.post("/api/auth/login", json={"email": "ada@example.com", "password": "four words in a row"})
    ).json()
    for _ in range(2):
        await client.post("/api/auth/logout", json={"refresh_token": again["refresh_token"]})
    second, first = await entries(client, ada, "sign in")
    assert [one["subject"] for one in (first, second)] == [f"session {one['session_id']}" for one in (ada, again)]
    assert (second["role"], second["details"]["methods"]) == ("owner", ["pwd"])
    assert second["user_id"] == ada["user"]["id"]
    assert second["address"] == "127.0.0.1"
    assert [subject for _, _, subject in await told(client, ada, "sign out")] == [second["subject"]]
    assert again["refresh_token"] not in str(await entries(client, ada, ""))


async def test_a_sign_in_that_fails_is_in_nobodys_trail(client: httpx.AsyncClient, ada: Signed) -> None:
    refused = await client.post("/api/auth/login", json={"email": "ada@example.com", "password": "guessed wrongly"})
    assert refused.status_code == 401
    assert len(await entries(client, ada, "sign in")) == 1


async def test_who_accepts_an_invitation_is_told_where_he_comes_in(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    guest = await bob(client, ada, mailbox)
    (entry,) = await entries(client, ada, "invitation accepted")
    assert (entry["actor"], entry["subject"]) == ("Bob", f"member {guest['user']['id']}")
    assert entry["after"] == {"role": "viewer"}
    (made,) = await entries(client, ada, "POST /api/invitations")
    assert entry["details"]["invitation"] in str(made)
    assert ("Bob", "viewer", f"session {guest['session_id']}") in await told(client, ada, "sign in")


async def test_who_accepts_signed_in_elsewhere_is_told_where_he_comes_in(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    body = {"name": "Eve", "email": "eve@example.com", "password": "four words in a row", "shopDomain": "w.example.com"}
    eve = (await client.post("/api/auth/register", json=body)).json()
    await client.post("/api/invitations", json={"email": "eve@example.com", "role": "viewer"}, headers=auth(ada))
    token = await mailbox.token("invitation")
    accepted = await client.post("/api/invitations/accept-signed-in", json={"token": token}, headers=auth(eve))
    assert accepted.status_code == 200
    assert await told(client, ada, "invitation accepted") == [("Eve", "viewer", f"member {eve['user']['id']}")]


async def test_a_password_set_and_an_address_confirmed_by_mail_are_told(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any
) -> None:
    await client.post("/api/auth/verify-email", json={"token": await mailbox.token("verify_email")})
    await client.post("/api/auth/forgot-password", json={"email": "ada@example.com"})
    body = {"token": await mailbox.token("reset_password"), "password": "six entirely new words"}
    assert (await client.post("/api/auth/reset-password", json=body)).status_code == 200
    body = {"email": "ada@example.com", "password": body["password"]}
    again = (await client.post("/api/auth/login", json=body)).json()
    him = (ada["user"]["name"], "owner", f"person {ada['user']['id']}")
    assert await told(client, again, "address confirmed") == [him]
    assert await told(client, again, "password reset") == [him]


async def test_a_refresh_token_used_twice_is_told_once(client: httpx.AsyncClient, ada: Signed) -> None:
    await client.post("/api/auth/refresh", json={"refresh_token": ada["refresh_token"]})
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        uses = [await client.post("/api/auth/refresh", json={"refresh_token": ada["refresh_token"]}) for _ in range(2)]
    assert [one.status_code for one in uses] == [401, 401]
    body = {"email": "ada@example.com", "password": "four words in a row"}
    again = (await client.post("/api/auth/login", json=body)).json()
    ended = await told(client, again, "used twice")
    assert [subject for _, _, subject in ended] == [f"session {ada['session_id']}"]
