"""The storm of the bench, as small as it still kills a worker and restarts the database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.process
def test_a_storm_loses_nothing_and_doubles_nothing() -> None:
    size = ["--events", "400", "--products", "60", "--kills", "1", "--restarts", "1"]
    ended = subprocess.run(
        [sys.executable, "-m", "bench.webhook_storm", *size],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "| store and mirror agree | yes |" in ended.stdout
    assert "| workers killed | 1 |" in ended.stdout
    assert "| database restarts | 1 |" in ended.stdout
