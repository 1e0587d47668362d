from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.accounts.totp.codes import (
    STEP_SECONDS,
    code_at,
    matching_step,
    new_recovery_codes,
    new_secret,
    otpauth_uri,
    recovery_digest,
    shown,
    step_of,
)

RFC_SECRET = b"12345678901234567890"
RFC_4226 = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
ADA, EVE = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    step = step_of(datetime.fromtimestamp(seconds, UTC))
    assert code_at(RFC_SECRET, step, digits=8) == code
    assert code_at(RFC_SECRET, step) == code[-6:]


@pytest.mark.parametrize(
    ("count", "code"),
    list(
        enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"])
    ),
)
def test_the_codes_are_those_of_rfc_4226_appendix_d(count: int, code: str) -> None:
    assert code_at(RFC_SECRET, count) == code


@given(st.binary(min_size=20, max_size=20), st.integers(min_value=10, max_value=2**32), st.integers(-3, 3))
def test_a_code_is_right_for_its_own_step_and_the_ones_beside_it(secret: bytes, step: int, away: int) -> None:
    moment = datetime.fromtimestamp(step * STEP_SECONDS, UTC)
    found = matching_step(secret, code_at(secret, step + away), moment, after=None)
    near = {code_at(secret, step + one) for one in (-1, 0, 1)}
    assert (found is not None) == (code_at(secret, step + away) in near)


def test_a_used_code_and_an_earlier_one_are_wrong() -> None:
    moment = datetime(2026, 11, 22, 12, tzinfo=UTC)
    step = step_of(moment)
    assert matching_step(RFC_SECRET, code_at(RFC_SECRET, step), moment, after=step - 1) == step
    assert matching_step(RFC_SECRET, code_at(RFC_SECRET, step), moment, after=step) is None
    assert matching_step(RFC_SECRET, code_at(RFC_SECRET, step - 1), moment, after=step) is None
    later = moment + timedelta(seconds=STEP_SECONDS)
    assert matching_step(RFC_SECRET, code_at(RFC_SECRET, step + 1), later, after=step) == step + 1


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "12 34 5", "-12345", "+12345"])
def test_what_is_no_code_is_wrong(typed: str) -> None:
    assert matching_step(RFC_SECRET, typed, datetime(2026, 11, 22, tzinfo=UTC), after=None) is None


def test_blanks_that_apps_show_are_no_matter() -> None:
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    code = code_at(RFC_SECRET, step_of(moment))
    assert matching_step(RFC_SECRET, f" {code[:3]} {code[3:]}", moment, after=None) is not None


def test_the_address_for_the_picture_holds_the_secret() -> None:
    secret = new_secret()
    uri = urlsplit(otpauth_uri(secret, email="ada+shop@example.com", issuer="Sync line"))
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Sync%20line:ada%2Bshop%40example.com")
    assert parse_qs(uri.query)["secret"] == [shown(secret)]
    assert len(secret) == 20


def test_recovery_codes_are_many_and_none_is_like_another() -> None:
    made = [code for _ in range(50) for code in new_recovery_codes()]
    assert len(set(made)) == 500
    assert {len(code) for code in made} == {19}


@given(st.sampled_from(new_recovery_codes()), st.sampled_from(["", " ", "-"]))
def test_a_recovery_code_is_read_however_it_is_typed_and_is_its_owners(code: str, between: str) -> None:
    typed = between.join(code.replace("-", "")).upper()
    assert recovery_digest(ADA, typed) == recovery_digest(ADA, code)
    assert recovery_digest(ADA, code) != recovery_digest(EVE, code)


@pytest.mark.parametrize("typed", ["", "123456", "aaaa-bbbb-cccc", "aaaa-bbbb-cccc-ddd!", "aaaa-bbbb-cccc-ddd0"])
def test_what_is_no_recovery_code_is_none(typed: str) -> None:
    assert recovery_digest(ADA, typed) is None
