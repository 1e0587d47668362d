from __future__ import annotations

import json
from collections.abc import Callable

import psycopg
import pytest
from typer.testing import Result

from syncline.runtime.db.settings import DatabaseSettings

Run = Callable[..., Result]


def test_the_address_is_the_operators_and_opens(on_database: Run, database_settings: DatabaseSettings) -> None:
    on_database("db", "upgrade")
    address = on_database("db", "url").stdout.strip()
    assert address == database_settings.admin_url
    with psycopg.connect(address) as connection:
        # The search path finds every app's tables.
        assert connection.execute("SELECT count(*) FROM api_key").fetchone() == (0,)


def test_status_shows_each_branch(on_database: Run) -> None:
    done = on_database("db", "status", "--json")
    said = json.loads(done.stdout)
    assert done.exit_code == 0
    assert said["up_to_date"] is True
    assert {"runtime", "accounts", "commerce"} <= {branch["name"] for branch in said["branches"]}
    assert "accounts" in on_database("db", "status").stdout


def test_down_and_up_again(on_database: Run) -> None:
    undone = on_database("db", "downgrade", "accounts@base", "--yes", "--json")
    assert json.loads(undone.stdout)["rolled_back"][-1] == "accounts_0001"
    behind = on_database("db", "status", "--json")
    assert (behind.exit_code, json.loads(behind.stdout)["up_to_date"]) == (1, False)
    refused = on_database("keys", "list")
    assert refused.exit_code == 1
    assert "syncline db upgrade" in refused.stderr
    assert "accounts_0001" in json.loads(on_database("db", "upgrade", "--json").stdout)["applied"]
    assert "Nothing to do" in on_database("db", "upgrade").stdout


def test_undoing_asks_first(on_database: Run) -> None:
    done = on_database("db", "downgrade", "accounts@base", stdin="n\n")
    assert done.exit_code == 1
    assert json.loads(on_database("db", "status", "--json").stdout)["up_to_date"] is True


def test_a_migration_that_does_not_exist_is_exit_2(on_database: Run) -> None:
    assert on_database("db", "upgrade", "commerce_9999").exit_code == 2


def test_with_a_server_of_ones_own_there_are_no_programs_of_ours(on_database: Run) -> None:
    done = on_database("db", "bin")
    assert done.exit_code == 1
    assert "SYNCLINE_DATABASE_URL" in done.stderr


def test_an_unreachable_database_is_a_sentence_without_its_password(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/x")
    done = run("db", "status")
    assert done.exit_code == 1
    assert "cannot be reached" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr
