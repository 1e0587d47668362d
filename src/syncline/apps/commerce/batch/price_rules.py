"""A rule for an amount, as JSON. Pure.

| rule                                                   | means                                               |
|--------------------------------------------------------|-----------------------------------------------------|
| `"19.99"`, `19.99`, `{"set": "19.99"}`                 | this amount                                         |
| `"+10%~.99"`, `"price"`, `"cost*2.5~.95 up"`           | as written in `syncline change`                     |
| `null`                                                 | cleared, where the field can be                     |
| `{"percent": -20}`, `{"amount": "-5"}`, `{"times": 2}` | that much more or less, or times                    |
| `{"from": "cost", "times": "2.5"}`                     | taken from another amount                           |
| `{..., "ending": ".99", "rounding": "up"}`             | then to an amount that ends so                      |

`rounding` is half-up (with an ending: the nearest), half-even, up or down.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from syncline.apps.commerce.field_text import parse_money, shortened
from syncline.apps.commerce.fields import Field
from syncline.apps.commerce.nearest import join_or
from syncline.apps.commerce.staging.edits import SetValue
from syncline.apps.commerce.staging.money_edits import (
    AdjustMoney,
    check_factor,
    money_source,
    parse_ending,
    parse_money_edit,
    percent_factor,
)
from syncline.kernel.money import Rounding

_STEPS = ("set", "percent", "amount", "times")
_PARTS = (*_STEPS, "from", "ending", "rounding")
_MOST = Decimal(10) ** 12


def price_edit(field: Field, rule: Any, currency: str) -> SetValue | AdjustMoney:
    """Raises `ValueError` with a sentence that says what to write."""
    match rule:
        case None:
            if not field.nullable:
                msg = f"the {field.label} cannot be cleared; write an amount"
                raise ValueError(msg)
            return SetValue(field.name, None)
        case Mapping():
            return _of_parts(field, rule, currency)
        case str() | float() | int() if not isinstance(rule, bool):
            edit = parse_money_edit(field, str(rule).strip(), currency)
            return SetValue(field.name, edit) if isinstance(edit, str) else edit
        case _:
            msg = f'write the {field.label} as an amount, or as a rule like {{"percent": 10}}'
            raise ValueError(msg)


def _of_parts(field: Field, rule: Mapping[str, Any], currency: str) -> SetValue | AdjustMoney:
    strange = sorted(set(rule) - set(_PARTS))
    if strange or not rule:
        msg = f"{shortened(strange[0])!r} is no part of a rule; write {join_or(_PARTS)}" if strange else "write a rule"
        raise ValueError(msg)
    steps = [name for name in _STEPS if name in rule]
    if len(steps) > 1:
        msg = f"{' and '.join(steps)} cannot be given together; keep one"
        raise ValueError(msg)
    if steps == ["set"]:
        if len(rule) > 1:
            msg = "a fixed amount is taken as it is; leave everything else out"
            raise ValueError(msg)
        return (
            price_edit(field, None, currency)
            if rule["set"] is None
            else SetValue(field.name, parse_money(str(rule["set"]), currency))
        )
    factor, add = _step(rule, steps[0] if steps else None)
    return AdjustMoney(
        field.name,
        money_source(field, _text(rule, "from")),
        check_factor(factor),
        add,
        None if rule.get("ending") is None else parse_ending(_ending_text(rule), currency),
        _rounding(rule),
    )


def _step(rule: Mapping[str, Any], step: str | None) -> tuple[Decimal, Decimal]:
    """The factor and what is added."""
    match step:
        case "percent":
            return percent_factor(_number(rule, "percent")), Decimal(0)
        case "times":
            return _number(rule, "times"), Decimal(0)
        case "amount":
            return Decimal(1), _number(rule, "amount")
        case _:
            return Decimal(1), Decimal(0)


def _number(rule: Mapping[str, Any], name: str) -> Decimal:
    given = rule[name]
    try:
        # By its text, so that 10.1 is what was written and not the nearest fraction of two.
        number = Decimal(str(given).strip().removeprefix("+"))
    except InvalidOperation:
        number = Decimal("nan")
    if isinstance(given, bool) or not number.is_finite() or abs(number) >= _MOST or _digits(number) > 6:
        said = shortened(str(given))
        msg = f"write {name} as a number below {_MOST:,} with at most 6 digits after the point, not {said!r}"
        raise ValueError(msg)
    return number


def _digits(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _text(rule: Mapping[str, Any], name: str) -> str | None:
    given = rule.get(name)
    return None if given is None else str(given)


def _ending_text(rule: Mapping[str, Any]) -> str:
    text = str(rule["ending"]).strip()
    if not text.replace(".", "", 1).isdecimal():
        msg = f"write the ending like .99, not {shortened(text)!r}"
        raise ValueError(msg)
    return text


def _rounding(rule: Mapping[str, Any]) -> Rounding:
    text = str(rule.get("rounding") or Rounding.HALF_UP)
    if text not in set(Rounding):
        msg = f"{shortened(text)!r} is no way to round; write {join_or(tuple(Rounding))}"
        raise ValueError(msg)
    return Rounding(text)
