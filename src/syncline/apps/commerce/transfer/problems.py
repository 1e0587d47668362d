"""What is wrong in a sheet, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error's row is not read; a note tells what was understood or left out."""

    ERROR = "error"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """`row` counts records as a spreadsheet does, the header is row 1; None for the file as a whole. `value` is what
    was found, shortened to one line. With `stops` nothing after it could be read and nothing before it may be
    trusted."""

    row: int | None
    column: str | None
    value: str
    reason: str
    severity: Severity = Severity.ERROR
    stops: bool = False
