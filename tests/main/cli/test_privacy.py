from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from typer.testing import Result

Run = Callable[..., Result]
CARL = "carl@example.com"


def agree(run: Run) -> None:
    done = run("privacy", "consent", CARL, "newsletter", "--version", "1", "--method", "paper")
    assert (done.exit_code, done.stdout) == (0, "newsletter 1: given.\n")


def test_an_export_is_written_and_not_over_another_file(
    on_database: Run, tmp_path: Path, said: Callable[[Result], Any]
) -> None:
    agree(on_database)
    file = tmp_path / "carl.zip"
    told = said(on_database("privacy", "export", CARL, str(file), "--json"))
    assert told["counts"] == {"accounts": {"subject": 1, "consent": 1}}
    assert "accounts/consent.csv" in ZipFile(file).namelist()
    assert file.stat().st_mode & 0o077 == 0
    assert on_database("privacy", "export", CARL, str(file)).exit_code == 3


def test_an_erasure_is_shown_first_and_done_only_with_yes(on_database: Run, said: Callable[[Result], Any]) -> None:
    agree(on_database)
    planned = on_database("privacy", "erase", CARL)
    assert "--yes" in planned.stdout
    assert said(on_database("privacy", "erase", CARL, "--json"))["total"] == 1
    done = said(on_database("privacy", "erase", CARL, "--yes", "--json"))
    assert done["status"] == "completed"
    (listed,) = said(on_database("privacy", "erasures", CARL, "--json"))["erasures"]
    assert listed["id"] == done["id"]
    assert said(on_database("privacy", "choices", CARL, "--json"))["history"] == []


def test_the_trail_does_not_name_who_was_erased(on_database: Run) -> None:
    agree(on_database)
    on_database("privacy", "erase", CARL, "--yes")
    on_database("users", "invite", "dora@example.com")
    trail = on_database("audit", "list", "--json").stdout
    assert CARL not in trail
    assert "dora@example.com" not in trail
    assert "privacy erasure" in trail


def test_without_a_list_a_replay_says_so_and_with_it_nothing_is_done_twice(
    on_database: Run, said: Callable[[Result], Any]
) -> None:
    missing = on_database("privacy", "replay", "--json")
    assert (missing.exit_code, json.loads(missing.stdout)["code"]) == (2, "PRIV_008")
    agree(on_database)
    on_database("privacy", "erase", CARL, "--yes")
    assert said(on_database("privacy", "replay", "--json"))["done_before"] == 1


def test_sale_is_opted_out_of_and_back(on_database: Run, said: Callable[[Result], Any]) -> None:
    assert said(on_database("privacy", "do-not-sell", CARL, "--json"))["may_not_be_sold"] is True
    assert said(on_database("privacy", "do-not-sell", CARL, "--off", "--json"))["may_not_be_sold"] is False


def test_rules_are_counted_set_and_applied(on_database: Run, said: Callable[[Result], Any]) -> None:
    counted = said(on_database("privacy", "retention", "--dry-run", "--json"))
    assert counted["counts"]["commerce.pulls"] == 0
    assert said(on_database("privacy", "keep", "commerce.pulls", "--days", "90", "--json"))["days"] == 90
    assert said(on_database("privacy", "keep", "commerce.pulls", "--for-ever", "--json"))["days"] is None
    assert on_database("privacy", "retention").exit_code == 0
    assert on_database("privacy", "keep", "commerce.pulls").exit_code == 2
    assert on_database("privacy", "keep", "nothing", "--days", "9").exit_code == 1


def test_who_is_meant_is_told_apart_or_refused(on_database: Run) -> None:
    assert on_database("privacy", "erase", "demo/77").exit_code == 1  # no such store
    assert on_database("privacy", "erase", "somebody").exit_code == 2
