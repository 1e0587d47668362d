from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from syncline.apps.accounts.contract import UnknownScope
from syncline.apps.accounts.facade import LocalKeyRing
from syncline.kernel import clock
from syncline.kernel.tenant import PERMISSIONS, ROLES, TenantId, all_permissions, may_grant, role_may

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
Headers = dict[str, str]


async def make(client: httpx.AsyncClient, headers: Headers, **body: object) -> httpx.Response:
    return await client.post("/api/keys", json={"name": "nightly", "role": "viewer", **body}, headers=headers)


def bearer(answer: httpx.Response) -> Headers:
    return {"Authorization": f"Bearer {answer.json()['key']}"}


async def test_a_key_may_do_what_its_scopes_say_and_no_more(client: httpx.AsyncClient, ada: Any) -> None:
    owner = {"Authorization": f"Bearer {ada['access_token']}"}
    made = await make(client, owner, role="admin", scopes=["account:read", "catalog:read"])
    assert made.json()["scopes"] == ["account:read", "catalog:read"]
    me = await client.get("/api/auth/me", headers=bearer(made))
    assert me.json()["permissions"] == ["account:read", "catalog:read"]
    refused = await client.get("/api/keys", headers=bearer(made))
    assert (refused.status_code, refused.json()["code"]) == (403, "API_002")
    assert "limited" in refused.json()["error"]


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        ("viewer", ["catalog:pull"]),
        ("viewer", ["*"]),
        ("admin", ["everything"]),
        ("admin", []),
        ("learner", ["stores:read"]),
    ],
)
async def test_a_scope_the_role_has_not_is_400_with_the_list(
    client: httpx.AsyncClient, owner: Headers, role: str, scopes: list[str]
) -> None:
    answer = await make(client, owner, role=role, scopes=scopes)
    assert (answer.status_code, answer.json()["code"]) == (400, "KEYS_004")
    assert "Choose from: account:edit" in answer.json()["error"]


async def test_a_limited_key_makes_no_wider_one(client: httpx.AsyncClient, owner: Headers) -> None:
    narrow = bearer(await make(client, owner, role="admin", scopes=["keys:manage", "catalog:read"]))
    wider: list[dict[str, Any]] = [
        {"role": "admin"},
        {"role": "viewer"},
        {"role": "admin", "scopes": ["stores:manage"]},
        {"role": "owner", "scopes": ["catalog:read"]},
    ]
    answers = [await make(client, narrow, **body) for body in wider]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "KEYS_003")] * 4
    assert (await make(client, narrow, role="viewer", scopes=["catalog:read"])).status_code == 201


async def test_an_admin_makes_no_owners_key_nor_replaces_one(client: httpx.AsyncClient, owner: Headers) -> None:
    theirs = await make(client, owner, role="owner")
    admin = bearer(await make(client, owner, role="admin"))
    assert (await make(client, admin, role="owner")).json()["code"] == "KEYS_003"
    rotated = await client.post(f"/api/keys/{theirs.json()['id']}/rotate", headers=admin)
    assert rotated.json()["code"] == "KEYS_003"


async def test_a_key_without_scopes_is_narrowed_by_its_role_only(ring: LocalKeyRing, tenant_id: TenantId) -> None:
    issued = await ring.create_key(tenant_id=tenant_id, name="a", role="viewer", created_by="a test")
    actor = await ring.authenticate(bearer=issued.bearer)
    assert actor is not None
    assert actor.scopes is None
    assert {one for one in all_permissions() if actor.may(one)} == PERMISSIONS["viewer"]
    with pytest.raises(UnknownScope):
        await ring.create_key(tenant_id=tenant_id, name="a", role="viewer", created_by="a test", scopes=["keys:manage"])


def test_nobody_but_owners_gives_the_role_of_an_owner() -> None:
    assert [role for role in ROLES if may_grant(role, "owner")] == ["owner"]
    assert [role for role in ROLES if may_grant(role, "viewer")] == ["owner", "admin"]


