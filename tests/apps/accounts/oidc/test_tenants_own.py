"""A tenant's owner chooses its provider, and the provider says who somebody is: how far that word reaches."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg
import pytest
from tests.apps.accounts.oidc.conftest import Crooked

from syncline.runtime.connect.guard import Guard
from syncline.runtime.db.settings import DatabaseSettings

PASSWORD = "four words in a row"
Signed = dict[str, Any]
HERE = {"sec-fetch-site": "same-origin"}


def auth(signed: Signed, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}", **more}


def described(crooked: Crooked, **more: Any) -> dict[str, Any]:
    about = {"name": "house", "title": "House login", "issuer": crooked.issuer, "client_id": crooked.client_id}
    return {**about, "client_secret": crooked.client_secret, **more}


async def add(client: httpx.AsyncClient, signed: Signed, crooked: Crooked, **more: Any) -> httpx.Response:
    return await client.post("/api/sign-in-providers", json=described(crooked, **more), headers=auth(signed))


async def sign_in(client: httpx.AsyncClient, crooked: Crooked, tenant: str, **claims: Any) -> httpx.Response:
    crooked.claims = claims
    leaving = await client.post("/api/auth/openid/start", json={"provider": "house", "tenant": tenant})
    assert leaving.status_code == 200, leaving.text
    return await client.get(crooked.lead_back(leaving.json()["authorization_url"]))


@pytest.fixture
async def mallory(register: Any) -> Signed:
    """The owner of a tenant, and of the provider that tenant uses."""
    made: Signed = await register("mallory@example.com", shopDomain="mallory.myshopify.com")
    return made


@pytest.fixture
async def confirmed(client: httpx.AsyncClient, ada: Signed, mailbox: Any) -> Signed:
    await client.post("/api/auth/verify-email", json={"token": await mailbox.token("verify_email")})
    return ada


async def join(client: httpx.AsyncClient, host: Signed, guest: Signed, mailbox: Any, role: str = "viewer") -> None:
    body = {"email": guest["user"]["email"], "role": role}
    assert (await client.post("/api/invitations", json=body, headers=auth(host))).status_code == 201
    token = {"token": await mailbox.token("invitation")}
    answer = await client.post("/api/invitations/accept-signed-in", json=token, headers=auth(guest))
    assert answer.status_code == 200, answer.text


async def test_the_owner_of_a_tenant_cannot_be_somebody_who_does_not_belong_to_it(
    client: httpx.AsyncClient, confirmed: Signed, mallory: Signed, crooked: Crooked
) -> None:
    assert (await add(client, mallory, crooked, new_people_role="viewer")).status_code == 201
    back = await sign_in(client, crooked, "mallory", email="ada@example.com")
    assert (back.status_code, back.json()["code"]) == (403, "OIDC_006")
    assert "set-cookie" not in back.headers


async def test_for_a_member_it_opens_that_tenant_and_no_other(
    client: httpx.AsyncClient, confirmed: Signed, mallory: Signed, crooked: Crooked, mailbox: Any
) -> None:
    await join(client, mallory, confirmed, mailbox)
    await add(client, mallory, crooked)
    assert (await sign_in(client, crooked, "mallory", email="ada@example.com")).status_code == 303
    inside = (await client.post("/api/auth/refresh", headers=HERE)).json()
    assert inside["user"]["id"] == confirmed["user"]["id"]
    assert [one["slug"] for one in inside["tenants"]] == ["mallory"]
    me = (await client.get("/api/auth/me", headers=auth(inside))).json()
    assert [one["slug"] for one in me["tenants"]] == ["mallory"]
    home = confirmed["tenant"]
    for name in (home["slug"], home["id"]):
        over = await client.get("/api/auth/me", headers=auth(inside, **{"X-Tenant": name}))
        assert (over.status_code, over.json()["code"]) == (403, "AUTH_015")
    moved = await client.post("/api/auth/refresh", json={"tenant": home["slug"]}, headers=HERE)
    assert (moved.status_code, moved.json()["code"]) == (403, "AUTH_015")


async def test_such_a_session_changes_nothing_of_the_account(
    client: httpx.AsyncClient, confirmed: Signed, mallory: Signed, crooked: Crooked, mailbox: Any
) -> None:
    await join(client, mallory, confirmed, mailbox)
    await add(client, mallory, crooked)
    await sign_in(client, crooked, "mallory", email="ada@example.com")
    inside = (await client.post("/api/auth/refresh", headers=HERE)).json()
    linking = await client.post("/api/auth/identities", json={"provider": "work"}, headers=auth(inside))
    assert (linking.status_code, linking.json()["code"]) == (403, "AUTH_015")
    seen = (await client.get("/api/auth/sessions", headers=auth(inside))).json()["sessions"]
    assert {one["tenant_id"] for one in seen} == {mallory["tenant"]["id"]}
    ended = await client.delete(f"/api/auth/sessions/{confirmed['session_id']}", headers=auth(inside))
    assert ended.status_code == 404
    assert (await client.delete("/api/auth/sessions", headers=auth(inside))).json()["ended"] == 0
    assert (await client.get("/api/auth/me", headers=auth(confirmed))).status_code == 200


async def test_such_a_session_neither_erases_nor_exports_somebody_with_an_account(
    client: httpx.AsyncClient, confirmed: Signed, mallory: Signed, crooked: Crooked, mailbox: Any
) -> None:
    await join(client, mallory, confirmed, mailbox, role="admin")
    await add(client, mallory, crooked)
    await sign_in(client, crooked, "mallory", email="ada@example.com")
    inside = (await client.post("/api/auth/refresh", headers=HERE)).json()
    asked = {"subject": {"email": "mallory@example.com"}}
    for path, more in (("exports", {}), ("erasures/preview", {}), ("erasures", {"reason": "asked for by letter"})):
        refused = await client.post(f"/api/privacy/{path}", json={**asked, **more}, headers=auth(inside))
        assert (path, refused.status_code, refused.json()["code"]) == (path, 403, "AUTH_015")
        customer = {"subject": {"email": "customer@example.com"}}
        done = await client.post(f"/api/privacy/{path}", json={**customer, **more}, headers=auth(inside))
        assert (path, done.is_success) == (path, True)


async def test_such_a_session_does_not_fetch_the_export_of_somebody_with_an_account(
    client: httpx.AsyncClient, confirmed: Signed, mallory: Signed, crooked: Crooked, mailbox: Any
) -> None:
    await join(client, mallory, confirmed, mailbox, role="admin")
    await add(client, mallory, crooked)
    await sign_in(client, crooked, "mallory", email="ada@example.com")
    inside = (await client.post("/api/auth/refresh", headers=HERE)).json()
    made = []
    for email in ("mallory@example.com", "customer@example.com"):
        body = {"subject": {"email": email}}
        made.append((await client.post("/api/privacy/exports", json=body, headers=auth(mallory))).json()["id"])
    await mailbox.read()
    fetched = [await client.get(f"/api/privacy/exports/{one}/file", headers=auth(inside)) for one in made]
    assert [one.status_code for one in fetched] == [403, 200]
    own = await client.get(f"/api/privacy/exports/{made[0]}/file", headers=auth(mallory))
    assert own.status_code == 200


async def test_who_leaves_the_tenant_is_not_let_in_again(
    client: httpx.AsyncClient, confirmed: Signed, mallory: Signed, crooked: Crooked, mailbox: Any
) -> None:
    await join(client, mallory, confirmed, mailbox)
    await add(client, mallory, crooked, new_people_role="viewer")
    await sign_in(client, crooked, "mallory", email="ada@example.com")
    gone = await client.delete(f"/api/members/{confirmed['user']['id']}", headers=auth(mallory))
    assert gone.status_code == 200
    assert (await client.post("/api/auth/refresh", headers=HERE)).status_code == 401
    assert (await sign_in(client, crooked, "mallory", email="ada@example.com")).json()["code"] == "OIDC_006"


async def test_new_people_come_in_with_the_role_the_owner_chose_and_an_address_nobody_vouched_for(
    client: httpx.AsyncClient, mallory: Signed, crooked: Crooked
) -> None:
    await add(client, mallory, crooked, new_people_role="learner")
    back = await sign_in(client, crooked, "mallory", sub="new", email="carl@example.com", name="Carl  Gauß")
    assert back.status_code == 303
    inside = (await client.post("/api/auth/refresh", headers=HERE)).json()
    assert (inside["tenant"]["role"], inside["user"]["name"]) == ("learner", "Carl Gauß")
    assert (inside["user"]["email_verified"], inside["user"]["has_password"]) == (False, False)


async def test_without_such_a_role_nobody_new_comes_in(
    client: httpx.AsyncClient, mallory: Signed, crooked: Crooked
) -> None:
    await add(client, mallory, crooked)
    back = await sign_in(client, crooked, "mallory", sub="new", email="carl@example.com")
    assert back.json()["code"] == "OIDC_006"


@pytest.mark.parametrize("role", ["owner", "admin"])
async def test_nobody_becomes_an_administrator_by_himself(
    client: httpx.AsyncClient, mallory: Signed, crooked: Crooked, role: str
) -> None:
    answer = await add(client, mallory, crooked, new_people_role=role)
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (400, "new_people_role")


async def test_an_administrator_may_not_choose_who_says_who_the_owner_is(
    client: httpx.AsyncClient, confirmed: Signed, mallory: Signed, crooked: Crooked, mailbox: Any
) -> None:
    await join(client, mallory, confirmed, mailbox, role="admin")
    there = auth(confirmed, **{"X-Tenant": "mallory"})
    answer = await client.post("/api/sign-in-providers", json=described(crooked), headers=there)
    assert (answer.status_code, answer.json()["code"]) == (403, "USERS_006")
    assert (await client.get("/api/sign-in-providers", headers=there)).status_code == 200


async def test_another_tenant_sees_and_uses_nothing_of_it(
    client: httpx.AsyncClient, ada: Signed, mallory: Signed, crooked: Crooked
) -> None:
    made = (await add(client, mallory, crooked)).json()
    assert made["redirect_uri"].endswith(f"/api/auth/openid/callback/{made['id']}")
    assert (await client.get("/api/sign-in-providers", headers=auth(ada))).json() == {"providers": []}
    path = f"/api/sign-in-providers/{made['id']}"
    answers = [
        await client.patch(path, json={"title": "Mine"}, headers=auth(ada)),
        await client.delete(path, headers=auth(ada)),
        await client.post("/api/auth/openid/start", json={"provider": "house", "tenant": ada["tenant"]["slug"]}),
        await client.post("/api/auth/openid/start", json={"provider": made["id"]}),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 404]
    offered = (await client.get("/api/auth/providers?tenant=mallory")).json()["providers"]
    assert {"name": "house", "title": "House login"} in offered


async def test_the_secret_is_sealed_never_shown_and_not_sent_to_another_issuer(
    client: httpx.AsyncClient,
    mallory: Signed,
    crooked: Crooked,
    real_provider: str,
    database_settings: DatabaseSettings,
) -> None:
    made = (await add(client, mallory, crooked)).json()
    path = f"/api/sign-in-providers/{made['id']}"
    moved = await client.patch(path, json={"issuer": real_provider}, headers=auth(mallory))
    assert (moved.status_code, moved.json()["fields"][0]["field"]) == (400, "client_secret")
    again = {"issuer": real_provider, "client_secret": "another"}
    assert (await client.patch(path, json=again, headers=auth(mallory))).json()["issuer"] == real_provider
    trail = (await client.get("/api/audit?action=sign_in_provider", headers=auth(mallory))).json()["entries"]
    assert [one["action"] for one in trail] == ["sign_in_provider.change", "sign_in_provider.create"]
    assert (trail[0]["before"]["issuer"], trail[0]["after"]["issuer"]) == (crooked.issuer, real_provider)
    with psycopg.connect(str(database_settings.admin_url)) as connection:
        connection.execute("SET row_security = off")
        dumped = str(connection.execute("SELECT p::text FROM accounts.oidc_provider p").fetchall())
        dumped += str(connection.execute("SELECT content FROM audit.entry").fetchall())
    assert [one for one in (crooked.client_secret, "another") if one in dumped + made.__repr__()] == []


async def test_taking_the_provider_away_signs_out_whoever_came_by_it(
    client: httpx.AsyncClient, confirmed: Signed, mallory: Signed, crooked: Crooked, mailbox: Any
) -> None:
    await join(client, mallory, confirmed, mailbox)
    made = (await add(client, mallory, crooked)).json()
    await sign_in(client, crooked, "mallory", email="ada@example.com")
    inside = (await client.post("/api/auth/refresh", headers=HERE)).json()
    gone = await client.delete(f"/api/sign-in-providers/{made['id']}", headers=auth(mallory))
    assert gone.status_code == 200
    assert (await client.get("/api/auth/me", headers=auth(inside))).status_code == 401
    assert (await client.get("/api/auth/me", headers=auth(confirmed))).status_code == 200
    assert (await client.get("/api/auth/identities", headers=auth(confirmed))).json() == {"identities": []}


async def test_a_name_is_taken_once(client: httpx.AsyncClient, mallory: Signed, crooked: Crooked) -> None:
    assert [(await add(client, mallory, crooked)).status_code for _ in range(2)] == [201, 409]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "House!"}, "name"),
        ({"name": "019a2b3c-4d5e-7f60-8123-456789abcdef"}, "name"),
        ({"issuer": "http://login.example.com"}, "issuer"),
        ({"issuer": "https://login.example.com/?a=b"}, "issuer"),
        ({"new_people_role": "king"}, "role"),
    ],
)
async def test_what_is_wrong_with_a_provider_is_said(
    client: httpx.AsyncClient, mallory: Signed, crooked: Crooked, change: dict[str, str], field: str
) -> None:
    answer = await add(client, mallory, crooked, **change)
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (400, field)


class TestWithoutTheOperatorsLeave:
    @pytest.fixture
    def guard(self) -> Guard:
        return Guard()

    @pytest.mark.parametrize(
        "issuer", ["https://127.0.0.1:9", "https://10.0.0.1", "https://[::1]", "https://169.254.169.254"]
    )
    async def test_an_issuer_inside_is_not_called(
        self, client: httpx.AsyncClient, mallory: Signed, crooked: Crooked, issuer: str
    ) -> None:
        answer = await add(client, mallory, crooked, issuer=issuer)
        assert (answer.status_code, answer.json()["code"]) == (400, "NET_001")
        assert crooked.calls == []

    async def test_the_operators_own_provider_may_stand_inside(
        self, client: httpx.AsyncClient, crooked: Crooked
    ) -> None:
        answer = await client.post("/api/auth/openid/start", json={"provider": "crooked"})
        assert answer.status_code == 200
