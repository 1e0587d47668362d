"""What a provider, or somebody between, may answer instead of the truth; and providers that do not answer."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from tests.apps.accounts.oidc.conftest import Crooked

from syncline.kernel import clock

Signed = dict[str, Any]
OTHER = RSAKey.generate_key(2048, {"kid": "one"})
NOW = clock.now().timestamp()


@pytest.fixture(autouse=True)
async def confirmed(client: httpx.AsyncClient, ada: Signed, mailbox: Any) -> Signed:
    await client.post("/api/auth/verify-email", json={"token": await mailbox.token("verify_email")})
    return ada


async def leave(client: httpx.AsyncClient) -> str:
    answer = await client.post("/api/auth/openid/start", json={"provider": "crooked"})
    assert answer.status_code == 200, answer.text
    url: str = answer.json()["authorization_url"]
    return url


async def come_back(client: httpx.AsyncClient, crooked: Crooked, **more: str) -> httpx.Response:
    return await client.get(crooked.lead_back(await leave(client), **more))


async def test_an_honest_answer_is_taken_so_that_the_refusals_below_mean_something(
    client: httpx.AsyncClient, crooked: Crooked
) -> None:
    back = await come_back(client, crooked)
    assert back.status_code == 303
    assert crooked.asked["tenant"] == "common"  # what stood in its address already is kept


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example.com"},
        {"iss": None},
        {"aud": "somebody-else"},
        {"aud": None},
        {"aud": ["syncline", "somebody-else"]},
        {"aud": ["syncline", "somebody-else"], "azp": "somebody-else"},
        {"azp": "somebody-else"},
        {"exp": NOW - 3600},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": float("nan")},
        {"iat": NOW + 86_400},
        {"iat": None},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
    ],
)
async def test_a_claim_that_is_not_ours_signs_nobody_in(
    client: httpx.AsyncClient, crooked: Crooked, claims: dict[str, Any]
) -> None:
    crooked.claims = claims
    back = await come_back(client, crooked)
    assert (back.status_code, back.json()["code"]) == (401, "OIDC_004")
    assert "set-cookie" not in back.headers


@pytest.mark.parametrize("claims", [{"aud": ["syncline"]}, {"aud": ["syncline", "other"], "azp": "syncline"}])
async def test_an_audience_may_be_a_list(client: httpx.AsyncClient, crooked: Crooked, claims: dict[str, Any]) -> None:
    crooked.claims = claims
    assert (await come_back(client, crooked)).status_code == 303


def unsigned(body: dict[str, Any]) -> str:
    return f"{part({'alg': 'none'})}.{part(body)}."


def of_another_key(body: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"}, body, OTHER, algorithms=["RS256"])


def part(body: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("sign", [unsigned, of_another_key, lambda _: "no token", lambda _: "a.b.c", lambda _: ""])
async def test_a_signature_that_is_not_the_providers_signs_nobody_in(
    client: httpx.AsyncClient, crooked: Crooked, sign: Callable[[dict[str, Any]], str]
) -> None:
    crooked.sign = sign
    assert (await come_back(client, crooked)).json()["code"] == "OIDC_004"


async def test_the_public_key_as_a_shared_secret_signs_nobody_in(client: httpx.AsyncClient, crooked: Crooked) -> None:
    def confused(body: dict[str, Any]) -> str:
        text = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(body)}"
        mac = hmac.digest(crooked.keys[0].as_pem(private=False), text.encode(), "sha256")
        return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    crooked.sign = confused
    assert (await come_back(client, crooked)).json()["code"] == "OIDC_004"


async def test_a_provider_may_change_its_keys_at_any_time(client: httpx.AsyncClient, crooked: Crooked) -> None:
    assert (await come_back(client, crooked)).status_code == 303
    crooked.keys = [*crooked.keys, RSAKey.generate_key(2048, {"kid": "two"})]
    # Looked for at most once a minute, so that made-up tokens do not become calls.
    assert (await come_back(client, crooked)).json()["code"] == "OIDC_004"
    with clock.frozen(clock.now().replace(year=clock.now().year + 1)):
        assert (await come_back(client, crooked)).status_code == 303
    assert crooked.calls.count("/keys") == 2


async def test_a_code_without_its_verifier_is_refused_by_an_honest_provider(
    client: httpx.AsyncClient, crooked: Crooked
) -> None:
    place = crooked.lead_back(await leave(client))
    crooked.asked["code_challenge"] = "of somebody else"
    back = await client.get(place)
    assert (back.status_code, back.json()["code"]) == (401, "OIDC_003")


@pytest.mark.parametrize(
    ("metadata", "back", "code"),
    [
        ({}, {"iss": "https://elsewhere.example.com"}, "OIDC_004"),
        ({"authorization_response_iss_parameter_supported": True}, {}, "OIDC_004"),
        ({}, {"code": "stolen"}, "OIDC_003"),
        ({}, {"error": "server_error"}, "OIDC_003"),
        ({}, {"error": "<script>alert(1)</script>"}, "OIDC_003"),
    ],
)
async def test_an_answer_that_is_not_the_providers_own_is_refused(
    client: httpx.AsyncClient, crooked: Crooked, metadata: dict[str, Any], back: dict[str, str], code: str
) -> None:
    crooked.metadata = metadata
    answer = await come_back(client, crooked, **back)
    assert answer.json()["code"] == code
    assert "<script>" not in answer.text


async def test_a_client_that_may_not_use_basic_sends_its_secret_in_the_form(
    client: httpx.AsyncClient, crooked: Crooked
) -> None:
    crooked.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert (await come_back(client, crooked, iss=crooked.issuer)).status_code == 303


async def test_the_userinfo_is_asked_where_the_token_has_no_e_mail(client: httpx.AsyncClient, crooked: Crooked) -> None:
    crooked.claims = {"email": None, "email_verified": None}
    crooked.userinfo = {"sub": "ada-there", "email": "ada@example.com", "email_verified": "true"}
    assert (await come_back(client, crooked)).status_code == 303


async def test_a_userinfo_of_somebody_else_signs_nobody_in(client: httpx.AsyncClient, crooked: Crooked) -> None:
    crooked.claims = {"email": None, "email_verified": None}
    crooked.userinfo = {"sub": "eve", "email": "ada@example.com", "email_verified": True}
    assert (await come_back(client, crooked)).json()["code"] == "OIDC_004"


def down() -> Response:
    return PlainTextResponse("gone", status_code=503)


def away() -> Response:
    return RedirectResponse("http://127.0.0.1:9/elsewhere")


def endless() -> Response:
    return PlainTextResponse("[" + " " * 2_000_000 + "]")


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (down, 503, "OIDC_002"),
        (away, 401, "OIDC_004"),
        (endless, 503, "OIDC_002"),
        (lambda: PlainTextResponse("<html>"), 401, "OIDC_004"),
        (lambda: JSONResponse(["no", "object"]), 401, "OIDC_004"),
    ],
)
@pytest.mark.parametrize("path", ["/token", "/keys"])
async def test_a_provider_that_answers_oddly_on_the_way_back_gets_a_sentence(
    client: httpx.AsyncClient, crooked: Crooked, path: str, answer: Callable[[], Response], status: int, code: str
) -> None:
    crooked.answers = {path: answer}
    back = await come_back(client, crooked)
    assert (back.status_code, back.json()["code"]) == (status, code)
    assert "The crooked one" in back.json()["error"]


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://elsewhere.example.com"},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "http://169.254.169.254/latest/meta-data"},
        {"jwks_uri": "http://keys.example.com/plain"},
    ],
)
async def test_a_discovery_document_that_leads_astray_is_not_followed(
    client: httpx.AsyncClient, crooked: Crooked, metadata: dict[str, Any]
) -> None:
    crooked.metadata = metadata
    answer = await client.post("/api/auth/openid/start", json={"provider": "crooked"})
    assert (answer.status_code, answer.json()["code"]) == (401, "OIDC_004")


async def test_a_provider_that_is_down_leaves_the_password(client: httpx.AsyncClient, crooked: Crooked) -> None:
    crooked.answers = {"/.well-known/openid-configuration": down}
    answer = await client.post("/api/auth/openid/start", json={"provider": "crooked"})
    assert (answer.status_code, answer.json()["code"]) == (503, "OIDC_002")
    assert "password" in answer.json()["error"]
    crooked.answers = {}
    assert (await come_back(client, crooked)).status_code == 303
