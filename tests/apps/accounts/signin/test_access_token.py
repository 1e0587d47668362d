from __future__ import annotations

import base64
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OKPKey

from syncline.apps.accounts.signin.access_token import Claims, key_id_of, looks_like_jwt, read_token, write_token
from syncline.kernel import clock
from syncline.kernel.tenant import TenantId

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = OKPKey.generate_key("Ed25519", {"kid": "k1"})
OTHER = OKPKey.generate_key("Ed25519", {"kid": "k1"})
SOME = Claims(UUID(int=1), TenantId(UUID(int=2)), UUID(int=3), ("pwd", "otp"), NOON + timedelta(minutes=10))


def write(claims: Claims = SOME, key: OKPKey = KEY, issuer: str = "us") -> str:
    with clock.frozen(NOON):
        return write_token(claims, key=key, issuer=issuer)


def read(text: str, at: datetime = NOON) -> Claims | None:
    with clock.frozen(at):
        return read_token(text, find_key={"k1": KEY}.get, issuer="us")


def signed(header: dict[str, object], **changes: object) -> str:
    body = {"iss": "us", "aud": "syncline", "sub": str(UUID(int=1)), "tid": str(UUID(int=2)), "sid": str(UUID(int=3))}
    moments = {"amr": ["pwd"], "iat": NOON.timestamp(), "exp": NOON.timestamp() + 600}
    whole = {name: value for name, value in {**body, **moments, **changes}.items() if value is not None}
    return jwt.encode({"alg": "Ed25519", "kid": "k1", "typ": "at+jwt", **header}, whole, KEY, algorithms=["Ed25519"])


@given(st.uuids(), st.uuids(), st.uuids(), st.lists(st.sampled_from(["pwd", "otp", "oidc"]), max_size=3))
def test_what_was_written_is_read(user: UUID, tenant: UUID, session: UUID, methods: list[str]) -> None:
    claims = Claims(user, TenantId(tenant), session, tuple(methods), NOON + timedelta(minutes=10))
    text = write(claims)
    assert looks_like_jwt(text)
    assert read(text) == claims


def test_a_token_is_good_until_the_moment_it_expires() -> None:
    text = write()
    assert read(text, NOON + timedelta(minutes=10) - timedelta(seconds=1)) == SOME
    assert read(text, NOON + timedelta(minutes=10)) is None


def test_a_token_of_another_key_or_issuer_is_none() -> None:
    assert read(write(key=OTHER)) is None
    assert read(write(issuer="them")) is None


def test_a_token_under_the_newer_name_of_the_algorithm_is_as_good() -> None:
    assert json.loads(base64.urlsafe_b64decode(write().partition(".")[0] + "==")) == {
        "alg": "EdDSA",
        "kid": "k1",
        "typ": "at+jwt",
    }
    assert read(signed({"alg": "Ed25519"})) == replace(SOME, methods=("pwd",))


def test_a_key_of_another_curve_signs_nothing_of_ours() -> None:
    raw = Ed448PrivateKey.generate()
    pem = raw.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    other = OKPKey.import_key(pem, {"kid": "k1"})
    header, body, _ = signed({}).split(".")
    signature = raw.sign(f"{header}.{body}".encode())
    forged = f"{header}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    with clock.frozen(NOON):
        assert read_token(forged, find_key={"k1": other}.get, issuer="us") is None


def test_a_key_nobody_knows_is_none() -> None:
    assert read(write(key=OKPKey.generate_key("Ed25519", {"kid": "k2"}))) is None


def test_our_own_making_is_taken_so_that_the_refusals_below_mean_something() -> None:
    assert read(signed({})) == replace(SOME, methods=("pwd",))


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"typ": None}, {"kid": "k2"}, {"kid": None}, {"kid": 7}])
def test_a_header_that_is_not_ours_is_none(header: dict[str, object]) -> None:
    plain = {name: value for name, value in {"alg": "Ed25519", "kid": "k1", "typ": "at+jwt", **header}.items() if value}
    parts = signed({}).split(".")
    forged = base64.urlsafe_b64encode(json.dumps(plain).encode()).rstrip(b"=").decode()
    assert read(".".join([forged, *parts[1:]])) is None


@pytest.mark.parametrize(
    "change",
    [
        {"iss": None},
        {"aud": "elsewhere"},
        {"aud": ["syncline", "elsewhere"]},
        {"sub": "ada"},
        {"sub": None},
        {"tid": 7},
        {"sid": None},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": 1e300},
        {"exp": True},
        {"iat": NOON.timestamp() + 3600},
        {"amr": 7},
    ],
)
def test_a_claim_that_is_missing_or_wrong_is_none(change: dict[str, object]) -> None:
    assert read(signed({}, **change)) is None


def test_no_algorithm_and_another_algorithm_are_none() -> None:
    header, body, _ = signed({}).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","kid":"k1","typ":"at+jwt"}').rstrip(b"=").decode()
    assert read(f"{none}.{body}.") is None
    assert read(f"{header}.{body}.") is None
    # The public key as a shared secret: the classic confusion.
    hs256 = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1","typ":"at+jwt"}').rstrip(b"=").decode()
    mac = hmac.digest(KEY.as_pem(private=False), f"{hs256}.{body}".encode(), "sha256")
    assert read(f"{hs256}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}") is None


@given(st.text(max_size=200))
def test_no_text_is_more_than_none(text: str) -> None:
    assert read(text) is None
    assert key_id_of(text) is None


@given(st.integers(min_value=0), st.sampled_from("Aa0-_."))
def test_a_token_with_one_character_changed_is_none_or_the_same(position: int, character: str) -> None:
    text = write()
    at = position % len(text)
    # The last character of a part has bits that mean nothing, so another one may be the same token.
    assert read(text[:at] + character + text[at + 1 :]) in {None, SOME}


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=9
    )
)
def test_a_body_that_is_no_object_is_none(body: object) -> None:
    header = base64.urlsafe_b64encode(b'{"alg":"Ed25519","kid":"k1","typ":"at+jwt"}').rstrip(b"=")
    payload = base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=")
    assert read((header + b"." + payload + b".AAAA").decode()) is None
