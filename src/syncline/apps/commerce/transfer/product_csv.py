"""Reads a sheet as a stream: rows of one product together, every cell checked, everything wrong listed.

A blank cell means "leave it as it is". A row with an error is not read at all, its neighbours are. Rows of images are
passed over.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import BinaryIO

from syncline.apps.commerce.transfer.chunks import LINES, Chunk, ChunkReader, survey
from syncline.apps.commerce.transfer.mapping.words import renamed
from syncline.apps.commerce.transfer.opening import open_sheet
from syncline.apps.commerce.transfer.problems import Problem
from syncline.apps.commerce.transfer.product_rows import RowGrouper, SheetBatch
from syncline.apps.commerce.transfer.row_index import RowIndex
from syncline.apps.commerce.transfer.sheet import Sheet, SheetUnreadable
from syncline.apps.commerce.transfer.sheet_columns import Role, read_header
from syncline.apps.commerce.transfer.sheet_row import RowReader

MAX_ROWS = 5_000_000
_MANY_PROBLEMS = 500
_PLAIN_HANDLE = re.compile(r"[a-z0-9][a-z0-9_-]{0,254}")


class SheetReading:
    """One reading of a sheet from its beginning. Whoever iterates over `chunks` may leave out the products of which the
    mirror says the same, and `read`s the others; at the end `last` has what is left over.

    Nothing that is in the file raises, but for `HandlesReturn` (see `chunks`). `file` is binary and seekable.
    `metafields` are the fields of those that the store has: objects of JSON do not say beforehand which they name.
    `mapping` says what titles mean, see `mapping.words`.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        currency: str,
        encoding: str | None = None,
        ignore_unknown: bool = False,
        max_rows: int = MAX_ROWS,
        batch_products: int = 500,
        chunk_lines: int = LINES,
        metafields: Sequence[str] = (),
        mapping: Mapping[str, str] | None = None,
    ) -> None:
        file.seek(0)
        self._file = file
        self._max_rows = max_rows
        self._batch_products = batch_products
        self._chunk_lines = chunk_lines
        self._batch = SheetBatch()
        self._sheet: Sheet | None = None
        self._is_stopped = False
        try:
            self._sheet = open_sheet(file, encoding=encoding, ignore_unknown=ignore_unknown, metafields=metafields)
        except SheetUnreadable as error:
            self._stop(error.problem)
            return
        titles = self._sheet.titles
        read_as = renamed(titles, mapping) if mapping else None
        self.columns, problems = read_header(titles, ignore_unknown=ignore_unknown, read_as=read_as)
        self._batch.problems += [*self._sheet.problems, *problems]
        self._sheet.problems.clear()
        self._is_stopped = any(problem.stops for problem in problems)
        self.rows = RowReader(self.columns, currency, self._sheet.format)
        self._grouper = RowGrouper(self.rows)

    @property
    def is_stopped(self) -> bool:
        """Whether something was found after which nothing can be read."""
        return self._is_stopped

    def chunks(self, *, returning: RowIndex | None = None, settles: bool = True) -> Iterator[Chunk]:
        """Raises `HandlesReturn` at a handle that stood further up, unless it is told which ones do (see `survey`) or
        nothing is going to be settled."""
        if self._sheet is None or self._is_stopped:
            return iter(())
        return iter(
            ChunkReader(
                self._sheet,
                handle_at=self._handle_at(),
                handle_of=self._handle_of if settles else lambda _: None,
                max_rows=self._max_rows,
                chunk_lines=self._chunk_lines,
                returning=returning,
            )
        )

    def survey(self) -> RowIndex:
        """Reads the whole sheet for the handles that stand in several places of it."""
        if self._sheet is None or self._is_stopped:
            return RowIndex()
        return survey(self._sheet, handle_at=self._handle_at(), handle_of=self._handle_of)

    def read(self, chunk: Chunk, settled: Container[int] = ()) -> Iterator[SheetBatch]:
        """The products of `chunk` but for those whose number is `settled`, as batches; the last one stays open."""
        problems = deque(chunk.problems)
        for number, (begin, end) in enumerate(chunk.spans()):
            if number in settled:
                self._grouper.finish(self._batch)
                continue
            for place in range(begin, end):
                self._grouper.take(chunk.lines[place], self._batch)
                while problems and problems[0][0] <= place + 1:
                    self._batch.problems.append(problems.popleft()[1])
                if self._is_full():
                    yield self._taken(chunk)
        self._batch.problems += [problem for _, problem in problems]
        if chunk.end is not None:
            self._stop(chunk.end)
        self._batch.rows, self._batch.position = chunk.rows, chunk.position

    def last(self) -> SheetBatch:
        if not self._is_stopped:
            self._grouper.finish(self._batch)
            if not self._batch.rows:
                reason = "The sheet has a header and no rows; nothing to import."
                self._batch.problems.append(Problem(None, None, "", reason))
        if self._sheet is not None:
            self._batch.position = self._sheet.position()
        return self._batch

    def _is_full(self) -> bool:
        return len(self._batch.products) >= self._batch_products or len(self._batch.problems) >= _MANY_PROBLEMS

    def _taken(self, chunk: Chunk) -> SheetBatch:
        taken, self._batch = self._batch, SheetBatch(rows=chunk.rows, position=chunk.position)
        taken.rows, taken.position = chunk.rows, chunk.position
        return taken

    def _stop(self, problem: Problem) -> None:
        self._batch.problems.append(problem)
        self._is_stopped = True

    def _handle_at(self) -> int:
        return next(column.index for column in self.columns if column.role is Role.HANDLE)

    def _handle_of(self, text: str) -> str | None:
        if _PLAIN_HANDLE.fullmatch(text):
            return text
        if not text or text.isspace():
            return None
        try:
            return self.rows.handle_of(text)
        except ValueError:
            return None


def read_products(
    file: BinaryIO,
    *,
    currency: str,
    encoding: str | None = None,
    ignore_unknown: bool = False,
    max_rows: int = MAX_ROWS,
    batch_products: int = 500,
) -> Iterator[SheetBatch]:
    """Yields batches in the file's order until its end or the first problem that `stops`. Never raises for what is in
    the file. `file` is binary, seekable and at its beginning."""
    reading = SheetReading(
        file,
        currency=currency,
        encoding=encoding,
        ignore_unknown=ignore_unknown,
        max_rows=max_rows,
        batch_products=batch_products,
    )
    for chunk in reading.chunks(settles=False):
        yield from reading.read(chunk)
    yield reading.last()
