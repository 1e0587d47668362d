"""Products as JSON objects, made into the rows of a table: one for the product, one for each variant, one for each of a
variant's stock levels.

The names are those of our own export; an object without `variants` is one row, as in a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from syncline.apps.commerce.field_text import shortened
from syncline.apps.commerce.fields import CATALOGUE, FIELDS, Kind, Owner, fields_of, get_field
from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.transfer.cells import text_of
from syncline.apps.commerce.transfer.formats import FileFormat
from syncline.apps.commerce.transfer.json_objects import read_array, read_lines
from syncline.apps.commerce.transfer.metafield_columns import unknown_type
from syncline.apps.commerce.transfer.problems import Problem
from syncline.apps.commerce.transfer.sheet import Line, Sheet
from syncline.apps.commerce.transfer.sheet_columns import KNOWN, Role, left_columns, plain, unknown_column

_NAMES = tuple(f"option{place}_name" for place in (1, 2, 3))
_VALUES = tuple(f"option{place}_value" for place in (1, 2, 3))
TITLES = ("handle", "location", *_NAMES, *_VALUES, *(field.name for field in CATALOGUE if field.name != "handle"))
_OF_PRODUCT = frozenset({"handle", *_NAMES, *(field.name for field in fields_of(Owner.PRODUCT))})
_OF_VARIANT = frozenset({*_VALUES, "available", *(field.name for field in fields_of(Owner.VARIANT))})
_OF_LEVEL = frozenset({"location", "available"})
_QUIET = {"id", "on_hand", "committed", "incoming", "unavailable"}
_LEFT = {"media": "images", "collections": "publishing"}


def open_json(file: BinaryIO, kind: FileFormat, *, ignore_unknown: bool, metafields: Sequence[str] = ()) -> Sheet:
    """`file` is at its beginning; `kind` is JSON for an array and JSONL for lines. `metafields` are those that objects
    may name."""
    objects = read_array(file) if kind is FileFormat.JSON else read_lines(file)
    titles = (*TITLES, *metafields)
    sheet = Sheet(kind, titles, iter(()), file.tell)
    sheet.lines = _Rows(sheet.problems, titles, ignore_unknown=ignore_unknown).lines(objects)
    return sheet


class _Rows:
    def __init__(self, problems: list[Problem], titles: Sequence[str], *, ignore_unknown: bool) -> None:
        self._at = {title: place for place, title in enumerate(titles)}
        metafields = titles[len(TITLES) :]
        of_variant = frozenset(name for name in metafields if get_field(name).owner is Owner.VARIANT_METAFIELD)
        self._of_product = _OF_PRODUCT | (frozenset(metafields) - of_variant)
        self._of_variant = _OF_VARIANT | of_variant
        self._problems = problems
        self._ignore_unknown = ignore_unknown
        self._told: set[str] = set()

    def lines(self, objects: Iterator[tuple[int, Any]]) -> Iterator[Line]:
        for number, record in objects:
            if not isinstance(record, dict):
                self._wrong(number, None, record, "This is no object; write one object for each product, in { }.")
                continue
            if not text_of(record.get("handle")).strip():
                reason = "The object has no handle, so nobody knows which product it is about; fill it in."
                self._wrong(number, "handle", record.get("title"), reason)
                continue
            if "variants" in record:
                yield number, self._row(number, record, "", self._of_product, _NAMES), ""
            else:
                yield number, self._row(number, record, "", frozenset(self._at), _VALUES), ""
            yield from self._variants(number, record)

    def _variants(self, number: int, product: Mapping[str, Any]) -> Iterator[Line]:
        for at, variant in self._objects(number, product, "variants", ""):
            part = f"variants[{at}]."
            cells = self._row(number, variant, part, self._of_variant, _VALUES)
            cells[0] = text_of(product.get("handle"))
            yield number, cells, part
            for place, level in self._objects(number, variant, "levels", part):
                inner = f"{part}levels[{place}]."
                row = self._row(number, level, inner, _OF_LEVEL, ())
                row[0] = cells[0]
                for name in (*_VALUES, "sku"):
                    row[self._at[name]] = cells[self._at[name]]
                yield number, row, inner

    def _objects(
        self, number: int, holder: Mapping[str, Any], key: str, part: str
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        given = holder.get(key) or []
        if not isinstance(given, list):
            self._wrong(number, f"{part}{key}", given, "This is no list; write objects in [ ] with commas between.")
            return
        for at, one in enumerate(given):
            if isinstance(one, dict):
                yield at, one
            else:
                self._wrong(number, f"{part}{key}[{at}]", one, "This is no object; write one in { }.")

    def _row(
        self, number: int, record: Mapping[str, Any], part: str, names: frozenset[str], options: tuple[str, ...]
    ) -> list[str]:
        cells = [""] * len(self._at)
        for key, value in record.items():
            if key in names:
                cells[self._at[key]] = self._cell(number, key, value, part)
            elif key == "options" and options:
                self._options(number, f"{part}options", value, cells, options)
            elif key not in {"variants", "levels"} and key not in _QUIET:
                self._tell(number, key)
        return cells

    def _cell(self, number: int, key: str, value: Any, part: str) -> str:
        is_tags = key in FIELDS and FIELDS[key].kind is Kind.TAGS
        if isinstance(value, dict) or (isinstance(value, list) and not is_tags):
            self._wrong(number, f"{part}{key}", value, "A text, a number, true or false belongs here.")
            return ""
        return text_of(value)

    def _options(self, number: int, key: str, value: Any, cells: list[str], names: tuple[str, ...]) -> None:
        """A list of texts, the options' names at a product and their values at a variant."""
        given = value if isinstance(value, list) else []
        if (value and given is not value) or any(isinstance(one, dict | list) for one in given) or len(given) > 3:
            self._wrong(number, key, value, 'Write a list of at most three texts, like ["M", "Red"].')
            return
        for name, one in zip(names, given, strict=False):
            cells[self._at[name]] = text_of(one)

    def _tell(self, number: int, key: str) -> None:
        """Once for each name that cannot be imported."""
        if key in self._told:
            return
        self._told.add(key)
        metafield = find_name(key)
        if metafield is not None:
            known = key in self._at
            reason = (
                "The metafield does not belong here: one of the product stands beside its title, one of a variant "
                "beside its price."
                if known
                else unknown_type(metafield, key)
            )
            self._problems.append(Problem(number, key, shortened(key), reason))
            return
        role, why = (Role.LEFT, _LEFT[key]) if key in _LEFT else KNOWN.get(plain(key), (Role.UNKNOWN, ""))
        if role is Role.UNKNOWN:
            self._problems.append(unknown_column(key, ignored=self._ignore_unknown, row=number))
        elif role is Role.LEFT:
            self._problems.append(left_columns(str(why), [key]))
        elif role is not Role.FACT:
            reason = f"This name does not belong here. Write each where our own export does: {', '.join(TITLES)}."
            self._problems.append(Problem(number, key, shortened(key), reason))

    def _wrong(self, number: int, column: str | None, value: Any, reason: str) -> None:
        self._problems.append(Problem(number, column, shortened(text_of(value)), reason))
