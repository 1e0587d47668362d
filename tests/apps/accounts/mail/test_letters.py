from __future__ import annotations

from datetime import timedelta

import pytest

from syncline.apps.accounts.mail import letters


def test_a_link_holds_its_token_behind_the_hash_so_that_no_log_does() -> None:
    letter = letters.reset(
        name="Ada", address="https://syncline.test/", token="slo_secret", good_for=timedelta(hours=1)
    )
    assert "https://syncline.test/account/reset-password#token=slo_secret\n" in letter.text
    assert "for 1 hour." in letter.text
    assert "slo_secret" not in repr(letter)


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(days=7), "7 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=90), "90 minutes"),
    ],
)
def test_a_span_is_told_as_people_say_it(span: timedelta, told: str) -> None:
    assert letters._told(span) == told


def test_a_name_cannot_break_the_subject_into_headers() -> None:
    letter = letters.invitation(
        tenant="Summer\r\nBcc: all@example.com",
        inviter="Ada",
        role="editor",
        address="https://syncline.test",
        token="t",
        good_for=timedelta(days=7),
    )
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
