from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

Run = Callable[..., Result]


def test_at_first_nothing_is_stopped(on_database: Run) -> None:
    assert "Nothing is stopped." in on_database("maintenance", "status").stdout


def test_commands_that_change_something_are_refused_under_maintenance_until_it_ends(on_database: Run) -> None:
    assert on_database("maintenance", "on", "--reason", "Back at noon").exit_code == 0
    refused = on_database("keys", "create")
    assert refused.exit_code == 1
    assert "Back at noon." in refused.stderr
    assert on_database("keys", "list").exit_code == 0
    assert on_database("maintenance", "off").exit_code == 0
    assert on_database("keys", "create").exit_code == 0


def test_a_paused_tenant_is_a_refusal_and_shown(on_database: Run) -> None:
    on_database("maintenance", "pause", "--reason", "Stocktaking")
    refused = on_database("keys", "create")
    assert refused.exit_code == 3
    assert "Stocktaking." in refused.stderr
    (pause,) = json.loads(on_database("maintenance", "status", "--json").stdout)["pauses"]
    assert (pause["store_id"], pause["reason"]) == (None, "Stocktaking.")
    assert "goes on" in on_database("maintenance", "resume").stdout
    assert "was not paused" in on_database("maintenance", "resume").stdout
    assert on_database("keys", "create").exit_code == 0


@pytest.mark.parametrize("arguments", [("pause", "--reason", " "), ("on", "--reason", "")])
def test_a_stop_without_a_reason_is_exit_2(on_database: Run, arguments: tuple[str, ...]) -> None:
    assert on_database("maintenance", *arguments).exit_code == 2


def test_an_unknown_store_is_said(on_database: Run) -> None:
    refused = on_database("maintenance", "pause", "--store", "nowhere", "--reason", "It moves")
    assert refused.exit_code == 1
    assert "No store is called nowhere" in refused.stderr


def test_stops_are_in_the_trail(on_database: Run) -> None:
    on_database("maintenance", "on", "--reading", "--reason", "An upgrade")
    on_database("maintenance", "off")
    entries = json.loads(on_database("audit", "list", "--json").stdout)["entries"]
    assert [one["action"] for one in entries] == ["syncline maintenance off", "syncline maintenance on"]
    assert entries[1]["details"] == {"reason": "An upgrade", "reading": True}
