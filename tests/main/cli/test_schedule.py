from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]
NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"


@pytest.fixture
def weekly(connected: Run, said: Said) -> dict[str, Any]:
    done = connected(*("schedule", "add", "demo", "--cron", "0 3 * * 0", "--full", "--zone", "Europe/Berlin", "--json"))
    made: dict[str, Any] = said(done)
    return made


def test_add_list_pause_resume_remove(connected: Run, said: Said, weekly: dict[str, Any]) -> None:
    assert (weekly["action"], weekly["timing"], weekly["zone"]) == ("pull_full", "0 3 * * 0", "Europe/Berlin")
    assert connected("schedule", "add", "demo", "--every", "1h").exit_code == 0
    assert connected("schedule", "add", "demo", "--every", "1d", "--reconcile", "ids").exit_code == 0
    listed = connected("schedule", "list", "demo").stdout
    for words in ("pull --full", "0 3 * * 0 Europe/Berlin", "every 1h", "reconcile --depth ids"):
        assert words in listed
    assert "paused" in connected("schedule", "pause", weekly["id"]).stdout
    assert said(connected("schedule", "resume", weekly["id"], "--json"))["next_run_at"] == weekly["next_run_at"]
    assert said(connected("schedule", "remove", weekly["id"], "--json")) == {"removed": weekly["id"]}
    left = said(connected("schedule", "list", "--json"))["schedules"]
    assert sorted(one["action"] for one in left) == ["pull", "reconcile_ids"]


def test_run_now_pulls_and_proves_it(connected: Run, said: Said, weekly: dict[str, Any]) -> None:
    done = connected("schedule", "run-now", weekly["id"])
    assert done.exit_code == 0
    assert "Reconciliation by counts" in done.stdout
    (one,) = said(connected("schedule", "list", "--json"))["schedules"]
    assert (one["last_run"]["status"], one["next_run_at"]) == ("completed", weekly["next_run_at"])


def test_run_now_compares(pulled: Run, said: Said) -> None:
    made = said(pulled("schedule", "add", "demo", "--every", "1d", "--reconcile", "ids", "--json"))
    done = pulled("schedule", "run-now", made["id"])
    assert done.exit_code == 0
    assert "Reconciliation by ids" in done.stdout


def test_run_now_that_fails_is_exit_1(connected: Run, shop: Any, weekly: dict[str, Any]) -> None:
    shop.fail("token_revoked")
    done = connected("schedule", "run-now", weekly["id"])
    assert done.exit_code == 1
    assert "access token" in done.stdout


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("add", "demo"), 2, "--every 1h"),
    (("add", "demo", "--every", "1h", "--cron", "0 3 * * 0"), 2, "--every 1h"),
    (("add", "demo", "--every", "soon"), 2, "every 15m"),
    (("add", "demo", "--cron", "0 3 * *"), 2, "five fields"),
    (("add", "demo", "--every", "1h", "--zone", "Mars"), 2, "Europe/Berlin"),
    (("add", "demo", "--every", "1h", "--full", "--reconcile", "ids"), 2, "not both"),
    (("add", "demo", "--every", "1h", "--reconcile", "deeply"), 2, "counts, ids or content"),
    (("add", "nope", "--every", "1h"), 1, "syncline stores list"),
    (("list", "nope"), 1, "syncline stores list"),
    (("pause", NOWHERE), 1, "syncline schedule list"),
    (("remove", NOWHERE), 1, "syncline schedule list"),
    (("run-now", NOWHERE), 1, "syncline schedule list"),
    (("run-now", "weekly"), 2, "SCHEDULE"),
)


def test_what_cannot_be_asked(connected: Run) -> None:
    for arguments, code, sentence in REFUSED:
        done = connected("schedule", *arguments)
        assert (arguments, done.exit_code, done.stdout) == (arguments, code, "")
        assert sentence in done.stderr


def test_without_any_it_says_how_to_add_one(connected: Run) -> None:
    assert "syncline schedule add" in connected("schedule", "list").stdout
