from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]


def test_a_pull_is_watched_from_its_beginning_to_its_end(pulled: Run, said: Said) -> None:
    run = said(pulled("pull", "demo", "--full", "--json"))
    room = f"pull:{run['id']}"
    seen = pulled("watch", room, "--after", "0", "--until-end", "--json")
    assert seen.exit_code == 0
    messages = [json.loads(line) for line in seen.stdout.splitlines()]
    types = [one["type"] for one in messages if one.get("room") == room]
    assert types[0] == "operation_start"
    assert "operation_complete" in types
    assert {one["room"] for one in messages if "room" in one} == {room}
    drawn = pulled("watch", room, "--after", "0", "--until-end").stdout
    assert "completed." in drawn
    assert "products" in drawn


@pytest.mark.process
def test_a_reader_who_has_left_ends_it(pulled: Run) -> None:
    command = [sys.executable, "-m", "syncline.main", "watch", "store:demo", "--after", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        watching.stdout.close()
        assert "Traceback" not in watching.stderr.read()
    assert watching.returncode == 0


@pytest.mark.parametrize("arguments", [("nowhere",), ("tenant", "--until-end"), ("store:demo", "--until-end")])
def test_what_cannot_be_watched_is_said(on_database: Run, arguments: tuple[str, ...]) -> None:
    assert on_database("watch", *arguments).exit_code == 2
