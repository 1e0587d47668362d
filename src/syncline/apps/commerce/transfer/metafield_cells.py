"""Cells of metafields against what a record holds: each is a change of its own, as it is sent and settled alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from syncline.apps.commerce.fields import AnyValue, Value, same_value
from syncline.apps.commerce.metafields import Metafield, find_name
from syncline.apps.commerce.staging.diff import FieldChange
from syncline.apps.commerce.transfer.cells import unmarked
from syncline.apps.commerce.transfer.metafield_columns import parse_cell, unknown_type
from syncline.apps.commerce.transfer.problems import Problem
from syncline.apps.commerce.transfer.sheet_columns import Column, Role


@dataclass(frozen=True, slots=True)
class MetafieldTypes:
    """By the field's name: `said` by the column's title, and those it `has` in the store. `titles` are the columns'."""

    said: Mapping[str, str] = field(default_factory=dict)
    has: Mapping[str, Sequence[str]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: Sequence[Column], has: Mapping[str, Sequence[str]]) -> Self:
        mine = [column for column in columns if column.role is Role.METAFIELD]
        return cls(
            said={str(column.target): column.type for column in mine if column.type is not None},
            has=has,
            titles={str(column.target): column.title for column in mine},
        )

    def changes(
        self, row: int, given: Mapping[str, Value], current: Mapping[str, AnyValue]
    ) -> Iterator[FieldChange | Problem | None]:
        """For each metafield among `given` its change, what is wrong with it, or None when it is as the sheet says."""
        for name in (name for name in given if find_name(name) is not None):
            held = current.get(name)
            try:
                wanted = self._wanted(name, str(given[name]), held if isinstance(held, dict) else None)
            except ValueError as error:
                reason = str(error).removesuffix(".")
                reason = f"{reason[:1].upper()}{reason[1:]}."
                yield Problem(row, self.titles.get(name, name), str(given[name])[:80], reason)
                continue
            yield None if same_value(name, held, wanted) else FieldChange(name, held, wanted)

    def _wanted(self, name: str, text: str, held: Metafield | None) -> Metafield:
        if held is not None and _means(text, held["value"]):
            return held
        kind = self._type(name, text, held)
        bare = unmarked(text)
        return parse_cell(kind, bare)

    def _type(self, name: str, text: str, held: Metafield | None) -> str:
        said = self.said.get(name)
        if held is not None:
            if said is not None and said != held["type"]:
                msg = f"the metafield is a {held['type']} here, not a {said}; correct the type in the column's name"
                raise ValueError(msg)
            return held["type"]
        kinds = self.has.get(name, ())
        if said is not None:
            return said
        if len(kinds) == 1:
            return kinds[0]
        known = find_name(name)
        assert known is not None
        if kinds:
            msg = (
                f"the metafield is of several types in this store, {' and '.join(kinds)}; say one in the column's name"
            )
            raise ValueError(msg)
        raise ValueError(unknown_type(known, text))


def _means(text: str, value: str) -> bool:
    """Whether a cell is the value to the letter, but for what a spreadsheet adds."""
    wanted = value.replace("\r\n", "\n")
    return wanted in {text.replace("\r\n", "\n"), unmarked(text).replace("\r\n", "\n")}
