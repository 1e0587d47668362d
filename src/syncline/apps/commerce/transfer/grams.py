"""How many grams each unit of weight is, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

GRAMS: Mapping[str, Decimal] = {
    "grams": Decimal(1),
    "kilograms": Decimal(1000),
    "ounces": Decimal("28.349523125"),
    "pounds": Decimal("453.59237"),
}
