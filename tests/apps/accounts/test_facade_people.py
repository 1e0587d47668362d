from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

import httpx
import pytest

from syncline.apps.accounts.contract import LastOwner, MemberNotFound, RoleNotYours
from syncline.apps.accounts.facade import LocalKeyRing
from syncline.apps.accounts.totp.codes import code_at, step_of
from syncline.kernel import clock
from syncline.kernel.tenant import Actor, TenantId

PASSWORD, NEW = "four words in a row", "five words in a row"
Signed = dict[str, Any]


@pytest.fixture
def shell(ada: Signed) -> Actor:
    """Whoever sits at the machine, working for ada's tenant."""
    return Actor(TenantId(UUID(ada["tenant"]["id"])), "root (command line)", "owner", method="shell")


async def login(client: httpx.AsyncClient, password: str) -> httpx.Response:
    return await client.post("/api/auth/login", json={"email": "ada@example.com", "password": password})


async def test_people_are_invited_given_roles_and_removed_by_their_address(
    client: httpx.AsyncClient, ring: LocalKeyRing, shell: Actor
) -> None:
    made = await ring.invite(actor=shell, email="bob@example.com", role="editor")
    assert [one.email for one in await ring.list_invitations(tenant_id=shell.tenant_id)] == ["bob@example.com"]
    body = {"token": made.token, "name": "Bob", "password": PASSWORD}
    assert (await client.post("/api/invitations/accept", json=body)).status_code == 200
    assert (await ring.change_role(actor=shell, email="BOB@example.com", role="owner")).role == "owner"
    assert (await ring.remove_member(actor=shell, email="ada@example.com")).email == "ada@example.com"
    assert [one.email for one in await ring.list_members(tenant_id=shell.tenant_id)] == ["bob@example.com"]
    with pytest.raises(LastOwner):
        await ring.remove_member(actor=shell, email="bob@example.com")


async def test_an_invitation_is_withdrawn(client: httpx.AsyncClient, ring: LocalKeyRing, shell: Actor) -> None:
    made = await ring.invite(actor=shell, email="bob@example.com", role="editor")
    await ring.revoke_invitation(tenant_id=shell.tenant_id, invitation_id=made.invitation.id)
    answer = await client.post("/api/invitations/look", json={"token": made.token})
    assert answer.json()["code"] == "USERS_005"


async def test_nobody_by_that_address_is_named(ring: LocalKeyRing, shell: Actor) -> None:
    with pytest.raises(MemberNotFound, match=r"eve@example\.com"):
        await ring.change_role(actor=shell, email="eve@example.com", role="viewer")
    with pytest.raises(MemberNotFound, match=r"eve@example\.com"):
        await ring.remove_member(actor=shell, email="eve@example.com")
    with pytest.raises(MemberNotFound, match=r"eve@example\.com"):
        await ring.start_reset(email="eve@example.com")


async def test_an_editor_invites_nobody(ring: LocalKeyRing, shell: Actor) -> None:
    editor = Actor(shell.tenant_id, "an editor", "editor")
    with pytest.raises(RoleNotYours):
        await ring.invite(actor=editor, email="bob@example.com", role="viewer")


async def test_an_operator_hands_a_link_over_even_right_after_one_was_mailed(
    client: httpx.AsyncClient, ring: LocalKeyRing, ada: Signed, mailbox: Any
) -> None:
    await client.post("/api/auth/forgot-password", json={"email": "ada@example.com"})
    mailed = await mailbox.token("reset_password")
    link = await ring.start_reset(email="Ada@example.com")
    token = link.partition("#token=")[2]
    stale = await client.post("/api/auth/reset-password", json={"token": mailed, "password": NEW})
    assert stale.status_code == 400
    done = await client.post("/api/auth/reset-password", json={"token": token, "password": NEW})
    assert done.status_code == 200
    assert (await login(client, NEW)).status_code == 200


async def test_who_lost_phone_and_codes_is_let_in_by_the_operator(
    client: httpx.AsyncClient, ring: LocalKeyRing, ada: Signed
) -> None:
    headers = {"Authorization": f"Bearer {ada['access_token']}"}
    begun = (await client.post("/api/auth/totp", json={"password": PASSWORD}, headers=headers)).json()
    code = code_at(base64.b32decode(begun["secret"]), step_of(clock.now()))
    await client.post("/api/auth/totp/confirm", json={"code": code}, headers=headers)
    assert "challenge" in (await login(client, PASSWORD)).json()
    await ring.start_reset(email="ada@example.com")
    assert "challenge" in (await login(client, PASSWORD)).json()
    await ring.start_reset(email="ada@example.com", without_second_step=True)
    assert "access_token" in (await login(client, PASSWORD)).json()
