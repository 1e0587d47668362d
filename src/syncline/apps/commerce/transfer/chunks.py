"""Cuts a sheet into chunks of whole products, so that one question to the database settles most of a chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

from syncline.apps.commerce.transfer.problems import Problem
from syncline.apps.commerce.transfer.row_index import RowIndex
from syncline.apps.commerce.transfer.sheet import Line, Sheet, SheetUnreadable, unreadable

LINES = 2_048
_BYTES = 1 << 19
_ASKED_EACH = 256

HandleReader = Callable[[str], str | None]
"""A cell as the handle of a product; None when it is none."""


class HandlesReturn(Exception):
    """A handle stands in two places of the sheet, and what the first one says was perhaps passed over already."""


@dataclass(slots=True)
class Chunk:
    """Lines that follow each other, blank ones left out. `starts` says where in `lines` the products begin; `handles`
    has for each of them its handle, or None when its rows are to be read whatever the mirror says. `rows` and
    `position` are how much of the file was read by then. `problems` were met on the way, each when so many lines had
    come, and `end` is why nothing more can be read."""

    lines: list[Line]
    starts: list[int]
    handles: list[str | None] = field(default_factory=list)
    rows: int = 0
    position: int = 0
    problems: list[tuple[int, Problem]] = field(default_factory=list)
    end: Problem | None = None

    def spans(self) -> Iterator[tuple[int, int]]:
        """Where each product's lines begin and end."""
        return pairwise([*self.starts, len(self.lines)])


class ChunkReader:
    """Iterates over the chunks of one sheet. `returning` holds the handles that stand in several places, as `survey`
    finds them; without it the first handle that returns raises `HandlesReturn`."""

    def __init__(
        self,
        sheet: Sheet,
        *,
        handle_at: int,
        handle_of: HandleReader,
        max_rows: int,
        chunk_lines: int = LINES,
        returning: RowIndex | None = None,
    ) -> None:
        self._sheet = sheet
        self._handle_at = handle_at
        self._handle_of = handle_of
        self._max_rows = max_rows
        self._lines = chunk_lines
        self._returning = returning
        self._seen = RowIndex()
        self._kept: list[Line] = []
        self._problems: list[tuple[int, Problem]] = []
        self._cut: str | None = None
        self._rows = self._last = 0
        self._end: Problem | None = None
        self._ended = False

    def __iter__(self) -> Iterator[Chunk]:
        while not self._ended:
            yield self._chunk()

    def _chunk(self) -> Chunk:
        lines, self._kept = self._kept, []
        self._fill(lines)
        cells = [line[1][self._handle_at] if self._handle_at < len(line[1]) else "" for line in lines]
        chunk = Chunk(lines, _starts(cells), end=self._end)
        chunk.rows, chunk.position = self._rows, self._sheet.position()
        chunk.problems, self._problems = self._problems, []
        if not self._ended and len(chunk.starts) > 1:
            self._keep_last(chunk)
        self._read_handles(chunk, [cells[start] for start in chunk.starts])
        return chunk

    def _keep_last(self, chunk: Chunk) -> None:
        """Nobody knows yet where the last product ends."""
        start = chunk.starts.pop()
        self._kept = chunk.lines[start:]
        del chunk.lines[start:]
        self._problems = [(met - start, problem) for met, problem in chunk.problems if met > start]
        chunk.problems = [(met, problem) for met, problem in chunk.problems if met <= start]

    def _fill(self, lines: list[Line]) -> None:
        begun = self._sheet.position()
        try:
            while len(lines) < self._lines and self._sheet.position() - begun < _BYTES:
                if not self._fill_some(lines):
                    self._ended = True
                    break
        except SheetUnreadable as error:
            self._end = error.problem
            self._ended = True
        self._meet(len(lines))

    def _fill_some(self, lines: list[Line]) -> bool:
        """Whether there was any line left."""
        problems, last, rows = self._sheet.problems, self._last, self._rows
        line = None
        try:
            for line in islice(self._sheet.lines, min(_ASKED_EACH, self._lines)):
                if line[0] != last:
                    last = line[0]
                    rows += 1
                    if rows > self._max_rows:
                        break
                if any(line[1]):
                    lines.append(line)
                if problems:
                    self._meet(len(lines))
        finally:
            self._last, self._rows = last, rows
        if rows > self._max_rows:
            raise unreadable(f"The sheet has more than {self._max_rows:,} rows; cut it into several files.", row=last)
        return line is not None

    def _meet(self, met: int) -> None:
        self._problems += [(met, problem) for problem in self._sheet.problems]
        self._sheet.problems.clear()

    def _read_handles(self, chunk: Chunk, cells: Sequence[str]) -> None:
        """One product that fills a chunk may go on in the next: then neither part is settled here."""
        goes_on = self._cut is not None and list(cells[:1]) == [self._cut]
        chunk.handles = [
            None if goes_on and place == 0 else self._new(self._handle_of(cell)) for place, cell in enumerate(cells)
        ]
        self._cut = None
        if not self._ended and len(cells) == 1:
            chunk.handles[0] = None
            self._cut = cells[0]

    def _new(self, handle: str | None) -> str | None:
        if handle is None:
            return None
        key = _key(handle)
        if self._returning is not None and key in self._returning:
            return None
        if self._seen.put(key, 1) is not None:
            raise HandlesReturn
        return handle


def survey(sheet: Sheet, *, handle_at: int, handle_of: HandleReader) -> RowIndex:
    """The handles that stand in several places of the sheet, as far as it can be read."""
    seen, returning = RowIndex(), RowIndex()
    last: str | None = None
    try:
        for line in sheet.lines:
            cell = line[1][handle_at] if handle_at < len(line[1]) else ""
            if cell == last or not any(line[1]):
                continue
            last = cell
            handle = handle_of(cell)
            if handle is not None and seen.put(_key(handle), 1) is not None:
                returning.put(_key(handle), 1)
    except SheetUnreadable:
        pass
    return returning


def _starts(cells: Sequence[str]) -> list[int]:
    return [0, *(place for place, (one, other) in enumerate(pairwise(cells), 1) if one != other)] if cells else []


def _key(handle: str) -> int:
    """Two handles with the same key are taken for one that returns, which costs time and changes nothing."""
    return hash(handle) & 0xFFFFFFFFFFFFFFFF or 1
