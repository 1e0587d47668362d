"""What holds for every command."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from syncline import __version__
from syncline.main.cli.lazy import COMMANDS, load

HEAVY = ("fastapi", "sqlalchemy", "alembic", "httpx", "graphql", "pydantic", "uvicorn", "structlog")


def leaves(command: Any, *path: str) -> list[tuple[str, Any]]:
    """Every command that does something, with its full name."""
    inner = getattr(command, "commands", None)
    if inner is None:
        return [(" ".join(path), command)]
    return [found for name, one in inner.items() for found in leaves(one, *path, name)]


@pytest.fixture(scope="module")
def everything() -> list[tuple[str, Any]]:
    return [found for name in COMMANDS for found in leaves(load(name), name)]


def test_the_list_of_commands_imports_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv = ['syncline', '--help']\n"
        "from syncline.main.cli import run\n"
        "try: run()\n"
        f"except SystemExit: print([name for name in {HEAVY} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(name in done.stdout for name in COMMANDS)


def test_a_process_of_its_own_makes_no_routes_and_leaves_out_of_collections_what_it_loaded() -> None:
    program = (
        "import gc, sys; sys.argv = ['syncline', 'outreach', 'status', '--help']\n"
        "from syncline.main.cli import run\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 100_000, 'syncline.apps.outreach.web' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True True False"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_line_in_the_list_is_the_commands_own(name: str) -> None:
    command = load(name)
    assert str(command.help).strip().split("\n")[0].startswith(COMMANDS[name].help.removesuffix("."))


def test_every_command_has_examples_and_json(everything: list[tuple[str, Any]]) -> None:
    lacking = [
        name
        for name, command in everything
        if "Examples:" not in str(command.help)
        or f"syncline {name}" not in str(command.help)
        or not any("--json" in parameter.opts for parameter in command.params)
    ]
    assert lacking == []


def test_every_option_says_what_it_is_for(everything: list[tuple[str, Any]]) -> None:
    silent = [
        f"{name} {parameter.name}"
        for name, command in everything
        for parameter in command.params
        if not getattr(parameter, "help", None) and not getattr(parameter, "hidden", False)
    ]
    assert silent == []


def test_a_mistyped_command_is_corrected() -> None:
    done = subprocess.run([sys.executable, "-m", "syncline.main", "serv"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Did you mean 'serve'" in done.stderr


def test_the_version_is_printed_in_both_ways() -> None:
    for argument in ("version", "--version"):
        command = [sys.executable, "-m", "syncline.main", argument]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == f"syncline {__version__}\n"
