"""The trail on the command line, and that commands leave their entries in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import Result

from syncline.main.cli.lazy import COMMANDS, load
from syncline.main.cli.written import ENDS_A_STOP, READS_PEOPLE, WRITES
from syncline.runtime.db.settings import DatabaseSettings

Run = Callable[..., Result]

LOOKS = {
    "audit export",
    "audit list",
    "audit verify",
    "db bin",
    "db downgrade",
    "conflicts rules",
    "conflicts show",
    "batch history",
    "batch preview",
    "batch results",
    "batch status",
    "db status",
    "db upgrade",
    "db url",
    "dead-letters list",
    "dead-letters show",
    "demo",
    "doctor",
    "export",
    "keys list",
    "webhooks events",
    "webhooks list",
    "webhooks stats",
    "limits list",
    "maintenance status",
    "notify list",
    "notify receipts",
    "outreach connections",
    "outreach history",
    "outreach jobs status",
    "outreach namespaces list",
    "outreach namespaces show",
    "outreach namespaces stats",
    "outreach namespaces test-match",
    "outreach status",
    "outreach webhooks list",
    "oidc list",
    "oidc test",
    "review count",
    "review list",
    "review notes",
    "review selection",
    "review show",
    "sandbox outreach",
    "sandbox shopify",
    "sandbox slack",
    "schedule list",
    "serve",
    "sheet template",
    "sheet columns",
    "sheet mappings",
    "stores app show",
    "stores list",
    "stores scopes",
    "sync status",
    "users list",
    "users outbox",
    "verify",
    "version",
    "watch",
}
"""Change nothing of a tenant's, or (the database, the demo) what holds the trail itself."""


def names(command: Any, *path: str) -> list[str]:
    inner = getattr(command, "commands", None)
    return [" ".join(path)] if inner is None else [found for one in inner for found in names(inner[one], *path, one)]


def test_every_command_either_leaves_an_entry_or_is_known_to_change_nothing() -> None:
    every = {found for name in COMMANDS for found in names(load(name), name)}
    assert every - LOOKS - WRITES - ENDS_A_STOP - READS_PEOPLE == set()


def trail(run: Run, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("audit", "list", "--json", *arguments).stdout)["entries"]
    return found


def test_a_command_that_changes_something_leaves_an_entry_without_secrets(on_database: Run) -> None:
    on_database("keys", "create", "--role", "viewer", "--name", "nightly")
    on_database("keys", "list")
    (entry,) = trail(on_database)
    assert (entry["action"], entry["outcome"]) == ("syncline keys create", "done")
    assert entry["details"]["role"] == "viewer"
    assert "command line" in entry["actor"]


def test_a_command_that_failed_is_there_with_its_code(on_database: Run) -> None:
    refused = on_database("stores", "test", "nowhere")
    assert refused.exit_code != 0
    (entry,) = trail(on_database)
    assert (entry["action"], entry["outcome"] != "done") == ("syncline stores test", True)


def test_a_secret_on_the_command_line_is_not_in_the_trail(on_database: Run) -> None:
    on_database("stores", "add", "summer", "--domain", "not a domain", "--token", "hunter2hunter2")
    (entry,) = trail(on_database)
    assert "hunter2" not in json.dumps(entry)
    assert entry["details"]["domain"] == "not a domain"


def test_a_whole_trail_is_verified_and_its_end_printed_for_keeping(on_database: Run) -> None:
    on_database("keys", "create")
    done = on_database("audit", "verify")
    assert done.exit_code == 0
    assert "The trail is whole: 1 entries." in done.stdout
    end = json.loads(on_database("audit", "verify", "--json").stdout)["end"]
    assert on_database("audit", "verify", "--expect", end).exit_code == 0
    other = on_database("audit", "verify", "--expect", f"1:{'0' * 64}")
    assert (other.exit_code, other.stdout.strip()) == (1, "Entry 1 was changed.")


@pytest.mark.parametrize("expect", ["1", "1:zz", "one:00", ":"])
def test_an_end_that_makes_no_sense_is_exit_2(on_database: Run, expect: str) -> None:
    assert on_database("audit", "verify", "--expect", expect).exit_code == 2


def test_an_entry_that_was_removed_is_named_and_exit_1(on_database: Run, database_settings: DatabaseSettings) -> None:
    for _ in range(3):
        on_database("keys", "create")
    with psycopg.connect(str(database_settings.admin_url), autocommit=True) as operator:
        operator.execute("SET session_replication_role = replica")
        operator.execute("DELETE FROM audit.entry WHERE number = 2")
    found = on_database("audit", "verify")
    assert (found.exit_code, found.stdout.strip()) == (1, "Entry 2 was removed.")


def test_the_trail_is_exported_by_the_files_ending_and_nothing_is_overwritten(on_database: Run, tmp_path: Path) -> None:
    on_database("keys", "create", "--name", "ü")
    lines, sheet = tmp_path / "trail.jsonl", tmp_path / "trail.csv"
    assert on_database("audit", "export", str(lines)).exit_code == 0
    assert json.loads(lines.read_text())["action"] == "syncline keys create"
    on_database("audit", "export", str(sheet))
    assert sheet.read_text().splitlines()[0].startswith("number,at,actor,")
    assert on_database("audit", "export", str(sheet)).exit_code == 3
    shown = on_database("audit", "export", "-", "--format", "jsonl")
    assert json.loads(shown.stdout.splitlines()[0])["details"]["name"] == "ü"


def test_an_empty_trail_says_so(on_database: Run) -> None:
    assert "Nothing was recorded" in on_database("audit", "list").stdout
    assert "nothing was recorded yet" in on_database("audit", "verify").stdout
