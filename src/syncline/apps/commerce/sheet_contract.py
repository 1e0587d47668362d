"""The part of the contract that is about what sheets look like. `Commerce` has these methods too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from syncline.kernel.errors import NotFound
from syncline.kernel.tenant import Actor


class MappingNotFound(NotFound):
    code = "IMPORT_002"
    title = "No such mapping of columns"


@dataclass(frozen=True, slots=True)
class SheetMapping:
    """What the columns of somebody's sheets mean: the file's titles and our words for what stands below them, `-` for
    what is left out."""

    name: str
    columns: Mapping[str, str]
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """One column of a sheet. `field` is our word for it, None when nobody knows one; `how` is `known`, `mapped`,
    `guessed`, `left` or `unknown`. `sample` is the first cell below it that is not blank."""

    title: str
    field: str | None
    how: str
    sample: str


@dataclass(frozen=True, slots=True)
class MarkedSheet:
    """A copy of a sheet in which what is wrong is marked: `format` is csv or xlsx; `marked` rows of it have errors."""

    format: str
    rows: int
    marked: int
    errors: int


class Sheets(Protocol):
    """Templates, columns and mappings; the sheet that comes back with its errors marked."""

    async def list_mappings(self, *, actor: Actor) -> Sequence[SheetMapping]: ...

    async def keep_mapping(self, *, actor: Actor, name: str, columns: Mapping[str, str]) -> SheetMapping:
        """Made, or changed when there is one of that name. Raises `InvalidInput` for a word that means nothing."""
        ...

    async def remove_mapping(self, *, actor: Actor, name: str) -> None:
        """Raises `MappingNotFound`."""
        ...

    async def describe_columns(
        self, *, actor: Actor, path: str, encoding: str | None = None, mapping: str | None = None
    ) -> Sequence[SheetColumn]:
        """The columns of a file in its order, with what is guessed of those that nobody named. Raises `SheetRefused`
        when the file cannot be read, and `MappingNotFound`."""
        ...

    async def mark_sheet(
        self,
        *,
        actor: Actor,
        store: str,
        path: str,
        file: BinaryIO,
        ignore_unknown: bool = False,
        encoding: str | None = None,
        location: str | None = None,
        create: bool = False,
        mapping: str | None = None,
    ) -> MarkedSheet:
        """Writes a copy of the sheet to `file` that says at every bad cell what is wrong; nothing is staged. A workbook
        stays one, with coloured cells and comments; everything else becomes CSV with a column `Problem`. Only a caller
        in the same process can give `file`.

        Raises `StoreNotFound`, `MappingNotFound`, and `SheetRefused` when the file cannot be read at all."""
        ...

    async def write_template(self, *, actor: Actor, kind: str, format: str, file: BinaryIO) -> Sequence[str]:  # noqa: A002 - the word everybody uses
        """Writes an empty sheet with an example in it, as csv or xlsx, and answers its titles. Only a caller in the
        same process can give `file`. Raises `InvalidInput` for a kind that there is not."""
        ...
