"""OAuth as Shopify's documents tell it: consent, four grants, tokens that end, and what the merchant takes back."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from syncline.kernel import clock
from syncline.sandbox.shopify.options import SandboxOptions

HOME = "http://127.0.0.1:9/callback"
APP = {"client_id": SandboxOptions().client_id, "client_secret": SandboxOptions().client_secrets[0]}
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
}
BEGAN = datetime(2026, 11, 22, 12, tzinfo=UTC)


@contextmanager
def after(**later: float) -> Iterator[None]:
    with clock.frozen(BEGAN + timedelta(**later)):
        yield


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[None]:
    with after():
        yield


async def consent(http: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    asked = {"client_id": APP["client_id"], "scope": "read_products", "redirect_uri": HOME, "state": "st"}
    return await http.get("/admin/oauth/authorize", params={**asked, **changes})


async def code(http: httpx.AsyncClient, **changes: Any) -> str:
    sent = await consent(http, **changes)
    return parse_qs(urlsplit(sent.headers["Location"]).query)["code"][0]


async def token(http: httpx.AsyncClient, **given: Any) -> httpx.Response:
    return await http.post("/admin/oauth/access_token", json={**APP, **given})


async def installed(http: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = (await token(http, code=await code(http, **changes), expiring="1")).json()
    return body


async def may(http: httpx.AsyncClient, access_token: str) -> set[str] | int:
    answer = await http.get("/admin/oauth/access_scopes.json", headers={"X-Shopify-Access-Token": access_token})
    if answer.status_code != 200:
        return answer.status_code
    return {one["handle"] for one in answer.json()["access_scopes"]}


async def test_the_browser_is_sent_back_with_a_signed_word(http: httpx.AsyncClient) -> None:
    sent = await consent(http)
    assert sent.status_code == 302
    given = {key: values[0] for key, values in parse_qs(urlsplit(sent.headers["Location"]).query).items()}
    assert set(given) == {"code", "hmac", "host", "shop", "state", "timestamp"}
    assert (given["shop"], given["state"]) == ("sandbox-supply.myshopify.com", "st")
    assert base64.b64decode(given["host"] + "==") == b"admin.shopify.com/store/sandbox-supply"
    assert given["timestamp"] == str(int(BEGAN.timestamp()))


@pytest.mark.parametrize(
    "changes", [{"client_id": "nobody"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": ""}]
)
async def test_an_app_or_address_that_is_not_known_sees_a_page_and_no_code(
    http: httpx.AsyncClient, changes: dict[str, str]
) -> None:
    answer = await consent(http, **changes)
    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert "Oauth error" in answer.text


async def test_a_code_is_good_once(http: httpx.AsyncClient) -> None:
    once = await code(http)
    first = (await token(http, code=once)).json()
    assert await may(http, first["access_token"]) == {"read_products"}
    assert (first["scope"], "expires_in" in first) == ("read_products", False)
    second = await token(http, code=once)
    assert (second.status_code, second.json()["error"]) == (400, "invalid_request")


async def test_a_code_that_nobody_fetched_in_time_is_none(http: httpx.AsyncClient) -> None:
    old = await code(http)
    with after(minutes=2):
        assert (await token(http, code=old)).status_code == 400


async def test_an_expiring_token_is_good_for_an_hour(http: httpx.AsyncClient) -> None:
    body = await installed(http)
    assert (body["expires_in"], body["refresh_token_expires_in"]) == (3_600, 7_776_000)
    with after(minutes=59):
        assert await may(http, body["access_token"]) == {"read_products"}
    with after(minutes=60):
        assert await may(http, body["access_token"]) == 401
        graphql = await http.post(
            "/admin/api/2026-10/graphql.json",
            json={"query": "{shop{name}}"},
            headers={"X-Shopify-Access-Token": body["access_token"]},
        )
        assert graphql.status_code == 401


async def test_graphql_sees_only_what_the_token_may(http: httpx.AsyncClient) -> None:
    body = await installed(http)
    answer = await http.post(
        "/admin/api/2026-10/graphql.json",
        json={"query": "{products(first:1){nodes{id}} orders(first:1){nodes{id}}}"},
        headers={"X-Shopify-Access-Token": body["access_token"]},
    )
    assert answer.json()["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


async def refreshed(http: httpx.AsyncClient, refresh_token: str) -> httpx.Response:
    return await token(http, grant_type="refresh_token", refresh_token=refresh_token)


async def test_a_refresh_token_is_replaced_at_each_use(http: httpx.AsyncClient) -> None:
    first = await installed(http)
    second = (await refreshed(http, first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert await may(http, second["access_token"]) == {"read_products"}


async def test_a_refresh_token_is_good_again_until_its_replacement_was_used(http: httpx.AsyncClient) -> None:
    first = await installed(http)
    lost = (await refreshed(http, first["refresh_token"])).json()
    kept = (await refreshed(http, first["refresh_token"])).json()
    assert (await refreshed(http, kept["refresh_token"])).status_code == 200
    for worthless in (first, lost):
        again = await refreshed(http, worthless["refresh_token"])
        assert (again.status_code, again.json()["error"]) == (401, "invalid_request")
        assert again.json()["error_description"] == "This request requires an active refresh_token"


async def test_a_used_refresh_token_ends_thirty_days_after_its_first_use(http: httpx.AsyncClient) -> None:
    first = await installed(http)
    await refreshed(http, first["refresh_token"])
    with after(days=29):
        assert (await refreshed(http, first["refresh_token"])).status_code == 200
    with after(days=30):
        assert (await refreshed(http, first["refresh_token"])).status_code == 401


async def test_a_refresh_token_ends_after_ninety_days(http: httpx.AsyncClient) -> None:
    first = await installed(http)
    with after(days=90):
        assert (await refreshed(http, first["refresh_token"])).status_code == 401


async def test_client_credentials_give_a_token_without_a_refresh_token(http: httpx.AsyncClient) -> None:
    body = (await token(http, grant_type="client_credentials")).json()
    assert (body["expires_in"], "refresh_token" in body) == (86_399, False)
    assert "write_products" in await may(http, body["access_token"])  # type: ignore[operator]


async def session_token(http: httpx.AsyncClient, **asked: Any) -> str:
    return str((await http.post("/sandbox/oauth/session-token", json=asked)).json()["session_token"])


async def test_a_session_token_is_exchanged(http: httpx.AsyncClient) -> None:
    offline = (await token(http, **EXCHANGE, subject_token=await session_token(http), expiring="1")).json()
    assert "refresh_token" in offline
    online = await token(
        http,
        **{**EXCHANGE, "requested_token_type": "urn:shopify:params:oauth:token-type:online-access-token"},
        subject_token=await session_token(http),
    )
    assert online.json()["associated_user"]["id"] == 42


async def test_a_session_token_that_ended_is_refused(http: httpx.AsyncClient) -> None:
    old = await session_token(http)
    with after(minutes=2):
        answer = await token(http, **EXCHANGE, subject_token=old)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_subject_token")


@pytest.mark.parametrize("subject", ["", "a.b.c", "a", "ü.ü.ü"])
async def test_what_is_no_session_token_is_refused(http: httpx.AsyncClient, subject: str) -> None:
    assert (await token(http, **EXCHANGE, subject_token=subject)).status_code == 400


@pytest.mark.parametrize(
    ("given", "status", "error"),
    [
        ({"client_id": "nobody"}, 400, "application_cannot_be_found"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"code": "made-up"}, 400, "invalid_request"),
    ],
)
async def test_what_is_wrong_is_told_by_a_word(
    http: httpx.AsyncClient, given: dict[str, str], status: int, error: str
) -> None:
    answer = await token(http, **given)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_a_form_is_as_good_as_json(http: httpx.AsyncClient) -> None:
    answer = await http.post("/admin/oauth/access_token", data={**APP, "code": await code(http)})
    assert answer.status_code == 200


async def test_an_online_token_names_its_user(http: httpx.AsyncClient) -> None:
    body = await installed(http, **{"grant_options[]": "per-user"})
    assert (body["associated_user"]["account_owner"], body["associated_user_scope"]) == (True, "read_products")


async def test_uninstalling_ends_every_token(http: httpx.AsyncClient) -> None:
    body = await installed(http)
    assert (await http.post("/sandbox/uninstall")).json()["tokens"] == 1
    assert await may(http, body["access_token"]) == 401
    assert (await refreshed(http, body["refresh_token"])).status_code == 401
    assert await may(http, SandboxOptions().token) == 401
    assert await may(http, (await installed(http))["access_token"]) == {"read_products"}


async def test_scopes_that_the_merchant_takes_back_are_gone_from_tokens_in_use(http: httpx.AsyncClient) -> None:
    body = await installed(http, scope="read_products,write_orders")
    await http.post("/sandbox/oauth/scopes", json={"withheld": ["write_orders", "read_orders"]})
    assert await may(http, body["access_token"]) == {"read_products"}


async def test_another_app_has_secrets_and_tokens_of_its_own(http: httpx.AsyncClient) -> None:
    await http.post(
        "/sandbox/oauth/apps", json={"client_id": "another", "secrets": ["its-old-secret", "its-new-secret"]}
    )
    theirs = {"client_id": "another", "client_secret": "its-new-secret"}
    mine = (await installed(http))["access_token"]
    other = (await token(http, **theirs, code=await code(http, client_id="another"))).json()["access_token"]
    assert (await token(http, **theirs, code=await code(http))).status_code == 400
    await http.post("/sandbox/uninstall", json={"client_id": "another"})
    assert (await may(http, other), await may(http, mine)) == (401, {"read_products"})


async def test_grants_are_counted(http: httpx.AsyncClient) -> None:
    first = await installed(http)
    await refreshed(http, first["refresh_token"])
    await refreshed(http, "made-up")
    shown = (await http.get("/sandbox/oauth")).json()
    assert (shown["granted"], shown["refused"]) == ({"authorization_code": 1, "refresh_token": 1}, {"refresh_token": 1})


async def test_a_dropped_answer_has_used_the_refresh_token_all_the_same(http: httpx.AsyncClient) -> None:
    first = await installed(http)
    await http.post("/sandbox/faults", json={"faults": "drop_after=1@access_token"})
    with pytest.raises(httpx.TransportError):
        await refreshed(http, first["refresh_token"])
    assert (await http.get("/sandbox/oauth")).json()["granted"]["refresh_token"] == 1
    assert (await refreshed(http, first["refresh_token"])).status_code == 200
