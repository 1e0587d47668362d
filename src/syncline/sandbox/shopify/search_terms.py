"""One search term -> a test on one value, for each kind of filter."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from syncline.kernel import clock
from syncline.sandbox.shopify.search_syntax import Term

Test = Callable[[Any], bool]
Interval = tuple[Any, Any]
"""Lowest and highest value that can match, both inclusive; None where there is no end."""

WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*", re.UNICODE)
DIGITS = re.compile(r"-?\d{1,19}\Z", re.ASCII)
GID = re.compile(r"gid://shopify/\w+/(\d{1,19})(?:\?.*)?\Z", re.ASCII)
MOMENT = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:[T ](?P<hour>\d{2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?)?)?)?)?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?\Z",
    re.ASCII,
)
SECOND = timedelta(seconds=1)


class BadValueError(ValueError):
    """The value does not suit the filter's type."""


def words(text: str) -> list[str]:
    return WORDS.findall(text.casefold())


def moment_span(value: str) -> tuple[datetime, datetime]:
    """First and last whole second meant by `2026`, `2026-08`, `2026-08-01`, `2026-08-01T10`, ... or `now`.

    UTC unless it says otherwise. A fraction of a second is dropped: Shopify's times are whole seconds and `>=` is
    inclusive to the second. Raises `BadValueError`.
    """
    if value == "now":
        present = clock.now().astimezone(UTC).replace(microsecond=0)
        return present, present
    found = MOMENT.match(value)
    if not found:
        raise BadValueError(value)
    part = {name: int(text) for name, text in found.groupdict().items() if text and name != "zone"}
    try:
        first, after = _span(part)
        offset = _offset(found["zone"])
        return first - offset, after - offset - SECOND
    except (ValueError, OverflowError) as error:
        raise BadValueError(value) from error


def time_interval(term: Term) -> Interval:
    first, last = moment_span(term.value)
    match term.operator:
        case ">=":
            return first, None
        case ">":
            return last + SECOND, None
        case "<=":
            return None, last
        case "<":
            return None, first - SECOND
        case _:
            return first, last


def id_interval(term: Term) -> Interval:
    return _whole_interval(term, id_of(term.value))


def integer_interval(term: Term) -> Interval:
    if not DIGITS.match(term.value):
        raise BadValueError(term.value)
    return _whole_interval(term, int(term.value))


def id_of(value: str) -> int:
    found = GID.match(value)
    if found:
        return int(found[1])
    if not DIGITS.match(value):
        raise BadValueError(value)
    return int(value)


def within(interval: Interval) -> Test:
    low, high = interval
    if low is not None and high is not None:
        return lambda value: value is not None and low <= value <= high
    if low is not None:
        return lambda value: value is not None and value >= low
    return lambda value: value is not None and value <= high


def decimal_test(term: Term) -> Test:
    wanted = _decimal(term.value)
    compare: dict[str, Test] = {
        "=": lambda value: Decimal(value) == wanted,
        "<": lambda value: Decimal(value) < wanted,
        "<=": lambda value: Decimal(value) <= wanted,
        ">": lambda value: Decimal(value) > wanted,
        ">=": lambda value: Decimal(value) >= wanted,
    }
    return compare[term.operator]


def boolean_test(term: Term) -> Test:
    wanted = {"true": True, "false": False}.get(term.value.casefold())
    if wanted is None:
        raise BadValueError(term.value)
    return lambda value: bool(value) is wanted


def keyword_test(term: Term) -> Test:
    """The whole value, upper and lower case alike; `abc*` is a prefix, `*` means that there is a value at all."""
    wanted = term.value.casefold()
    if term.operator != "=":
        order: dict[str, Test] = {
            "<": lambda value: bool(value) and value.casefold() < wanted,
            "<=": lambda value: bool(value) and value.casefold() <= wanted,
            ">": lambda value: bool(value) and value.casefold() > wanted,
            ">=": lambda value: bool(value) and value.casefold() >= wanted,
        }
        return order[term.operator]
    if not term.quoted and wanted.endswith("*"):
        prefix = wanted[:-1]
        return lambda value: bool(value) and value.casefold().startswith(prefix)
    return lambda value: (value or "").casefold() == wanted


def text_test(term: Term) -> Test:
    """Words of a text: all of them, next to each other when quoted, the last one a prefix with `*`."""
    wanted = words(term.value)
    is_prefix = not term.quoted and term.value.endswith("*")
    if not wanted:
        return bool if is_prefix else lambda value: not value
    count = len(wanted)

    def test(value: str | None) -> bool:
        if not value:
            return False
        held = words(value)
        return any(_same(held[at : at + count], wanted, is_prefix) for at in range(len(held) - count + 1))

    return test


def _same(held: list[str], wanted: list[str], is_prefix: bool) -> bool:
    if is_prefix:
        return held[:-1] == wanted[:-1] and held[-1].startswith(wanted[-1])
    return held == wanted


def _whole_interval(term: Term, number: int) -> Interval:
    bounds: dict[str, Interval] = {
        ">=": (number, None),
        ">": (number + 1, None),
        "<=": (None, number),
        "<": (None, number - 1),
        "=": (number, number),
    }
    return bounds[term.operator]


def _decimal(value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise BadValueError(value) from error
    if not number.is_finite():
        raise BadValueError(value)
    return number


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return ahead if zone[0] == "+" else -ahead


def _span(part: dict[str, int]) -> tuple[datetime, datetime]:
    """Start of the time that `part` names, and the moment after its end."""
    start = datetime(
        part["year"],
        part.get("month", 1),
        part.get("day", 1),
        part.get("hour", 0),
        part.get("minute", 0),
        part.get("second", 0),
        tzinfo=UTC,
    )
    if "day" in part:
        unit = next(name for name in ("second", "minute", "hour", "day") if name in part)
        return start, start + timedelta(**{f"{unit}s": 1})
    whole = start.month - 1 + (1 if "month" in part else 12)
    return start, start.replace(year=start.year + whole // 12, month=whole % 12 + 1)
