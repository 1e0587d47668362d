"""A page's session token: Shopify's word only when the app's secret signed it, for this app, and now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from syncline.connectors.shopify.oauth import NotBelieved
from syncline.connectors.shopify.session_token import read_session_token
from syncline.kernel import clock
from syncline.sandbox.shopify import session_tokens

SECRET = "shpss_a_secret_of_an_app"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def made(secret: str = SECRET, **changes: Any) -> str:
    moment = int(NOW.timestamp())
    claims = {
        "iss": "https://acme.myshopify.com/admin",
        "dest": "https://acme.myshopify.com",
        "aud": "the-app",
        "sub": "42",
        "exp": moment + 60,
        "nbf": moment,
        "iat": moment,
    }
    return jwt.encode({"alg": "HS256"}, {**claims, **changes}, OctKey.import_key(secret))


def read(text: str, *, secrets: tuple[str, ...] = (SECRET,), later: int = 0) -> Any:
    return read_session_token(text, client_id="the-app", secrets=secrets, now=NOW + timedelta(seconds=later))


def test_it_tells_the_shop_and_who_looks() -> None:
    found = read(made())
    assert (found.shop_domain, found.user_id) == ("acme.myshopify.com", "42")


def test_what_the_sandbox_signs_is_believed() -> None:
    with clock.frozen(NOW):
        text = session_tokens.make(shop_domain="acme.myshopify.com", client_id="the-app", secret=SECRET)
    assert read(text).shop_domain == "acme.myshopify.com"


def test_ten_seconds_of_clocks_that_differ_are_allowed_and_no_more() -> None:
    read(made(), later=69)
    read(made(), later=-9)
    for later in (70, -10):
        with pytest.raises(NotBelieved):
            read(made(), later=later)


def test_the_secret_before_the_rotation_is_good_too() -> None:
    assert read(made(), secrets=("shpss_a_newer_secret", SECRET)).user_id == "42"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-app"},
        {"aud": None},
        {"dest": "https://evil.example"},
        {"dest": "http://acme.myshopify.com"},
        {"dest": "https://[bad"},
        {"iss": "https://other.myshopify.com/admin"},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": True},
    ],
)
def test_a_token_for_something_else_is_not_believed(changes: dict[str, Any]) -> None:
    with pytest.raises(NotBelieved):
        read(made(**changes))


@pytest.mark.parametrize("text", ["", "a.b.c", "a" * 100_000, made(secret="another-secret-of-somebody"), made()[:-4]])
def test_what_another_signed_or_nobody_is_not_believed(text: str) -> None:
    with pytest.raises(NotBelieved):
        read(text)


def test_a_token_that_says_it_needs_no_signature_is_not_believed() -> None:
    with pytest.raises(NotBelieved):
        read("eyJhbGciOiJub25lIn0." + made().split(".")[1] + ".")
