"""The repository, as the tests of this folder look at it."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def files() -> list[str]:
    """What git tracks and what it would track, from the root; not what it ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sorted(name for name in set(listed.split("\0")) if name and (ROOT / name).is_file())


@pytest.fixture(scope="session")
def texts(files: list[str]) -> dict[str, str]:
    """Path -> content, of the files that are text."""
    raw = {name: (ROOT / name).read_bytes() for name in files}
    return {name: content.decode("utf-8") for name, content in raw.items() if b"\0" not in content}


@pytest.fixture(scope="session")
def project() -> dict[str, Any]:
    """The `[project]` table of pyproject.toml."""
    loaded: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return loaded


@pytest.fixture(scope="session")
def app_folders() -> list[Path]:
    apps = ROOT / "src" / "syncline" / "apps"
    return sorted(path for path in apps.iterdir() if (path / "__init__.py").is_file())
