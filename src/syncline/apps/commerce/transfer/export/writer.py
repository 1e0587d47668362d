"""What every kind of file has in common when it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from syncline.apps.commerce.transfer.export.rows import Row


class TableWriter(Protocol):
    """Writes rows as they come. `left_out` counts, by column, the values that this kind of file cannot hold; their
    cells are empty, which on the way back means "leave it"."""

    left_out: Counter[str]

    def write(self, rows: Iterable[Row]) -> int:
        """How many rows that were. Raises `OSError` when the file takes no more."""
        ...

    def close(self) -> None:
        """The file is whole after this and not before."""
        ...
