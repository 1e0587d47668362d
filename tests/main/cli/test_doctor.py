from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]


def findings(done: Result) -> dict[str, Any]:
    return {one["what"]: one for one in json.loads(done.stdout)["findings"]}


def test_a_working_installation_is_exit_0(on_database: Run) -> None:
    done = on_database("doctor", "--json")
    assert done.exit_code == 0
    found = findings(done)
    assert found["database"]["verdict"] == "good"
    assert found["database"]["found"].startswith("PostgreSQL ")
    assert {"Python", "platform", "data directory", "disk", "memory", "secret key", "port", "sandbox"} <= set(found)


def test_a_database_that_is_behind_is_exit_1_and_says_what_to_run(on_database: Run) -> None:
    on_database("db", "downgrade", "accounts@base", "--yes")
    done = on_database("doctor", "--json")
    assert done.exit_code == 1
    assert findings(done)["database"]["advice"] == "Run: syncline db upgrade"


def test_an_unreachable_database_is_found_and_not_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_DATABASE_URL", "postgresql://me@127.0.0.1:1/x")
    done = run("doctor", "--json")
    assert done.exit_code == 1
    assert findings(done)["database"]["verdict"] == "bad"


def test_a_full_disk_and_a_readable_key_are_found(
    on_database: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 1))
    (tmp_path / "secret.keys").write_text("x")
    (tmp_path / "secret.keys").chmod(0o644)
    found = findings(on_database("doctor", "--json"))
    assert found["disk"]["verdict"] == "bad"
    assert "chmod 600" in found["secret key"]["advice"]


def test_people_get_a_table(on_database: Run) -> None:
    done = on_database("doctor")
    assert "what to do" in done.stdout
    assert "✓" in done.stdout
