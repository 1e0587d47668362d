"""The sheet that comes back: as it was, with what is wrong in it marked.

A workbook has its bad cells coloured, each with a comment, and a column `Problem` behind; every other file becomes CSV
with that column. The cells are those of the file, so that mending them and importing the copy is enough: the column
`Problem` is known to the reader and passed over.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import xlsxwriter

from syncline.apps.commerce.sheet_contract import MarkedSheet
from syncline.apps.commerce.transfer.formats import FileFormat
from syncline.apps.commerce.transfer.problems import Problem, Severity
from syncline.apps.commerce.transfer.sheet import Sheet, SheetUnreadable
from syncline.apps.commerce.transfer.sheet_columns import PROBLEM_TITLE, plain

MOST_KEPT = 100_000
"""Errors that are marked; a sheet with more has the same one everywhere."""
_MOST_COMMENTS = 10_000
"""A workbook with more of them opens slowly; the column says the rest."""
_LONGEST_CELL = 32_767


@dataclass(slots=True)
class Found:
    """What was wrong, by row: the column's title, or None for the row as a whole, and the reason."""

    rows: dict[int, list[tuple[str | None, str]]] = field(default_factory=dict)
    errors: int = 0

    def clear(self) -> None:
        self.rows.clear()
        self.errors = 0

    def beyond(self, row: int) -> list[tuple[str | None, str]]:
        """What was wrong behind the last row that can be read: why there is no further one."""
        return [error for number, errors in self.rows.items() if number > row for error in errors]

    def add(self, problems: Sequence[Problem]) -> None:
        for problem in problems:
            if problem.severity is not Severity.ERROR:
                continue
            self.errors += 1
            if self.errors <= MOST_KEPT:
                self.rows.setdefault(problem.row or 1, []).append((problem.column, problem.reason))


def mark(sheet: Sheet, found: Found, out: BinaryIO) -> MarkedSheet:
    """`sheet` is read from its beginning."""
    if sheet.format is FileFormat.XLSX:
        with tempfile.TemporaryDirectory(prefix="syncline-workbook-") as folder:
            return _mark_workbook(sheet, found, out, folder)
    return _mark_text(sheet, found, out)


def _rows(sheet: Sheet) -> Iterator[tuple[int, Sequence[str]]]:
    """As far as they can be read; where they cannot, the reason stands among what was found."""
    try:
        for number, cells, _ in sheet.lines:
            yield number, cells
    except SheetUnreadable:
        return


def _said(errors: Sequence[tuple[str | None, str]]) -> str:
    return " ".join(reason if column is None else f"{column}: {reason}" for column, reason in errors)


def _mark_text(sheet: Sheet, found: Found, out: BinaryIO) -> MarkedSheet:
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*sheet.titles, _problem_title(sheet.titles)])
    rows = marked = 0
    last = 1
    if 1 in found.rows:
        writer.writerow([*([""] * len(sheet.titles)), _said(found.rows[1])])
        marked += 1
    for number, cells in _rows(sheet):
        errors = found.rows.get(number, ())
        filled = [*cells, *([""] * (len(sheet.titles) - len(cells)))]
        writer.writerow([*filled, _said(errors)])
        rows += 1
        last = number
        marked += bool(errors)
    beyond = found.beyond(last)
    if beyond:
        writer.writerow([*([""] * len(sheet.titles)), _said(beyond)])
        marked += 1
    text.flush()
    text.detach()
    return MarkedSheet(FileFormat.CSV.value, rows, marked, found.errors)


def _problem_title(titles: Sequence[str]) -> str:
    """Not twice: a copy may be marked again."""
    return PROBLEM_TITLE if plain(PROBLEM_TITLE) not in {plain(title) for title in titles} else f"{PROBLEM_TITLE} 2"


def _mark_workbook(sheet: Sheet, found: Found, out: BinaryIO, folder: str) -> MarkedSheet:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "tmpdir": folder}
    book = xlsxwriter.Workbook(out, options)
    page = book.add_worksheet("Sheet")
    page.freeze_panes(1, 0)
    page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    styles = {
        "title": book.add_format({"bold": True}),
        "text": book.add_format({"num_format": "@"}),
        "bad": book.add_format({"num_format": "@", "bg_color": "#F8CBAD"}),
    }
    pen = _Pen(page, styles)
    places: dict[str | None, int] = {}
    for place, title in enumerate(sheet.titles):
        places.setdefault(plain(title), place)
        page.write_string(0, place, title, styles["title"])
    last = len(sheet.titles)
    page.write_string(0, last, _problem_title(sheet.titles), styles["title"])
    rows = marked = 0
    if 1 in found.rows:
        pen.row(1, {}, last, found.rows[1], places)
        marked += 1
    shift = 1 if 1 in found.rows else 0
    reached = 1
    for number, cells in _rows(sheet):
        rows += 1
        errors = found.rows.get(number, ())
        pen.row(rows + shift, dict(enumerate(cells)), last, errors, places)
        reached = number
        marked += bool(errors)
    beyond = found.beyond(reached)
    if beyond:
        pen.row(rows + shift + 1, {}, last, beyond, places)
        marked += 1
    book.close()
    return MarkedSheet(FileFormat.XLSX.value, rows, marked, found.errors)


@dataclass(slots=True)
class _Pen:
    page: Any
    styles: Mapping[str, Any]
    comments: int = 0

    def row(
        self,
        at: int,
        cells: Mapping[int, str],
        last: int,
        errors: Sequence[tuple[str | None, str]],
        places: Mapping[str | None, int],
    ) -> None:
        bad: dict[int, list[str]] = {}
        for column, reason in errors:
            # A column may be named with where in a nested record it stands; then the row is marked as a whole.
            bad.setdefault(places.get(plain(column) if column else None, last), []).append(reason)
        for place in range(last):
            text = cells.get(place, "")
            if text or place in bad:
                style = self.styles["bad" if place in bad else "text"]
                self.page.write_string(at, place, text[:_LONGEST_CELL], style)
        if errors:
            self.page.write_string(at, last, _said(errors)[:_LONGEST_CELL], self.styles["bad"])
        for place, reasons in bad.items():
            if place != last and self.comments < _MOST_COMMENTS:
                self.comments += 1
                self.page.write_comment(at, place, " ".join(reasons))
