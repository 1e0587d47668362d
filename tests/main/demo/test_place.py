from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncline.main.demo.place import (
    DemoRunsAlready,
    NotADemosFolder,
    empty_database,
    forget_settings,
    held_place,
)
from syncline.runtime.db.migrate import status
from syncline.runtime.db.settings import DatabaseSettings


def test_a_second_demo_beside_a_running_one_takes_the_next_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with held_place(None) as first, held_place(None) as second:
        assert (first.name, second.name) == (".syncline-demo", ".syncline-demo-2")
    with held_place(None) as again:
        assert again == first


def test_a_folder_that_is_asked_for_is_refused_while_a_demo_runs_in_it(tmp_path: Path) -> None:
    with (
        held_place(tmp_path / "mine"),
        pytest.raises(DemoRunsAlready, match="--data-dir"),
        held_place(tmp_path / "mine"),
    ):
        pass


def test_a_folder_with_other_things_in_it_is_never_taken(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(NotADemosFolder, match="no demo made"), held_place(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["postgres"]


def test_settings_of_the_shell_are_forgotten_but_for_the_logs_and_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SYNCLINE_DATABASE_URL", "SYNCLINE_LOG_LEVEL", "SYNCLINE_CACHE_DIR"):
        monkeypatch.setenv(name, "x")
    forget_settings()
    assert {name for name in os.environ if name.startswith("SYNCLINE_")} >= {"SYNCLINE_LOG_LEVEL", "SYNCLINE_CACHE_DIR"}
    assert "SYNCLINE_DATABASE_URL" not in os.environ


def test_a_database_is_emptied_whatever_made_it(database_settings: DatabaseSettings) -> None:
    from syncline.main.targets import migration_sources

    address = str(database_settings.admin_url)
    empty_database(address)
    assert all(branch.current is None for branch in status(address, migration_sources()))
