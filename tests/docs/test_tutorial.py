"""The tutorial, command by command, on a real sandbox and a database of its own.

In a fenced `console` block a line `$ …` is a command, and the lines below it are what it prints. In those `…` stands
for any text, and alone on a line for any lines. Runs of blanks, blank lines and the rules of tables do not count.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_END = re.compile(r"__end (\d+)\n")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_BLOCK = re.compile(r"^```console(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
_ANY = "…"


@dataclass
class Step:
    """One command. `is_left_running` in a block for a second terminal."""

    command: str
    is_left_running: bool
    shown: list[str] = field(default_factory=list)


def steps_of(guide: str) -> Iterator[Step]:
    for block in _BLOCK.finditer(guide):
        step: Step | None = None
        for line in block["body"].splitlines():
            if line.startswith("$ "):
                if step is not None:
                    yield step
                step = Step(line.removeprefix("$ "), is_left_running="second terminal" in block["info"])
            else:
                assert step is not None, f"a console block begins with a command, not with {line!r}"
                step.shown.append(line)
        assert step is not None, "a console block is empty"
        yield step


def plain_lines(lines: Sequence[str]) -> list[str]:
    made = [" ".join(line.split()) for line in lines]
    return [line for line in made if line and not set(line) <= {"─", " "}]


def matches(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether the printed lines are those that a guide shows."""
    return re.fullmatch(_pattern(shown), "\n".join([*plain_lines(printed), ""])) is not None


def _pattern(shown: Sequence[str]) -> str:
    return "".join("(?:[^\n]*\n)*" if line == _ANY else _line_pattern(line) + "\n" for line in plain_lines(shown))


def _line_pattern(line: str) -> str:
    """Any text for `…`, any id for an id."""
    parts = re.split(f"({_ANY}|{ID.pattern})", line)
    return "".join(
        "[^\n]*?" if part == _ANY else ID.pattern if ID.fullmatch(part) else re.escape(part) for part in parts
    )


def ids_by_place(shown: Sequence[str], printed: Sequence[str]) -> dict[str, str]:
    """For each id in a guide the one that was printed in its place: lines with the same words around it."""
    found: dict[str, str] = {}
    for line in plain_lines(shown):
        named = ID.search(line)
        if named is None:
            continue
        for candidate in plain_lines(printed):
            real = ID.search(candidate)
            if real is not None and re.fullmatch(_line_pattern(line), candidate):
                found[named[0]] = real[0]
    return found


@contextmanager
def terminal(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A shell with the command in its path and no setting of ours."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SYNCLINE_")}
    with (folder / "stderr").open("ab") as besides:
        process = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env=clean | {"PATH": f"{Path(sys.executable).parent}:{clean['PATH']}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=besides,
            text=True,
            start_new_session=True,
        )
    with process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def type_in(shell: subprocess.Popen[str], command: str) -> None:
    assert shell.stdin is not None
    shell.stdin.write(f"{command}\n")
    shell.stdin.flush()


def run(shell: subprocess.Popen[str], command: str) -> list[str]:
    """What the command printed. Its exit code is `$?` for the next, as at a prompt."""
    assert shell.stdout is not None
    type_in(shell, f"{command}\n_code=$?; echo __end $_code; (exit $_code)")
    lines: list[str] = []
    for line in shell.stdout:
        if _END.fullmatch(line):
            return lines
        lines.append(line)
    raise AssertionError(f"the shell ended at: {command}")


def leave_running(stack: ExitStack, folder: Path, step: Step) -> list[str]:
    """Starts the command in a terminal of its own; the lines it shows, which are waited for."""
    shell = stack.enter_context(terminal(folder))
    type_in(shell, step.command)
    assert shell.stdout is not None
    return [shell.stdout.readline() for _ in step.shown]


def with_real_ids(command: str, ids: Mapping[str, str]) -> str:
    return ID.sub(lambda found: ids[found[0]], command)


def said_besides(folder: Path) -> str:
    return (folder / "stderr").read_text()[-3000:]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.process
@pytest.mark.timeout(600)
def test_every_command_of_the_tutorial_prints_what_the_page_shows(root: Path, tmp_path: Path) -> None:
    guide = (root / "docs/tutorial/first-store.md").read_text().replace("8090", str(free_port()))
    ids: dict[str, str] = {}
    with ExitStack() as stack:
        shell = stack.enter_context(terminal(tmp_path))
        for step in steps_of(guide):
            command = with_real_ids(step.command, ids)
            printed = leave_running(stack, tmp_path, step) if step.is_left_running else run(shell, command)
            assert matches(step.shown, printed), f"$ {command}\n{''.join(printed)}\n{said_besides(tmp_path)}"
            ids |= ids_by_place(step.shown, printed)


SHOWN = [" batch   changes ", "…", " 01a2019a-73c1-70c9-83d1-c253fadb67bd   8 pending", "took … s"]


def test_a_page_matches_whatever_the_ids_the_times_and_the_lines_left_out() -> None:
    printed = ["batch changes\n", "───── ───\n", "\n", "x\n", "01a20193-4e72-70e7-a846-5fae67bee546  8 pending\n"]
    assert matches(SHOWN, [*printed, "took 0.3 s\n"])
    assert ids_by_place(SHOWN, printed) == {
        "01a2019a-73c1-70c9-83d1-c253fadb67bd": "01a20193-4e72-70e7-a846-5fae67bee546"
    }


@pytest.mark.parametrize(
    "printed",
    [
        ["batch changes", "01a20193-4e72-70e7-a846-5fae67bee546 9 pending", "took 0.3 s"],
        ["batch changes", "no-id 8 pending", "took 0.3 s"],
        ["batch changes", "01a20193-4e72-70e7-a846-5fae67bee546 8 pending"],
        ["batch changes", "01a20193-4e72-70e7-a846-5fae67bee546 8 pending", "took 0.3 s", "and more"],
        [],
    ],
)
def test_a_page_does_not_match_other_words_or_other_lines(printed: list[str]) -> None:
    assert not matches(SHOWN, printed)
