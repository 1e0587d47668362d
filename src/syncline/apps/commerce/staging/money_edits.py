"""Edits of amounts: `price=+10%~.99`, `compare_at_price=price`, `price=cost*2.5~.95 up`. Exact to the minor unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from syncline.apps.commerce.field_text import parse_money
from syncline.apps.commerce.fields import ALIASES, FIELDS, AnyValue, Field, Kind, Value, money_text
from syncline.kernel.money import Rounding, minor_digits, round_amount, with_ending

_MONEY = re.compile(
    r"(?P<source>[a-z_]+)?\s*(?:(?P<sign>[+*-])\s*(?P<number>\d{1,12}(?:\.\d{1,6})?)\s*(?P<percent>%)?)?"
    r"\s*(?P<rounded>~\s*(?P<ending>\d*\.?\d+)?\s*(?P<mode>half-up|half-even|up|down)?)?"
)
_HUNDRED = Decimal(100)
_MOST_MONEY = Decimal(10) ** 15
_LONGEST_ENDING = 4
"""Digits of an ending in a currency without a point: `1980` is one."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What amounts shall end in, and how far two such amounts lie apart."""

    value: Decimal
    every: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class AdjustMoney:
    """`source * factor + add`, rounded by `rounding` to the minor unit or to an amount with `ending`."""

    field: str
    source: str
    factor: Decimal = Decimal(1)
    add: Decimal = Decimal(0)
    ending: Ending | None = None
    rounding: Rounding = Rounding.HALF_UP


def parse_money_edit(field: Field, text: str, currency: str) -> str | AdjustMoney:
    """A fixed amount as its value, or the adjustment. Raises `ValueError` with a sentence that says what to write."""
    found = _MONEY.fullmatch(text.lower())
    if found is None:
        return parse_money(text, currency)
    if found["rounded"] and found["ending"] is None and found["mode"] is None:
        msg = "write after ~ what amounts shall end in, like ~.99, or how they are rounded, like ~up"
        raise ValueError(msg)
    factor, add = _step(found["sign"], Decimal(found["number"] or 0), is_percent=found["percent"] is not None)
    return AdjustMoney(
        field.name,
        money_source(field, found["source"]),
        check_factor(factor),
        add,
        None if found["ending"] is None else parse_ending(found["ending"], currency),
        Rounding(found["mode"] or Rounding.HALF_UP),
    )


def _step(sign: str | None, number: Decimal, *, is_percent: bool) -> tuple[Decimal, Decimal]:
    """The factor and what is added."""
    match sign, is_percent:
        case "*", False:
            return number, Decimal(0)
        case "*", True:
            return number / _HUNDRED, Decimal(0)
        case (("+" | "-"), True):
            return percent_factor(number if sign == "+" else -number), Decimal(0)
        case "-", False:
            return Decimal(1), -number
        case _:
            return Decimal(1), number


def percent_factor(percent: Decimal) -> Decimal:
    """1.1 for 10, 0.8 for -20."""
    return 1 + percent / _HUNDRED


def check_factor(factor: Decimal) -> Decimal:
    if factor < 0:
        msg = "more than 100 % off leaves less than nothing"
        raise ValueError(msg)
    return factor


def money_source(field: Field, word: str | None) -> str:
    """The name of the amount that `word` means; the field's own, when it is None."""
    source = FIELDS.get(ALIASES.get(word, word)) if word else field
    if source is None or source.kind is not Kind.MONEY:
        names = ", ".join(other.name for other in FIELDS.values() if other.kind is Kind.MONEY)
        msg = f"{word!r} is not an amount; write digits with a point like 12.50, or one of {names}"
        raise ValueError(msg)
    return source.name


def parse_ending(text: str, currency: str) -> Ending:
    """`.99` where the currency has digits after the point; the last digits of the amount, like `80`, where it has
    none. Raises `ValueError`."""
    ending, digits = Decimal(text), minor_digits(currency)
    if not digits and text.isdecimal() and len(text) <= _LONGEST_ENDING:
        return Ending(ending, Decimal(10) ** len(text))
    if not digits:
        msg = f"{currency} has no digits after the point; write the last digits of the amount, like 80"
        raise ValueError(msg)
    if ending >= 1 or ending != round_amount(ending, currency):
        msg = f"an ending is the part after the point, like .{'95'.ljust(digits, '0')[:digits]}"
        raise ValueError(msg)
    return Ending(ending)


def adjusted_money(edit: AdjustMoney, current: Mapping[str, AnyValue], currency: str) -> Value:
    """The amount that the edit makes of a record's. Raises `ValueError` when it cannot be."""
    source, field = current.get(edit.source), FIELDS[edit.field]
    if source is None:
        if edit.source == edit.field:
            return None
        msg = (
            f"there is no {FIELDS[edit.source].label} to take the {field.label} from; "
            f"leave such rows out by adding -{edit.source}:none to the search"
        )
        raise ValueError(msg)
    amount = Decimal(str(source)) * edit.factor + edit.add
    if amount >= _MOST_MONEY:
        msg = f"the {field.label} would have more than 15 digits before the point"
        raise ValueError(msg)
    if amount < 0:
        msg = f"the {field.label} would go from {current[edit.field]} to {round_amount(amount, currency)}, below zero"
        raise ValueError(msg)
    return money_text(_rounded(amount, edit, currency), currency)


def _rounded(amount: Decimal, edit: AdjustMoney, currency: str) -> Decimal:
    if edit.ending is None:
        return round_amount(amount, currency, edit.rounding)
    return with_ending(amount, edit.ending.value, currency, edit.rounding, every=edit.ending.every)


_ROUNDED = {
    Rounding.HALF_EVEN: "rounded half to even",
    Rounding.UP: "rounded up",
    Rounding.DOWN: "rounded down",
}


def describe_money(edit: AdjustMoney, currency: str) -> str:
    """`raised by 10 %, ending in .99`."""
    percent = (edit.factor - 1) * _HUNDRED
    parts = [] if edit.source == edit.field else [f"taken from the {FIELDS[edit.source].label}"]
    if percent:
        parts.append(f"{'raised' if percent > 0 else 'lowered'} by {abs(percent).normalize():f} %")
    if edit.add:
        parts.append(f"{'raised' if edit.add > 0 else 'lowered'} by {abs(edit.add):f} {currency}")
    if edit.ending is not None:
        text = f"{edit.ending.value:f}".removeprefix("0") if edit.ending.every == 1 else f"{edit.ending.value:f}"
        parts.append(f"ending in {text.zfill(len(str(edit.ending.every)) - 1) if edit.ending.every > 1 else text}")
    if edit.rounding is not Rounding.HALF_UP:
        parts.append(_ROUNDED[edit.rounding])
    return ", ".join(parts) or "kept"
