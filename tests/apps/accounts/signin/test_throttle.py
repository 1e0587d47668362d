from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.accounts.signin.throttle import account_digest, address_group, wait_after

LONGEST = timedelta(minutes=15)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (14, 512), (15, 900), (999, 900)]
)
def test_each_failure_after_the_free_ones_doubles_the_wait_up_to_the_longest(failures: int, seconds: int) -> None:
    assert wait_after(failures, free=5, longest=LONGEST) == timedelta(seconds=seconds)


@given(st.integers(min_value=0, max_value=10**9), st.integers(min_value=1, max_value=50))
def test_more_failures_never_wait_less_and_never_more_than_the_longest(failures: int, free: int) -> None:
    wait = wait_after(failures, free=free, longest=LONGEST)
    assert wait <= wait_after(failures + 1, free=free, longest=LONGEST) <= LONGEST


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_customer_is_one_address(address: str, group: str) -> None:
    assert address_group(address) == group


def test_what_was_typed_as_an_e_mail_is_not_kept_in_clear() -> None:
    assert b"hunter2" not in account_digest("hunter2")
    assert len(account_digest("hunter2")) == 32
