"""What the trail says of people, roles and keys: what was before and what is after, and nothing secret."""

from __future__ import annotations

from typing import Any

import httpx

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
