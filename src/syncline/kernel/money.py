"""Amounts of money: exact decimals, never floats."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from enum import StrEnum

_AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,6})?")

# ISO 4217 minor units that are not 2 (table A.1, amendment 177).
_MINOR_DIGITS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(),  # noqa: SIM905
        0,
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),  # noqa: SIM905
    "CLF": 4,
    "UYW": 4,
}


class Rounding(StrEnum):
    """How an amount that falls between two minor units is settled."""

    HALF_UP = "half-up"
    HALF_EVEN = "half-even"
    UP = "up"
    DOWN = "down"


_MODES = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.UP: ROUND_CEILING,
    Rounding.DOWN: ROUND_FLOOR,
}


def minor_digits(currency: str) -> int:
    """Digits after the point in `currency` (ISO 4217): 2 for USD, 0 for JPY, 3 for KWD."""
    return _MINOR_DIGITS.get(currency.upper(), 2)


def parse_amount(text: str) -> Decimal:
    """`"12.50"` to an exact decimal that keeps its digits. Raises `ValueError` for anything else: no thousands
    separators, no comma, no exponent, no sign but a leading minus."""
    if not _AMOUNT.fullmatch(text):
        msg = f"{text!r} is not an amount; write digits with a point, like 12.50"
        raise ValueError(msg)
    return Decimal(text)


def round_amount(amount: Decimal, currency: str, mode: Rounding = Rounding.HALF_UP) -> Decimal:
    """`amount` to the minor unit of `currency`; always has exactly that many digits."""
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), rounding=_MODES[mode])


def with_ending(
    amount: Decimal,
    ending: Decimal,
    currency: str,
    mode: Rounding = Rounding.HALF_UP,
    *,
    every: Decimal = Decimal(1),
) -> Decimal:
    """An amount that ends in `ending`, never below `ending` itself: the nearest to `amount` (`0.99` gives 19.99 for
    19.60 and 20.30, halfway as `mode` says), or with `UP` and `DOWN` the next one at or over, at or under it. `every`
    is how far two such amounts lie apart: 100 for an ending of `80` in JPY."""
    steps = ((amount - ending) / every).quantize(Decimal(1), rounding=_MODES[mode])
    return round_amount(max(steps, Decimal(0)) * every + ending, currency)


def truncate_amount(amount: Decimal, currency: str) -> Decimal:
    """`amount` cut, not rounded, to the minor unit."""
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), rounding=ROUND_DOWN)
