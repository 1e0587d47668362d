from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from syncline.apps.accounts.contract import Shown
from syncline.apps.accounts.facade import LocalKeyRing
from syncline.kernel.tenant import TenantId

Signed = dict[str, Any]


def auth(signed: Signed, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}", **more}


async def member(client: httpx.AsyncClient, host: Signed, email: str, mailbox: Any) -> Signed:
    """Somebody who belongs to the host's tenant only."""
    invited = await client.post("/api/invitations", json={"email": email, "role": "learner"}, headers=auth(host))
    assert invited.status_code == 201
    body = {
        "token": await mailbox.token("invitation"),
        "name": email.partition("@")[0],
        "password": "five words in a row",
    }
    made: Signed = (await client.post("/api/invitations/accept", json=body)).json()
    return made


@pytest.fixture
async def bob(client: httpx.AsyncClient, ada: Signed, mailbox: Any) -> Signed:
    return await member(client, ada, "bob@example.com", mailbox)


@pytest.fixture
async def carl(client: httpx.AsyncClient, ada: Signed, mailbox: Any) -> Signed:
    return await member(client, ada, "carl@example.com", mailbox)


@pytest.fixture
async def eve(register: Any) -> Signed:
    """Of another tenant."""
    made: Signed = await register("eve@example.com")
    return made


def id_of(signed: Signed) -> str:
    return str(signed["user"]["id"])


async def ask(client: httpx.AsyncClient, who: Signed, whom: Signed) -> httpx.Response:
    return await client.post("/api/friends", json={"user_id": id_of(whom)}, headers=auth(who))


async def act(client: httpx.AsyncClient, who: Signed, whom: Signed, verb: str) -> httpx.Response:
    return await client.post(f"/api/friends/{id_of(whom)}/{verb}", headers=auth(who))


async def ties(client: httpx.AsyncClient, who: Signed) -> dict[str, str]:
    answer = await client.get("/api/friends", headers=auth(who))
    assert answer.status_code == 200
    return {one["name"]: one["tie"] for one in answer.json()["friends"]}


async def befriend(client: httpx.AsyncClient, one: Signed, other: Signed) -> None:
    await ask(client, one, other)
    assert (await act(client, other, one, "accept")).json()["tie"] == "friend"


async def test_a_request_is_seen_by_both_and_accepted_by_the_other(
    client: httpx.AsyncClient, ada: Signed, bob: Signed
) -> None:
    assert (await ask(client, ada, bob)).json()["tie"] == "asked"
    assert [await ties(client, one) for one in (ada, bob)] == [{"bob": "asked"}, {"Ada Lovelace": "asks"}]
    assert (await act(client, ada, bob, "accept")).json()["code"] == "USERS_007"
    assert (await act(client, bob, ada, "accept")).status_code == 200
    assert [await ties(client, one) for one in (ada, bob)] == [{"bob": "friend"}, {"Ada Lovelace": "friend"}]


async def test_asking_and_accepting_twice_changes_nothing(client: httpx.AsyncClient, ada: Signed, bob: Signed) -> None:
    first, again = await ask(client, ada, bob), await ask(client, ada, bob)
    assert first.json() == again.json()
    answers = [await act(client, bob, ada, "accept") for _ in range(2)]
    assert answers[0].json() == answers[1].json()


async def test_two_who_ask_each_other_at_once_are_friends(client: httpx.AsyncClient, ada: Signed, bob: Signed) -> None:
    answers = await asyncio.gather(ask(client, ada, bob), ask(client, bob, ada))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [await ties(client, one) for one in (ada, bob)] == [{"bob": "friend"}, {"Ada Lovelace": "friend"}]


async def test_declining_and_removing_is_for_both(client: httpx.AsyncClient, ada: Signed, bob: Signed) -> None:
    await ask(client, ada, bob)
    assert (await act(client, ada, bob, "decline")).status_code == 404
    assert (await act(client, bob, ada, "decline")).status_code == 200
    assert [await ties(client, one) for one in (ada, bob)] == [{}, {}]
    await befriend(client, ada, bob)
    assert (await act(client, bob, ada, "decline")).status_code == 404
    gone = [await client.delete(f"/api/friends/{id_of(ada)}", headers=auth(bob)) for _ in range(2)]
    assert [answer.status_code for answer in gone] == [200, 404]
    assert [await ties(client, one) for one in (ada, bob)] == [{}, {}]


async def test_who_is_blocked_learns_nothing_and_can_ask_no_more(
    client: httpx.AsyncClient, ada: Signed, bob: Signed
) -> None:
    await befriend(client, ada, bob)
    assert (await act(client, ada, bob, "block")).status_code == 200
    assert [await ties(client, one) for one in (ada, bob)] == [{"bob": "blocked"}, {}]
    asked: list[dict[str, str]] = [
        *({"user_id": id_of(ada)}, {"email": "ada@example.com"}),
        *({"user_id": str(uuid4())}, {"email": "nobody@example.com"}),
    ]
    answers = [(await client.post("/api/friends", json=body, headers=auth(bob))).json() for body in asked]
    assert {(one["code"], one["status"], one["error"]) for one in answers} == {
        ("USERS_001", 404, "There is nobody here with this address or id whom you could ask.")
    }
    assert (await ask(client, ada, bob)).json()["code"] == "USERS_008"
    assert (await client.delete(f"/api/friends/{id_of(bob)}/block", headers=auth(ada))).status_code == 200
    assert (await ask(client, bob, ada)).json()["tie"] == "asked"