def test_every_permission_is_held_by_the_owner() -> None:
    assert all(role_may("owner", one) for one in all_permissions())
    assert "*" not in all_permissions()


async def test_a_key_that_is_replaced_works_for_the_overlap_yet(
    client: httpx.AsyncClient, ring: LocalKeyRing, tenant_id: TenantId, owner: Headers
) -> None:
    with clock.frozen(NOON):
        old = await make(client, owner, role="editor", scopes=["catalog:read"])
        new = await client.post(f"/api/keys/{old.json()['id']}/rotate", headers=owner)
        assert new.status_code == 201
        same = ("name", "role", "scopes", "expires_at")
        assert [new.json()[one] for one in same] == [old.json()[one] for one in same]
        assert new.json()["key"] != old.json()["key"]
        listed = {one["id"]: one for one in (await client.get("/api/keys", headers=owner)).json()["keys"]}
        assert listed[old.json()["id"]]["replaced_by"] == new.json()["id"]
        assert listed[old.json()["id"]]["expires_at"] == "2026-11-23T12:00:00Z"
    with clock.frozen(NOON + timedelta(days=1) - timedelta(seconds=1)):
        assert await ring.authenticate(bearer=old.json()["key"]) is not None
    with clock.frozen(NOON + timedelta(days=1)):
        assert await ring.authenticate(bearer=old.json()["key"]) is None
        assert await ring.authenticate(bearer=new.json()["key"]) is not None


async def test_without_overlap_the_old_key_ends_at_once(client: httpx.AsyncClient, owner: Headers) -> None:
    old = await make(client, owner, role="owner")
    body = {"overlap_seconds": 0}
    assert (await client.post(f"/api/keys/{old.json()['id']}/rotate", json=body, headers=owner)).status_code == 201
    assert (await client.get("/api/keys", headers=bearer(old))).status_code == 401


async def test_a_key_that_expires_is_replaced_by_one_of_the_same_length(
    client: httpx.AsyncClient, owner: Headers
) -> None:
    with clock.frozen(NOON):
        old = await make(client, owner, expires_at="2026-11-22T18:00:00Z")
    with clock.frozen(NOON + timedelta(hours=5)):
        new = await client.post(f"/api/keys/{old.json()['id']}/rotate", headers=owner)
        assert new.json()["expires_at"] == "2026-11-22T23:00:00Z"
        (kept,) = [
            one
            for one in (await client.get("/api/keys", headers=owner)).json()["keys"]
            if one["id"] == old.json()["id"]
        ]
        # The overlap is a day, but does not lengthen the old key's life.
        assert kept["expires_at"] == "2026-11-22T18:00:00Z"


async def test_a_key_that_is_over_or_replaced_is_not_replaced(client: httpx.AsyncClient, owner: Headers) -> None:
    old = (await make(client, owner)).json()
    await client.post(f"/api/keys/{old['id']}/rotate", headers=owner)
    revoked = (await make(client, owner)).json()
    await client.delete(f"/api/keys/{revoked['id']}", headers=owner)
    for key_id in (old["id"], revoked["id"]):
        answer = await client.post(f"/api/keys/{key_id}/rotate", headers=owner)
        assert (answer.status_code, answer.json()["code"]) == (409, "KEYS_005")


@pytest.mark.parametrize("seconds", [-1, 30 * 86_400 + 1, "a day"])
async def test_an_overlap_has_to_be_sensible(client: httpx.AsyncClient, owner: Headers, seconds: object) -> None:
    old = (await make(client, owner)).json()
    answer = await client.post(f"/api/keys/{old['id']}/rotate", json={"overlap_seconds": seconds}, headers=owner)
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (400, "overlap_seconds")


async def test_other_tenant_replaces_nothing(client: httpx.AsyncClient, owner: Headers, stranger: Headers) -> None:
    old = (await make(client, owner)).json()
    answer = await client.post(f"/api/keys/{old['id']}/rotate", headers=stranger)
    assert (answer.status_code, answer.json()["code"]) == (404, "KEYS_001")
