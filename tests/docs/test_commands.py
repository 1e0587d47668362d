"""Every command that a guide names exists, with the options it is given."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncline.main.cli.lazy import COMMANDS, load

_FENCED = re.compile(r"^ *```(sh|console)[^\n]*\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_PROMPT = {"sh": "", "console": "$ "}
_INLINE = re.compile(r"`(syncline [^`]+)`")
_ROOT = Path(__file__).parents[2]
GUIDES = [_ROOT / name for name in ("README.md", "CONTRIBUTING.md")] + sorted((_ROOT / "docs").rglob("*.md"))


def commands_of(text: str) -> Iterator[str]:
    """Lines of code blocks and pieces of code in a sentence that begin with the command."""
    for language, block in _FENCED.findall(text):
        prompt = _PROMPT[language]
        lines = [line.strip() for line in block.splitlines()]
        yield from (line.removeprefix(prompt) for line in lines if line.startswith(f"{prompt}syncline "))
    yield from _INLINE.findall(" ".join(_FENCED.sub("", text).split()))


def trouble_with(line: str) -> str | None:
    """What the command does not have."""
    words = shlex.split(re.split(r"[<>|;&…]", line)[0], comments=True)[1:]
    if words and words[0].startswith("-"):
        return None
    if not words or words[0] not in COMMANDS:
        return f"no command {words[:1]}"
    command: Any = load(words[0])
    rest = words[1:]
    while (inner := getattr(command, "commands", None)) is not None and rest and not rest[0].startswith("-"):
        if rest[0] not in inner:
            return f"no command {rest[0]}"
        command, rest = inner[rest[0]], rest[1:]
    known = {
        "--help",
        "-h",
        *(name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)),
    }
    unknown = [word for word in rest if word.startswith("--") and word.split("=")[0] not in known]
    return f"no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: str(guide.relative_to(_ROOT)))
def test_every_command_in_a_guide_exists(guide: Path) -> None:
    found = {line: trouble_with(line) for line in commands_of(guide.read_text())}
    assert {line: trouble for line, trouble in found.items() if trouble is not None} == {}


@pytest.mark.parametrize(
    "line",
    ["syncline pul demo", "syncline review accept", "syncline pull demo --fully", "syncline stores add x --base-url y"],
)
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    assert trouble_with(line) is not None
