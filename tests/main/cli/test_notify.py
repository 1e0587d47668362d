from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]


def test_add_list_change_test_and_remove(on_database: Run, said: Said) -> None:
    made = said(on_database("notify", "add", "ops", "email", "ops@example.com", "--only-failures", "--json"))
    assert (made["channel"]["only_failures"], made["secret"]) == (True, None)
    assert "ops@example.com" in on_database("notify", "list").stdout
    assert said(on_database("notify", "change", "ops", "--everything", "--json"))["only_failures"] is False
    told = on_database("notify", "test", "ops")
    assert told.exit_code == 0
    assert "SYNCLINE_SMTP_URL" in told.stdout
    assert "A trial of the channel ops" in on_database("notify", "receipts", "ops", "--status", "kept").stdout
    assert "Nothing that was told matches." in on_database("notify", "receipts", "ops", "--status", "failed").stdout
    assert said(on_database("notify", "remove", "ops", "--json")) == {"removed": "ops"}
    assert "Nobody is told" in on_database("notify", "list").stdout


def test_the_secret_of_a_webhook_is_shown_once_and_a_trial_that_fails_is_exit_1(on_database: Run) -> None:
    # Nobody listens there, and it leads inside besides.
    made = on_database("notify", "add", "pager", "webhook", "https://localhost:9/x")
    assert "whsec_" in made.stdout
    assert "whsec_" not in on_database("notify", "list").stdout
    assert on_database("notify", "test", "pager").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "ops", "email", "nowhere"), 2),
        (("add", "ops", "slack", "https://example.com/x"), 2),
        (("add", "ops", "email", "a@example.com", "--of", "dance"), 2),
        (("test", "nobody"), 1),
        (("remove", "nobody"), 1),
        (("receipts", "nobody"), 1),
    ],
)
def test_what_is_not_right_is_said(on_database: Run, arguments: tuple[str, ...], code: int) -> None:
    assert on_database("notify", *arguments).exit_code == code
