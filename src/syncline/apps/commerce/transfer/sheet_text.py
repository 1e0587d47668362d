"""From the bytes of a sheet to its rows of cells: encoding, delimiter, quotes. Streams; holds one row at a time."""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from syncline.apps.commerce.field_text import shortened
from syncline.apps.commerce.transfer.formats import FileFormat
from syncline.apps.commerce.transfer.problems import Problem, Severity
from syncline.apps.commerce.transfer.sheet import Line, Sheet, SheetUnreadable, unreadable
from syncline.apps.commerce.transfer.sheet_columns import known_count

MAX_CELL = 1 << 20
"""Characters in one cell. Shopify keeps descriptions of up to 512 KiB; more is a quote that was never closed."""

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_HEAD = 1 << 16
_CHUNK = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the file is written, and notes on what was not as usual."""

    encoding: str
    delimiter: str
    notes: tuple[Problem, ...]


def sniff(file: BinaryIO, encoding: str | None) -> Dialect:
    """Looks at the beginning of `file` and puts it back there. Raises `SheetUnreadable` for an empty file and for an
    encoding that does not exist. `encoding` None is UTF-8."""
    head = file.read(_HEAD)
    file.seek(0)
    if not head.strip(b"\0\r\n\t ") or head in {bom for bom, _ in _BOMS}:
        raise unreadable("The file is empty; export the sheet again.")
    notes: list[Problem] = []
    used = _checked_encoding(encoding, head)
    text = codecs.getincrementaldecoder(used)("replace").decode(head)
    if encoding != used and used.startswith("utf-16"):
        notes.append(Problem(None, None, used, "The file is written in UTF-16 and was read so.", Severity.NOTE))
    delimiter = max(_DELIMITERS, key=lambda candidate: known_count(_first_record(text, candidate)))
    if delimiter != ",":
        reason = f"Cells are separated by {_DELIMITERS[delimiter]}, not a comma, and were read so."
        notes.append(Problem(1, None, delimiter.strip() or "tab", reason, Severity.NOTE))
    return Dialect(used, delimiter, tuple(notes))


def _checked_encoding(encoding: str | None, head: bytes) -> str:
    """The codec to use. A file that shows by its first bytes that it is another Unicode form than UTF-8 is believed."""
    name = encoding or "utf-8"
    try:
        b"a".decode(name)
    except (LookupError, UnicodeError):
        raise unreadable(f"There is no encoding {shortened(name)!r}; use utf-8, windows-1252 or utf-16.") from None
    return _guess_encoding(head) if codecs.lookup(name).name in {"utf-8", "utf-8-sig"} else name


def _guess_encoding(head: bytes) -> str:
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    # Every second byte of Latin text in UTF-16 is zero; which one tells the byte order.
    sample = head[:512]
    if sample[1::2].count(0) > len(sample) // 4:
        return "utf-16-le"
    return "utf-16-be" if sample[::2].count(0) > len(sample) // 4 else "utf-8"


def _first_record(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []


def open_text(file: BinaryIO, encoding: str | None) -> Sheet:
    """A CSV file whose header has been read. Raises `SheetUnreadable`."""
    dialect = sniff(file, encoding)
    rows = read_rows(file, dialect)
    _, titles, _ = next(rows)
    return Sheet(FileFormat.CSV, titles, rows, file.tell, list(dialect.notes))


def read_rows(file: BinaryIO, dialect: Dialect) -> Iterator[Line]:
    """Every record with its row number, the header first. `file` must be seekable. Raises `SheetUnreadable` at the
    first byte that is not text and at a quote out of place."""
    # The limit is one number for the whole process; it is only ever raised.
    csv.field_size_limit(max(MAX_CELL, csv.field_size_limit()))
    text = io.TextIOWrapper(file, encoding=dialect.encoding, newline="")
    reader = csv.reader(_lines(text), delimiter=dialect.delimiter, strict=True)
    row = 0
    try:
        for cells in reader:
            row += 1
            yield row, cells, ""
    except UnicodeDecodeError as error:
        raise _undecodable(file, dialect, error) from error
    except _NulFound as error:
        raise _nul(row + 1) from error
    except csv.Error as error:
        raise _misquoted(row + 1, str(error)) from error
    finally:
        if not file.closed:
            text.detach()


class _NulFound(Exception):
    """A zero byte in the text."""


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    for line in text:
        if "\0" in line:
            raise _NulFound
        yield line


def _nul(row: int) -> SheetUnreadable:
    return unreadable(
        "There is a zero byte in this row: the file is damaged or is not a text file. Export it again as CSV UTF-8.",
        row=row,
    )


def _misquoted(row: int, detail: str) -> SheetUnreadable:
    if "field larger than" in detail:
        reason = (
            f"A cell that begins in this row has more than {MAX_CELL:,} characters; a quote is probably not closed."
        )
    elif "unexpected end of data" in detail:
        reason = "A quote that opens in this row is never closed; close it, or write two quotes for one inside a cell."
    elif "expected after" in detail:
        reason = "There is text after a closing quote; inside a quoted cell write two quotes for one."
    else:
        reason = f"The row cannot be read as CSV ({detail})."
    return unreadable(reason, row=row)


def _undecodable(file: BinaryIO, dialect: Dialect, error: UnicodeDecodeError) -> SheetUnreadable:
    offset, wrong = _first_bad_byte(file, dialect.encoding)
    row, column = _place(file, dialect, offset)
    shown = " ".join(f"{byte:02X}" for byte in wrong[:4])
    reason = (
        f"Byte {offset:,} of the file ({shown}) is not {error.encoding.upper()} text. Save the sheet as CSV UTF-8, "
        f"or name its encoding, for Excel in Western Europe and America windows-1252."
    )
    return unreadable(reason, row=row, column=column, value=shown)


def _first_bad_byte(file: BinaryIO, encoding: str) -> tuple[int, bytes]:
    """Reads the file once more: the wrapper's error counts from the beginning of its own buffer only."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    while True:
        chunk = file.read(_CHUNK)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            # The decoder holds back an unfinished character, which then stands before this chunk.
            kept = max(0, len(error.object) - len(chunk))
            return done - kept + error.start, error.object[error.start : max(error.end, error.start + 1)]
        done += len(chunk)


def _place(file: BinaryIO, dialect: Dialect, offset: int) -> tuple[int, str | None]:
    """The row and the column's title in which the byte at `offset` stands."""
    file.seek(0)
    prefix = io.BufferedReader(_Prefix(file, offset))
    text = io.TextIOWrapper(prefix, encoding=dialect.encoding, errors="replace", newline="")
    reader = csv.reader(_marked(text), delimiter=dialect.delimiter)
    header = next(reader)
    last = deque(enumerate(reader, 2), maxlen=1)
    if not last:
        return 1, None
    row, cells = last[0]
    return row, header[len(cells) - 1] if len(cells) <= len(header) else None


def _marked(lines: Iterable[str]) -> Iterator[str]:
    """The lines with one character after them, which stands where the unreadable byte stands."""
    last = ""
    for line in lines:
        if last:
            yield last
        last = line
    if last.endswith(("\r", "\n")):
        yield last
        last = ""
    yield last + "?"


class _Prefix(io.RawIOBase):
    """The first `size` bytes of a file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__()
        self._file = file
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        data = self._file.read(min(self._left, len(view)))
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)