async def test_a_request_and_a_block_at_once_leave_the_block_alone(
    client: httpx.AsyncClient, ada: Signed, bob: Signed
) -> None:
    await asyncio.gather(act(client, ada, bob, "block"), ask(client, bob, ada))
    assert [await ties(client, one) for one in (ada, bob)] == [{"bob": "blocked"}, {}]


async def test_people_of_another_tenant_are_nobody(
    client: httpx.AsyncClient, ada: Signed, bob: Signed, eve: Signed
) -> None:
    await ask(client, ada, bob)
    answers = [
        await ask(client, ada, eve),
        await ask(client, eve, ada),
        await client.post("/api/friends", json={"email": "ada@example.com"}, headers=auth(eve)),
        await act(client, eve, ada, "block"),
        await act(client, eve, ada, "accept"),
        await client.delete(f"/api/friends/{id_of(ada)}", headers=auth(eve)),
    ]
    assert [answer.status_code for answer in answers] == [404] * 6
    assert await ties(client, eve) == {}
    assert await ties(client, bob) == {"Ada Lovelace": "asks"}


async def test_who_leaves_the_tenant_leaves_no_tie_behind(client: httpx.AsyncClient, ada: Signed, bob: Signed) -> None:
    await befriend(client, ada, bob)
    await client.delete(f"/api/members/{id_of(bob)}", headers=auth(ada))
    assert await ties(client, ada) == {}


async def test_a_member_is_found_by_his_whole_address(client: httpx.AsyncClient, ada: Signed, bob: Signed) -> None:
    found = await client.post("/api/friends", json={"email": "Ada@Example.com"}, headers=auth(bob))
    assert (found.json()["user_id"], found.json()["tie"]) == (id_of(ada), "asked")


@pytest.mark.parametrize("body", [{}, {"user_id": str(uuid4()), "email": "a@example.com"}])
async def test_one_says_whom_in_one_way(client: httpx.AsyncClient, ada: Signed, body: dict[str, str]) -> None:
    assert (await client.post("/api/friends", json=body, headers=auth(ada))).status_code == 400


async def test_nobody_is_his_own_friend_and_a_key_has_none(
    client: httpx.AsyncClient, ada: Signed, owner: dict[str, str]
) -> None:
    assert (await ask(client, ada, ada)).json()["fields"][0]["field"] == "user_id"
    assert (await act(client, ada, ada, "block")).status_code == 404
    assert (await client.get("/api/friends", headers=owner)).json()["code"] == "AUTH_011"


async def seen(ring: LocalKeyRing, viewer: Signed | None, of: list[Signed], what: Shown) -> list[str]:
    tenant = TenantId(UUID(of[0]["tenant"]["id"]))
    ids = [UUID(id_of(one)) for one in of]
    found = await ring.visible_to(
        tenant_id=tenant, viewer=None if viewer is None else UUID(id_of(viewer)), user_ids=ids, what=what
    )
    return [str(one) for one in found]


async def test_what_is_shown_follows_what_each_has_chosen(
    client: httpx.AsyncClient, ring: LocalKeyRing, ada: Signed, bob: Signed, carl: Signed
) -> None:
    await befriend(client, ada, bob)
    assert await seen(ring, bob, [ada, bob, carl], Shown.PROGRESS) == [id_of(ada), id_of(bob)]
    assert await seen(ring, bob, [ada, carl], Shown.PROFILE) == [id_of(ada), id_of(carl)]
    assert await seen(ring, None, [ada, carl], Shown.LEADERBOARD) == [id_of(ada), id_of(carl)]
    told = await client.patch("/api/friends/visibility", json={"leaderboard": "nobody"}, headers=auth(ada))
    assert told.json() == {"profile": "everyone", "progress": "friends", "leaderboard": "nobody"}
    assert (await client.get("/api/friends/visibility", headers=auth(ada))).json() == told.json()
    assert await seen(ring, bob, [ada, carl], Shown.LEADERBOARD) == [id_of(carl)]
    assert await seen(ring, ada, [ada], Shown.LEADERBOARD) == [id_of(ada)]


async def test_across_a_block_neither_sees_anything(
    client: httpx.AsyncClient, ring: LocalKeyRing, ada: Signed, bob: Signed
) -> None:
    await act(client, ada, bob, "block")
    assert await seen(ring, bob, [ada], Shown.PROFILE) == []
    assert await seen(ring, ada, [bob], Shown.PROFILE) == []


async def test_other_tenants_people_are_left_out(ring: LocalKeyRing, ada: Signed, bob: Signed, eve: Signed) -> None:
    assert await seen(ring, ada, [bob, eve], Shown.PROFILE) == [id_of(bob)]


async def test_an_audience_that_is_none_is_named(client: httpx.AsyncClient, ada: Signed) -> None:
    answer = await client.patch("/api/friends/visibility", json={"profile": "the world"}, headers=auth(ada))
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (400, "profile")
