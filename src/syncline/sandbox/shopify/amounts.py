"""How Shopify writes moments and amounts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal


def moment(value: datetime | None) -> str | None:
    """`2026-11-22T10:00:00Z`: whole seconds, UTC."""
    return None if value is None else value.astimezone(UTC).isoformat()[:19] + "Z"


def money(value: object) -> str:
    """A `Money` scalar: two decimals, `12.50`."""
    return str(Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def decimal_amount(value: str) -> str:
    """`MoneyV2.amount`, a `Decimal`: no needless zeros but one decimal at least, `12.5` and `10.0`."""
    shown = format(Decimal(value).normalize(), "f")
    return shown if "." in shown else f"{shown}.0"


def minor_amount(minor: int) -> str:
    """`MoneyV2.amount` of so many hundredths: 1250 is `12.5`."""
    sign, whole = ("-", -minor) if minor < 0 else ("", minor)
    units, hundredths = divmod(whole, 100)
    tens, ones = divmod(hundredths, 10)
    return f"{sign}{units}.{hundredths:02d}" if ones else f"{sign}{units}.{tens}"
