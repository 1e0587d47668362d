from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
import structlog
from typer.testing import CliRunner, Result

from syncline.main.cli import app
from syncline.runtime.db.settings import DatabaseSettings


class Run(Protocol):
    def __call__(self, *arguments: str, stdin: str | None = None) -> Result: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """Runs a command in this process, with no settings but its own."""
    for name in list(os.environ):
        if name.startswith("SYNCLINE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SYNCLINE_DATA_DIR", str(tmp_path))
    root = logging.getLogger()
    before, level = root.handlers[:], root.level

    def call(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)

    yield call
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def on_database(run: Run, monkeypatch: pytest.MonkeyPatch, database_settings: DatabaseSettings) -> Run:
    """The same, on a migrated database of the test run's server."""
    monkeypatch.setenv("SYNCLINE_DATABASE_URL", str(database_settings.url))
    monkeypatch.setenv("SYNCLINE_DATABASE_ADMIN_URL", str(database_settings.admin_url))
    return run
