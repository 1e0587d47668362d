"""What people write for a field's value, read strictly; what is wrong is answered with what to write instead."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from syncline.apps.commerce.fields import MAX_TAGS, Field, Kind, Value, decimal_text, money_text
from syncline.apps.commerce.nearest import did_you_mean, join_or
from syncline.kernel.money import minor_digits, parse_amount

_INTEGER = re.compile(r"([+-]?\d{1,18})(?:\.0+)?")  # spreadsheets write 5 as 5.0
_MOST_STOCK = 1_000_000_000  # Shopify refuses quantities beyond this, either way
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "no", "n", "0"), False),
}
_WEIGHT_UNITS = {
    **dict.fromkeys(("g", "gram"), "grams"),
    **dict.fromkeys(("kg", "kilogram"), "kilograms"),
    **dict.fromkeys(("oz", "ounce"), "ounces"),
    **dict.fromkeys(("lb", "lbs", "pound"), "pounds"),
}
_SHOWN = 40


def shortened(text: str, limit: int = _SHOWN) -> str:
    """`text` on one line and at most `limit` characters, for a message."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def parse_value(field: Field, text: str, currency: str) -> Value:
    """`text` as a value of `field`. Raises `ValueError` with a sentence that says what to write."""
    match field.kind:
        case Kind.MONEY:
            return parse_money(text.strip(), currency)
        case Kind.DECIMAL:
            return decimal_text(parse_number(text))
        case Kind.INTEGER:
            return parse_quantity(text)
        case Kind.BOOLEAN:
            return parse_boolean(text)
        case Kind.CHOICE:
            return parse_choice(field, text)
        case Kind.TAGS:
            return check_tags(text.split(","))
        case _:
            return check_text(field, text)


@lru_cache(maxsize=4096)
def parse_money(text: str, currency: str) -> str:
    """An amount that is not below zero and no finer than the currency's minor unit."""
    amount = read_amount(text)
    if amount < 0:
        msg = f"{shortened(text)!r} is below zero; write an amount of 0 or more"
        raise ValueError(msg)
    written = money_text(amount, currency)
    digits = minor_digits(currency)
    if len(written.partition(".")[2]) > digits:
        allowed = f"at most {digits} digits after the point" if digits else "no digits after the point"
        msg = f"{shortened(text)!r} is finer than {currency} allows; write {allowed}"
        raise ValueError(msg)
    return written


def read_amount(text: str) -> Decimal:
    """An exact decimal as `kernel.money` reads it, with the probable meaning of what it refuses in the sentence."""
    try:
        return parse_amount(text)
    except ValueError:
        meant = _meant(text)
        hint = f"; write {meant}" if meant else "; write digits with a point, like 12.50"
        msg = f"{shortened(text)!r} is not an amount{hint}"
        raise ValueError(msg) from None


def _meant(text: str) -> str | None:
    """`12,5o` was meant as 12.50, `$1,299.00` as 1299.00; None when that is anybody's guess."""
    bare = re.sub(r"[\s'_]|^[^\d.,+-]+|[^\d.,oO]+$", "", text).translate(str.maketrans("oO", "00"))
    found = re.fullmatch(r"(\d[\d.,]*?)(?:[.,](\d{1,2}))?", bare)
    if found is None:
        return None
    whole, cents = found[1], found[2]
    if re.search(r"[.,]", whole) and not re.fullmatch(r"\d{1,3}([.,])\d{3}(?:\1\d{3})*", whole):
        return None
    digits = re.sub(r"[.,]", "", whole)
    return digits if cents is None else f"{digits}.{cents.ljust(2, '0')}"


def parse_number(text: str) -> Decimal:
    """A decimal of 0 or more, such as a weight."""
    number = read_amount(text.strip())
    if number < 0:
        msg = f"{shortened(text)!r} is below zero; write a number of 0 or more"
        raise ValueError(msg)
    return number


def parse_quantity(text: str) -> int:
    """A whole number of pieces; below zero is stock that was sold and is still owed."""
    found = _INTEGER.fullmatch(text.strip())
    if found is None:
        meant = _meant(text)
        hint = f", like {meant}" if meant and "." not in meant else ", like 25"
        msg = f"{shortened(text)!r} is not a whole number; write digits only{hint}"
        raise ValueError(msg)
    quantity = int(found[1])
    if abs(quantity) > _MOST_STOCK:
        msg = f"{shortened(text)!r} is more than Shopify keeps; write a number up to 1,000,000,000"
        raise ValueError(msg)
    return quantity


def parse_boolean(text: str) -> bool:
    found = _BOOLEANS.get(text.strip().lower())
    if found is None:
        msg = f"{shortened(text)!r} is neither true nor false; write true or false"
        raise ValueError(msg)
    return found


def parse_choice(field: Field, text: str) -> str:
    word = text.strip().lower()
    word = _WEIGHT_UNITS.get(word, word) if field.name == "weight_unit" else word
    if word not in field.choices:
        hint = did_you_mean(word, field.choices)
        msg = f"{shortened(text)!r} is not a {field.label}; write {join_or(field.choices)}.{hint}"
        raise ValueError(msg)
    return word


def check_tags(tags: list[str]) -> list[str]:
    """Tags trimmed, blank ones dropped, the first spelling of one kept: Shopify tells tags apart without their case."""
    kept: dict[str, str] = {}
    for tag in (part.strip() for part in tags):
        if len(tag) > 255:
            msg = f"The tag {shortened(tag)!r} is longer than 255 characters"
            raise ValueError(msg)
        if tag:
            kept.setdefault(tag.casefold(), tag)
    if len(kept) > MAX_TAGS:
        msg = f"{len(kept)} tags are more than the {MAX_TAGS} Shopify keeps"
        raise ValueError(msg)
    return list(kept.values())


def check_text(field: Field, text: str) -> str:
    """`text` to the character, or a sentence why the store would refuse it."""
    if field.required and not text.strip():
        msg = f"The {field.label} cannot be empty"
        raise ValueError(msg)
    if field.max_length is not None and len(text) > field.max_length:
        msg = f"The {field.label} has {len(text)} characters; Shopify keeps at most {field.max_length}"
        raise ValueError(msg)
    return text
