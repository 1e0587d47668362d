from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.accounts.opaque import new_token, parse_token
from syncline.runtime.observe.redaction import redact_text

OWNER = UUID("019a2b3c-4d5e-7f60-8123-456789abcdef")
KINDS = ("slr", "slo", "slc", "sli")


@given(st.sampled_from(KINDS), st.uuids())
def test_a_token_says_its_owner_and_comes_back_whole(kind: str, owner: UUID) -> None:
    made = new_token(kind, owner)
    assert parse_token(kind, made.text) == made
    assert len(made.digest) == 32


@given(st.sampled_from(KINDS), st.sampled_from(KINDS), st.uuids())
def test_a_token_of_one_kind_is_none_of_another(kind: str, wanted: str, owner: UUID) -> None:
    made = new_token(kind, owner)
    assert (parse_token(wanted, made.text) is not None) == (kind == wanted)


def test_the_digest_is_of_kind_and_owner_too() -> None:
    made = new_token("slr", OWNER)
    assert len({made.digest, *(type(made)(kind, OWNER, made.secret).digest for kind in KINDS)}) == len(KINDS)
    assert type(made)("slr", UUID(int=1), made.secret).digest != made.digest


def test_two_tokens_are_never_alike() -> None:
    assert len({new_token("slr", OWNER).secret for _ in range(1_000)}) == 1_000


def test_the_secret_is_neither_in_the_repr_nor_in_a_redacted_log_line() -> None:
    made = new_token("slr", OWNER)
    assert made.secret not in repr(made)
    assert made.secret not in redact_text(f"refused {made.text}")


@pytest.mark.parametrize(
    "text", ["", "slr_", f"slr_{OWNER.hex}_short", f"slr_{OWNER.hex}_{'a' * 43}\n", f"slr_{OWNER.hex}_{'a' * 44}"]
)
def test_what_is_not_of_our_form_is_no_token(text: str) -> None:
    assert parse_token("slr", text) is None
