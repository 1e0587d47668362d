"""One row of cells as values: each cell read by its column, or named with what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from syncline.apps.commerce.field_text import parse_choice, parse_number, parse_value, shortened
from syncline.apps.commerce.fields import FIELDS, Field, Kind, Owner, Value, decimal_text, get_field
from syncline.apps.commerce.nearest import join_or
from syncline.apps.commerce.transfer.cells import holds_unkept, unmarked
from syncline.apps.commerce.transfer.formats import FileFormat
from syncline.apps.commerce.transfer.problems import Problem, Severity
from syncline.apps.commerce.transfer.sheet_columns import UNREAD, Column, Role

# `8.59E+11`: a spreadsheet has thrown digits away, and nothing can bring them back.
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?[eE]\+\d{1,3}")
_CELL_ERROR = re.compile(r"#(?:REF|N/A|NAME\?|VALUE|DIV/0|NUM|NULL|SPILL|CALC)!?")
_FORMULA = re.compile(r"""=\s*(?:["'(+-]|[A-Z_.]+\(|\$?[A-Z]{1,3}\$?\d+)""", re.IGNORECASE)
# Kinds whose cells repeat all over a sheet; what one text means is then looked up, not read again.
_REPEATING = {Kind.MONEY, Kind.INTEGER, Kind.BOOLEAN, Kind.CHOICE}
_REMEMBERED = 2_000
_SPREADSHEETS = {FileFormat.CSV, FileFormat.XLSX}


@dataclass(slots=True)
class SheetRow:
    """The cells of one row as values. Errors go to the list; `is_good` is false once one did. Option names and values
    stand by position and end with the last one given; a gap is an empty text. `part` is where in a nested record the
    row stands (`variants[2].`), empty for a row of a table."""

    number: int
    problems: list[Problem]
    part: str = ""
    handle: str = ""
    product: dict[str, Value] = field(default_factory=dict)
    variant: dict[str, Value] = field(default_factory=dict)
    option_names: tuple[str, ...] = ()
    option_values: tuple[str, ...] = ()
    grams: str | None = None
    location: str | None = None
    image: str | None = None
    image_alt: str | None = None
    command: str | None = None
    is_good: bool = True

    def wrong(self, title: str | None, value: str, reason: str) -> None:
        self.is_good = False
        column = title if title is None else f"{self.part}{title}"
        self.problems.append(Problem(self.number, column, shortened(value), reason))


class RowReader:
    """Reads the rows of one sheet."""

    def __init__(self, columns: Sequence[Column], currency: str, kind: FileFormat = FileFormat.CSV) -> None:
        self._width = len(columns)
        self._currency = currency
        self._kind = kind
        self._titles = {column.role: column.title for column in reversed(columns)}
        self._plan = [
            (column.index, self._reader_of(column), column) for column in columns if column.role not in UNREAD
        ]
        self._tracker_noted = False

    def title(self, role: Role) -> str | None:
        """What the sheet calls its first column of that role."""
        return self._titles.get(role)

    def field_title(self, name: str) -> str | None:
        return next((column.title for _, _, column in self._plan if column.target == name), None)

    def read(self, number: int, cells: list[str], problems: list[Problem], part: str = "") -> SheetRow:
        """A row that says nothing has no handle and is good."""
        row = SheetRow(number, problems, part)
        if len(cells) != self._width and not self._has_width(row, cells):
            return row
        # Text files are decoded, and a zero byte in one stops its reading.
        if self._kind is not FileFormat.CSV and holds_unkept("".join(cells)) and not self._keeps(row, cells):
            return row
        for index, read, column in self._plan:
            text = cells[index]
            if text and not text.isspace():
                read(row, column, text)
        if not row.handle and row.is_good:
            said = next((cell for cell in cells if cell and not cell.isspace()), None)
            if said is not None:
                reason = "The row has no handle, so nobody knows which product it is about; fill it in."
                row.wrong(self.title(Role.HANDLE), said, reason)
        return row

    def _keeps(self, row: SheetRow, cells: list[str]) -> bool:
        for index, _, column in self._plan:
            if holds_unkept(cells[index]):
                reason = "The text holds a zero byte or half a character, which cannot be kept; write it again."
                row.wrong(column.title, ascii(cells[index]), reason)
        return row.is_good

    def _has_width(self, row: SheetRow, cells: list[str]) -> bool:
        if not any(cells):
            return False
        if len(cells) < self._width:
            reason = f"The row has {len(cells)} cells, the header {self._width}; write the missing separators."
            row.wrong(None, cells[-1], reason)
            return False
        extra = next((cell for cell in cells[self._width :] if cell.strip()), None)
        if extra is not None:
            advice = "a text with a comma has to be in quotes"
            row.wrong(None, extra, f"The row has {len(cells)} cells, the header {self._width}; {advice}.")
        return extra is None

    def _reader_of(self, column: Column) -> Callable[[SheetRow, Column, str], None]:
        match column.role:
            case Role.HANDLE:
                return self._read_handle
            case Role.LOCATION:
                return _read_location
            case Role.OPTION_NAME:
                return _read_option_name
            case Role.OPTION_VALUE:
                return _read_option_value
            case Role.GRAMS:
                return _read_grams
            case Role.FIELD:
                return self._field_reader(FIELDS[str(column.target)])
            case Role.IMAGE:
                return _read_image
            case Role.IMAGE_ALT:
                return _read_image_alt
            case Role.COMMAND:
                return _read_command
            case Role.METAFIELD:
                return self._metafield_reader(str(column.target))
            case _:
                return _refuse_unnamed

    def _field_reader(self, target: Field) -> Callable[[SheetRow, Column, str], None]:
        known: dict[str, Value] = {}
        is_repeating = target.kind in _REPEATING and target.name != "tracked"
        is_product = target.owner is Owner.PRODUCT

        def read(row: SheetRow, column: Column, text: str) -> None:
            value = known.get(text)
            if value is None:
                try:
                    value = self._value(row, target, column, text)
                except ValueError as error:
                    row.wrong(column.title, text, f"{str(error).removesuffix('.')}.")
                    return
                if value is None:
                    return
                if is_repeating and len(known) < _REMEMBERED:
                    known[text] = value
            (row.product if is_product else row.variant)[target.name] = value

        return read

    def _metafield_reader(self, name: str) -> Callable[[SheetRow, Column, str], None]:
        """The text as it stands: what it means depends on the type that the metafield has in the store."""
        is_product = get_field(name).owner is Owner.PRODUCT_METAFIELD

        def read(row: SheetRow, column: Column, text: str) -> None:
            try:
                self._refuse_spoilt(text, is_code=False)
            except ValueError as error:
                row.wrong(column.title, text, f"{error}.")
                return
            (row.product if is_product else row.variant)[name] = text

        return read

    def _value(self, row: SheetRow, target: Field, column: Column, text: str) -> Value:
        if target.name == "tracked":
            self._refuse_spoilt(text, is_code=False)
            return self._tracked(row, column, text)
        return self.value_of(target, text)

    def value_of(self, target: Field, text: str) -> Value:
        """What a cell that is not blank says of any field but `tracked`. Raises `ValueError` with a sentence."""
        self._refuse_spoilt(text, is_code=target.name in {"sku", "barcode"})
        if target.name == "inventory_policy":
            return _policy(target, text)
        if target.kind in {Kind.TEXT, Kind.HTML}:
            parse_value(target, unmarked(text), self._currency)  # the matching knows whether the mark is the text's own
            return text
        if target.kind is Kind.TAGS and self._kind is FileFormat.CSV:
            return parse_value(target, unmarked(text), self._currency)
        return parse_value(target, text, self._currency)

    def _tracked(self, row: SheetRow, column: Column, text: str) -> bool | None:
        """Shopify's column names who counts the stock: Shopify itself is tracked; another service is left as the store
        has it, and that is said once. Ours says yes or no."""
        word = text.strip().lower()
        if word == "shopify":
            return True
        if word in {"true", "false"}:
            return word == "true"
        if not self._tracker_noted:
            self._tracker_noted = True
            reason = "Stock counted by others than Shopify cannot be imported; whether it is tracked stays as it is."
            row.problems.append(Problem(row.number, column.title, shortened(text), reason, Severity.NOTE))
        return None

    def _read_handle(self, row: SheetRow, column: Column, text: str) -> None:
        try:
            row.handle = self.handle_of(text)
        except ValueError as error:
            row.wrong(column.title, text, f"{error}.")

    def handle_of(self, text: str) -> str:
        """Shopify keeps handles in lower case, without blanks around them and without apostrophes. Raises `ValueError`
        for what a spreadsheet has spoilt."""
        self._refuse_spoilt(text, is_code=True)
        return unmarked(text.strip()).lower()

    def _refuse_spoilt(self, text: str, *, is_code: bool) -> None:
        """Raises `ValueError` for what a spreadsheet has done to a cell, when it shows. A workbook tells a formula from
        a text by itself, and JSON and Parquet have never been in a spreadsheet."""
        first = text[0]
        if self._kind is FileFormat.CSV and first == "=" and _FORMULA.match(text):
            msg = "The cell holds a formula; paste its value instead"
            raise ValueError(msg)
        if self._kind in _SPREADSHEETS and first == "#" and _CELL_ERROR.fullmatch(text.strip()):
            msg = "The cell holds a spreadsheet's error instead of a value; correct the formula behind it"
            raise ValueError(msg)
        if self._kind is FileFormat.CSV and is_code and "+" in text and _SCIENTIFIC.fullmatch(text.strip()):
            msg = (
                "A spreadsheet has shortened this number and lost digits; format the column as text and fill it in "
                "again"
            )
            raise ValueError(msg)


def _read_image(row: SheetRow, _column: Column, text: str) -> None:
    row.image = unmarked(text.strip())


def _read_image_alt(row: SheetRow, _column: Column, text: str) -> None:
    row.image_alt = unmarked(text)


COMMANDS = ("new", "merge", "update", "delete")


def _read_command(row: SheetRow, column: Column, text: str) -> None:
    word = text.strip().lower()
    if word in COMMANDS:
        row.command = word
    else:
        row.wrong(column.title, text, f"{shortened(text)!r} is no command; write {join_or(COMMANDS)}, or nothing.")


def _read_location(row: SheetRow, _column: Column, text: str) -> None:
    row.location = unmarked(text.strip())


def _read_grams(row: SheetRow, column: Column, text: str) -> None:
    try:
        row.grams = decimal_text(parse_number(text))
    except ValueError as error:
        row.wrong(column.title, text, f"{error}.")


def _read_option_name(row: SheetRow, column: Column, text: str) -> None:
    row.option_names = _placed(row.option_names, int(column.target), unmarked(text.strip()))


def _read_option_value(row: SheetRow, column: Column, text: str) -> None:
    row.option_values = _placed(row.option_values, int(column.target), text.strip())


def _placed(texts: tuple[str, ...], place: int, text: str) -> tuple[str, ...]:
    if len(texts) <= place:
        return (*texts, *("",) * (place - len(texts)), text)
    return (*texts[:place], text, *texts[place + 1 :])


def _refuse_unnamed(row: SheetRow, column: Column, text: str) -> None:
    row.wrong(None, text, f"The cell in column {column.index + 1} has no column name; name it or empty it.")


def _policy(target: Field, text: str) -> str:
    """`deny` or `continue`; the column renamed in 2025 asks a question, so yes and no are answers too."""
    answers = {"true": "continue", "yes": "continue", "false": "deny", "no": "deny"}
    return parse_choice(target, answers.get(text.strip().lower(), text))
