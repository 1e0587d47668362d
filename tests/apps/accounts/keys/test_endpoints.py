from __future__ import annotations

import asyncio

import httpx
import pytest

from syncline.apps.accounts.facade import LocalKeyRing

Headers = dict[str, str]
# Written out: a test's name must be the same in every process of a parallel run.
SOME_ID = "01a20193-4e72-70e7-a846-5fae67bee546"


async def make(client: httpx.AsyncClient, headers: Headers, **body: object) -> httpx.Response:
    return await client.post("/api/keys", json={"name": "nightly", "role": "viewer", **body}, headers=headers)


async def test_a_new_key_is_shown_once_and_works(client: httpx.AsyncClient, owner: Headers) -> None:
    made = await make(client, owner)
    assert made.status_code == 201
    key = made.json()["key"]
    assert key.startswith("sl_")
    assert made.json()["created_by"] == "the owner"
    refused = await client.get("/api/keys", headers={"Authorization": f"Bearer {key}"})
    assert refused.status_code == 403
    listed = await client.get("/api/keys", headers=owner)
    assert {one["name"] for one in listed.json()["keys"]} == {"nightly", "the owner"}
    assert key.rsplit("_", 1)[1] not in listed.text


async def test_the_change_is_there_when_the_answer_arrives(
    client: httpx.AsyncClient, owner: Headers, ring: LocalKeyRing
) -> None:
    # The transaction is closed before the answer is sent: a caller that reads at once finds what it wrote.
    answers = await asyncio.gather(*(make(client, owner) for _ in range(10)))
    keys = [answer.json()["key"] for answer in answers]
    assert all([await ring.authenticate(bearer=key) is not None for key in keys])


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("DELETE", f"/{SOME_ID}")])
async def test_anonymous_is_401(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, f"/api/keys{path}")
    assert (answer.status_code, answer.json()["code"]) == (401, "API_001")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("DELETE", f"/{SOME_ID}")])
async def test_an_editor_may_not(client: httpx.AsyncClient, editor: Headers, method: str, path: str) -> None:
    body = {"name": "a", "role": "viewer"}
    answer = await client.request(method, f"/api/keys{path}", headers=editor, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "API_002")


async def test_other_tenant_sees_nothing_and_revokes_nothing(
    client: httpx.AsyncClient, owner: Headers, stranger: Headers
) -> None:
    made = (await make(client, owner)).json()
    listed = await client.get("/api/keys", headers=stranger)
    assert [key["name"] for key in listed.json()["keys"]] == ["the owner"]
    assert listed.json()["keys"][0]["id"] != made["id"]
    answer = await client.delete(f"/api/keys/{made['id']}", headers=stranger)
    assert (answer.status_code, answer.json()["code"]) == (404, "KEYS_001")


async def test_a_revoked_key_is_401_from_then_on(client: httpx.AsyncClient, owner: Headers) -> None:
    made = (await make(client, owner, role="owner")).json()
    theirs = {"Authorization": f"Bearer {made['key']}"}
    assert (await client.get("/api/keys", headers=theirs)).status_code == 200
    revoked = await client.delete(f"/api/keys/{made['id']}", headers=owner)
    assert revoked.json()["revoked_at"] is not None
    assert (await client.get("/api/keys", headers=theirs)).status_code == 401
    everything = await client.get("/api/keys?include_revoked=true", headers=owner)
    assert made["id"] in {key["id"] for key in everything.json()["keys"]}


async def test_an_unknown_role_is_400_with_its_code(client: httpx.AsyncClient, owner: Headers) -> None:
    answer = await make(client, owner, role="boss")
    assert (answer.status_code, answer.json()["code"]) == (400, "KEYS_002")
    assert answer.json()["fields"][0]["field"] == "role"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"admin": True}, "admin"),
    ],
)
async def test_a_wrong_field_is_400_and_named(
    client: httpx.AsyncClient, owner: Headers, body: dict[str, object], field: str
) -> None:
    answer = await make(client, owner, **body)
    assert answer.status_code == 400
    assert [wrong["field"] for wrong in answer.json()["fields"]] == [field]


async def test_a_nul_character_is_400_and_not_a_broken_statement(client: httpx.AsyncClient, owner: Headers) -> None:
    answer = await make(client, owner, name="a\x00b")
    assert (answer.status_code, answer.json()["code"]) == (400, "REQ_001")


async def test_an_id_that_is_none_is_400(client: httpx.AsyncClient, owner: Headers) -> None:
    answer = await client.delete("/api/keys/x' OR 1=1 --", headers=owner)
    assert answer.status_code == 400
    assert answer.json()["fields"][0]["field"] == "key_id"
