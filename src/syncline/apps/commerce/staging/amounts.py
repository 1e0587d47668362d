"""The numbers that staged changes are about, as a search may ask for them: before, after, and per cent in between."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Numeric, cast, func

from syncline.apps.commerce.fields import CATALOGUE, Field, Kind
from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.staging.search import SearchField, SearchKind

AMOUNT: Final = "amount"
"""What such a search field speaks of."""

_BEFORE, _AFTER, _PERCENT = "before.", "after.", "percent."
_NUMBERS = tuple(field for field in CATALOGUE if field.kind in {Kind.MONEY, Kind.DECIMAL, Kind.INTEGER})
_HUNDRED = 100


def _search_fields(field: Field) -> tuple[SearchField, ...]:
    aliases = ("inventory", "stock", "quantity") if field.name == "available" else ()
    return (
        SearchField(
            *(field.name, SearchKind.NUMBER, AMOUNT),
            aliases=(_AFTER + field.name, *aliases),
            nullable=field.nullable,
        ),
        SearchField(_BEFORE + field.name, SearchKind.NUMBER, AMOUNT, nullable=True),
        SearchField(_PERCENT + field.name, SearchKind.NUMBER, AMOUNT, nullable=True),
    )


AMOUNT_FIELDS: tuple[SearchField, ...] = tuple(one for field in _NUMBERS for one in _search_fields(field))


def _bare(name: str) -> str:
    return name.rpartition(".")[2]


def has_amount(name: str) -> ColumnElement[bool]:
    """Whether the change is about this field at all; no value is a value too."""
    held: ColumnElement[bool] = staged_change.c.after.has_key(_bare(name))
    return held


def amount(name: str) -> ColumnElement[Any]:
    """Exact: the text of the amount as a decimal. Per cent of nothing, and from or to no value, is none."""
    before, after = (
        cast(side[_bare(name)].astext, Numeric) for side in (staged_change.c.before, staged_change.c.after)
    )
    if name.startswith(_PERCENT):
        return (after - before) * _HUNDRED / func.nullif(func.abs(before), 0)
    return before if name.startswith(_BEFORE) else after
