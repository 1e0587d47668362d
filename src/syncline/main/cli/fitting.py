"""Output that fits the terminal it is shown on."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement


class Fitting:
    """The first of `choices` that fits the width, widest first; the last one where none does."""

    def __init__(self, *choices: RenderableType) -> None:
        self._choices = choices

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.update(width=10_000)
        fitting = (one for one in self._choices if Measurement.get(console, wide, one).maximum <= options.max_width)
        yield next(fitting, self._choices[-1])

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._choices[0])
