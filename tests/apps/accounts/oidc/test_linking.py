from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import psycopg
from tests.apps.accounts.oidc.conftest import Crooked

from syncline.kernel import clock
from syncline.runtime.db.settings import DatabaseSettings

PASSWORD = "four words in a row"
Signed = dict[str, Any]
HERE = {"sec-fetch-site": "same-origin"}


def auth(signed: Signed) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}"}


async def link(client: httpx.AsyncClient, signed: Signed, **more: Any) -> httpx.Response:
    body = {"provider": "crooked", "password": PASSWORD, **more}
    return await client.post("/api/auth/identities", json=body, headers=auth(signed))


async def linked(client: httpx.AsyncClient, crooked: Crooked, signed: Signed) -> httpx.Response:
    return await client.get(crooked.lead_back((await link(client, signed)).json()["authorization_url"]))


async def identities(client: httpx.AsyncClient, signed: Signed) -> list[dict[str, Any]]:
    answer = await client.get("/api/auth/identities", headers=auth(signed))
    found: list[dict[str, Any]] = answer.json()["identities"]
    return found


async def sign_in(client: httpx.AsyncClient, crooked: Crooked) -> httpx.Response:
    leaving = await client.post("/api/auth/openid/start", json={"provider": "crooked"})
    return await client.get(crooked.lead_back(leaving.json()["authorization_url"]))


async def test_whoever_is_signed_in_links_an_identity_of_any_e_mail(
    client: httpx.AsyncClient, ada: Signed, crooked: Crooked, mailbox: Any
) -> None:
    crooked.claims = {"email": "private@example.com", "email_verified": False}
    assert (await linked(client, crooked, ada)).status_code == 303
    assert [one["email"] for one in await identities(client, ada)] == ["private@example.com"]
    assert "crooked one" in (await mailbox.read("notice"))[0].text
    assert (await sign_in(client, crooked)).status_code == 303
    assert (await client.post("/api/auth/refresh", headers=HERE)).json()["user"]["id"] == ada["user"]["id"]


async def test_linking_takes_the_password(client: httpx.AsyncClient, ada: Signed) -> None:
    """A stolen session must not be enough to come back for good."""
    for password in (None, "five words in a row"):
        answer = await link(client, ada, password=password)
        assert (answer.status_code, answer.json()["code"]) == (401, "AUTH_001")


async def test_an_identity_opens_one_account_only(
    client: httpx.AsyncClient, ada: Signed, register: Any, crooked: Crooked
) -> None:
    eve = await register("eve@example.com")
    await linked(client, crooked, ada)
    answer = await linked(client, crooked, eve)
    assert (answer.status_code, answer.json()["code"]) == (409, "OIDC_007")
    assert [len(await identities(client, one)) for one in (ada, eve)] == [1, 0]
    assert (await linked(client, crooked, ada)).status_code == 303
    assert len(await identities(client, ada)) == 1


async def test_linking_that_was_begun_ends_with_the_session(
    client: httpx.AsyncClient, ada: Signed, crooked: Crooked
) -> None:
    url = (await link(client, ada)).json()["authorization_url"]
    await client.post("/api/auth/logout", json={"refresh_token": ada["refresh_token"]})
    answer = await client.get(crooked.lead_back(url))
    assert (answer.status_code, answer.json()["code"]) == (400, "OIDC_005")


async def test_a_key_links_nothing(client: httpx.AsyncClient, owner: dict[str, str]) -> None:
    answer = await client.post("/api/auth/identities", json={"provider": "crooked"}, headers=owner)
    assert (answer.status_code, answer.json()["code"]) == (403, "AUTH_011")


async def test_what_is_unlinked_opens_nothing_any_more(
    client: httpx.AsyncClient, ada: Signed, register: Any, crooked: Crooked
) -> None:
    eve = await register("eve@example.com")
    await linked(client, crooked, ada)
    ((one),) = await identities(client, ada)
    path, body = f"/api/auth/identities/{one['id']}/unlink", {"password": PASSWORD}
    assert (await client.post(path, json=body, headers=auth(eve))).json()["code"] == "OIDC_008"
    assert (await client.post(path, headers=auth(ada))).json()["code"] == "AUTH_001"
    assert (await client.post(path, json=body, headers=auth(ada))).status_code == 200
    assert (await client.post(path, json=body, headers=auth(ada))).json()["code"] == "OIDC_008"
    assert await identities(client, ada) == []
    assert (await sign_in(client, crooked)).json()["code"] == "OIDC_006"


async def test_who_has_no_password_keeps_one_identity_and_confirms_by_a_fresh_sign_in(
    client: httpx.AsyncClient, ada: Signed, crooked: Crooked, database_settings: DatabaseSettings
) -> None:
    await linked(client, crooked, ada)
    with psycopg.connect(str(database_settings.admin_url)) as connection:
        connection.execute("UPDATE accounts.user_account SET password_hash = NULL")
    ((one),) = await identities(client, ada)
    path = f"/api/auth/identities/{one['id']}/unlink"
    assert (await client.post(path, headers=auth(ada))).json()["code"] == "OIDC_009"
    with clock.frozen(clock.now() + timedelta(minutes=9)):
        assert (await client.post(path, headers=auth(ada))).json()["code"] == "OIDC_009"
    with psycopg.connect(str(database_settings.admin_url)) as connection:
        connection.execute("SET row_security = off")
        connection.execute("UPDATE accounts.session SET created_at = created_at - interval '11 minutes'")
    late = await client.post(path, headers=auth(ada))
    assert (late.status_code, late.json()["code"]) == (401, "AUTH_016")
