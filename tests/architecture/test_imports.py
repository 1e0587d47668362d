"""The import contracts hold, and each of them catches what it is there for: a violation of each is planted in a copy of
the tree in miniature."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / ".importlinter"

MINIATURE = {
    "kernel/errors.py": "import pydantic\n",
    "runtime/db/engine.py": "import sqlalchemy\nfrom syncline.kernel import errors\n",
    "runtime/bus/outbox.py": "",
    "runtime/http/auth.py": "import fastapi\n",
    "runtime/jobs/worker.py": "",
    "runtime/connect/client.py": "import httpx\n",
    "connectors/shopify/client.py": "from syncline.runtime.connect import client\n",
    "connectors/lemlist/client.py": "from syncline.runtime.connect import client\n",
    "sandbox/shopify/app.py": "from syncline.kernel import errors\n",
    "apps/accounts/contract.py": "from syncline.kernel import errors\n",
    "apps/accounts/repository.py": "from syncline.runtime.db import engine\n",
    "apps/accounts/service.py": "from syncline.apps.accounts import repository\n",
    "apps/accounts/endpoints.py": "from syncline.apps.accounts import service\n",
    "apps/commerce/contract.py": "",
    "apps/commerce/staging/repository.py": "",
    "apps/commerce/staging/endpoints.py": "",
    "apps/commerce/push.py": (
        "from syncline.apps.accounts.contract import errors\nfrom syncline.connectors.shopify import client\n"
    ),
    "main/compose.py": "from syncline.apps.accounts import service\nfrom syncline.sandbox.shopify import app\n",
}

# Contract's name begins with -> (file, the line that breaks it)
VIOLATIONS = {
    "Imports point one way": ("kernel/errors.py", "from syncline.runtime.db import engine"),
    "The sandbox knows": ("sandbox/shopify/app.py", "from syncline.connectors.shopify import client"),
    "Apps meet only": ("apps/commerce/push.py", "from syncline.apps.accounts import service"),
    "Connectors do not know each other": (
        "connectors/shopify/client.py",
        "from syncline.connectors.lemlist import client",
    ),
    "Connectors reach vendors": ("connectors/shopify/client.py", "import sqlalchemy"),
    "Contracts are plain": ("apps/accounts/contract.py", "import httpx"),
    "The kernel is free": ("kernel/errors.py", "import fastapi"),
    "Endpoints never see": (
        "apps/commerce/staging/endpoints.py",
        "from syncline.apps.commerce.staging import repository",
    ),
    "No cycles": ("apps/accounts/repository.py", "from syncline.apps.accounts import service"),
}


_LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def make_tree(root: Path, planted: dict[str, str]) -> Path:
    package = root / "syncline"
    for name, text in MINIATURE.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + planted.get(name, "") + "\n")
    for folder in [package, *(path for path in package.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    return root


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _LINT, "--config", str(CONFIG), "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_our_own_tree_keeps_every_contract() -> None:
    found = lint(ROOT / "src")
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_tree_that_follows_the_rules_passes(tmp_path: Path) -> None:
    found = lint(make_tree(tmp_path, {}))
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{len(VIOLATIONS)} kept, 0 broken" in found.stdout


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_each_contract_catches_its_violation(contract: str, tmp_path: Path) -> None:
    file, line = VIOLATIONS[contract]
    found = lint(make_tree(tmp_path, {file: line}))
    assert found.returncode == 1, found.stdout + found.stderr
    broken = [text for text in found.stdout.splitlines() if " BROKEN" in text]
    assert any(text.startswith(contract) for text in broken), found.stdout


def test_a_new_top_level_package_must_be_given_its_layer(tmp_path: Path) -> None:
    root = make_tree(tmp_path, {})
    (root / "syncline" / "shared").mkdir()
    (root / "syncline" / "shared" / "__init__.py").touch()
    found = lint(root)
    assert found.returncode == 1
    assert "syncline.shared" in found.stdout
