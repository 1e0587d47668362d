from __future__ import annotations

import json
import re
from collections.abc import Callable

from typer.testing import Result

Run = Callable[..., Result]


def test_without_people_the_list_says_how_to_invite_one(on_database: Run) -> None:
    assert "syncline users invite" in on_database("users", "list").stdout


def test_somebody_is_invited_and_the_token_is_alone_on_its_line(on_database: Run) -> None:
    done = on_database("users", "invite", "ada@example.com", "--role", "owner")
    assert done.exit_code == 0
    assert re.fullmatch(r"sli_[0-9a-f]{32}_[A-Za-z0-9_-]{43}\n", done.stdout)
    assert "good once" in done.stderr
    listed = json.loads(on_database("users", "list", "--json").stdout)
    assert [(one["email"], one["role"]) for one in listed["invitations"]] == [("ada@example.com", "owner")]
    assert listed["members"] == []
    assert "ada@example.com" in on_database("users", "list").stdout


def test_the_outbox_shows_what_no_server_took(on_database: Run) -> None:
    assert "No mails" in on_database("users", "outbox").stdout
    token = on_database("users", "invite", "ada@example.com").stdout.strip()
    shown = on_database("users", "outbox").stdout
    assert "ada@example.com" in shown
    assert token in shown.replace("\n", "")
    (kept,) = json.loads(on_database("users", "outbox", "--json").stdout)["mails"]
    assert (kept["kind"], kept["sent_at"]) == ("invitation", None)


def test_a_role_that_is_none_is_exit_2(on_database: Run) -> None:
    done = on_database("users", "invite", "ada@example.com", "--role", "service", "--json")
    assert (done.exit_code, json.loads(done.stdout)["code"]) == (2, "KEYS_002")


def test_an_address_that_is_none_is_exit_2(on_database: Run) -> None:
    assert on_database("users", "invite", "ada").exit_code == 2


def test_nobody_by_that_address_is_exit_1_and_named(on_database: Run) -> None:
    for arguments in (
        ("role", "eve@example.com", "viewer"),
        ("remove", "eve@example.com"),
        ("reset-password", "eve@example.com"),
    ):
        done = on_database("users", *arguments)
        assert done.exit_code == 1
        assert "eve@example.com" in done.stderr
