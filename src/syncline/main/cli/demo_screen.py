"""What the demo says as it goes: steps with a heading, tables, bars; and, when asked for, all of it once more as a
picture."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, RenderableType
from rich.progress import Progress as RichProgress
from rich.terminal_theme import MONOKAI
from rich.text import Text

from syncline.main.cli.console import console
from syncline.main.cli.progress import Progress, RichBars, columns, progress

PICTURE_WIDTH = 100
_PICTURE_FROM_STEP = 9
"""A picture is about one screen: the steps before this one are left out of it."""

# Web fonts and a remark with an address: a picture in a repository fetches nothing.
_OUTSIDE = re.compile(r"@font-face\s*\{.*?\}\s*|<!--.*?-->\s*", re.DOTALL)


class Screen:
    """`quiet` says nothing at all; `picture` keeps the later steps for an SVG."""

    def __init__(self, *, quiet: bool, picture: Path | None) -> None:
        self._quiet = quiet
        self._picture = picture
        self._steps = 0
        self._kept = Console(
            record=True,
            width=PICTURE_WIDTH,
            file=io.StringIO(),
            force_terminal=True,
            highlight=False,
            legacy_windows=False,
        )

    def step(self, title: str, why: str, *commands: str) -> None:
        """A heading, and the commands that do the same by hand."""
        self._steps += 1
        self.show(Text.assemble("\n", (f"{self._steps}  {title}", "bold cyan"), (f"   {why}", "dim")))
        for command in commands:
            self.show(Text.assemble(("   $ ", "dim"), command))

    def show(self, *parts: RenderableType) -> None:
        if self._quiet:
            return
        out = console()
        for part in parts:
            out.print(part)
            self._keep(part)

    def say(self, text: Text) -> None:
        """Lines to copy from: never cut, however narrow the terminal is. Not in the picture."""
        if not self._quiet:
            console().print(text, soft_wrap=True)

    @contextmanager
    def bars(self) -> Iterator[Progress]:
        if self._picture is None:
            with progress(quiet=self._quiet) as bars:
                yield bars
            return
        # A picture is of a terminal, whatever this runs in.
        with RichProgress(
            *columns(PICTURE_WIDTH), console=Console(stderr=True, width=PICTURE_WIDTH, force_terminal=True)
        ) as shown:
            yield RichBars(shown)
        self._keep(shown.get_renderable())

    def _keep(self, part: RenderableType) -> None:
        if self._steps >= _PICTURE_FROM_STEP:
            self._kept.print(part)

    def draw(self, title: str) -> None:
        """Write the picture, when one was asked for."""
        if self._picture is not None:
            drawn = self._kept.export_svg(title=title, theme=MONOKAI, unique_id="demo")
            self._picture.write_text(_OUTSIDE.sub("", drawn), encoding="utf-8")
