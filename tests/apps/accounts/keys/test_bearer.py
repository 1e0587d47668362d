from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.accounts.keys.bearer import new_bearer, parse_bearer
from syncline.kernel.tenant import TenantId
from syncline.runtime.observe.redaction import redact_text

TENANT = TenantId(UUID("019a2b3c-4d5e-7f60-8123-456789abcdef"))


@given(st.uuids())
def test_a_key_says_its_tenant_and_comes_back_whole(tenant: UUID) -> None:
    made = new_bearer(TenantId(tenant))
    assert parse_bearer(made.text) == made
    assert made.text.startswith(f"sl_{tenant.hex}_")
    assert len(made.secret) == 43


def test_two_keys_are_never_alike() -> None:
    assert len({new_bearer(TENANT).secret for _ in range(1_000)}) == 1_000


def test_a_key_matches_its_own_digest_only() -> None:
    one, two = new_bearer(TENANT), new_bearer(TENANT)
    assert one.matches(one.digest)
    assert not one.matches(two.digest)


def test_the_secret_is_neither_in_the_repr_nor_in_a_redacted_log_line() -> None:
    made = new_bearer(TENANT)
    assert made.secret not in repr(made)
    assert made.secret not in redact_text(f"refused {made.text}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "invalid_key",
        "sl_",
        f"sl_{TENANT.hex}_short",
        f"sl_{TENANT.hex.upper()}_{'a' * 43}",
        f"sl_{TENANT.hex[:-1]}_{'a' * 43}",
        f"sl_{TENANT.hex}_{'a' * 43}\n",
        f" sl_{TENANT.hex}_{'a' * 43}",
        f"sl_{TENANT.hex}_{'a' * 42}'",
        f"sl_{TENANT.hex}_{'a' * 129}",
    ],
)
def test_what_is_not_of_our_form_is_no_key(text: str) -> None:
    assert parse_bearer(text) is None
