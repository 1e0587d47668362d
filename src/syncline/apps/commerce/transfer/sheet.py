"""A file of any format as one stream of rows with titles above them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from syncline.apps.commerce.transfer.formats import FileFormat
from syncline.apps.commerce.transfer.problems import Problem

Line = tuple[int, list[str], str]
"""The row's number, its cells, and where in a nested record it stands (empty in a table)."""


@dataclass(slots=True)
class Sheet:
    """`lines` may raise `SheetUnreadable`, and adds to `problems` what it meets on the way; whoever reads empties
    them. `position` is how many bytes of the file are behind the last line."""

    format: FileFormat
    titles: Sequence[str]
    lines: Iterator[Line]
    position: Callable[[], int]
    problems: list[Problem] = field(default_factory=list)


class SheetUnreadable(Exception):
    """Nothing more can be read; carries the problem to show."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


def unreadable(reason: str, *, row: int | None = None, column: str | None = None, value: str = "") -> SheetUnreadable:
    return SheetUnreadable(Problem(row, column, value, reason, stops=True))
