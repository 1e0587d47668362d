"""The columns of Shopify's product CSV, in every set it has published, and what each is to us.

Sets: 2017 and 2023 ("Handle", "Body (HTML)", "Variant Price"), 2021-2024 with "Status", "Product Category", columns for
markets ("Included / United States", "Price / International") and "Option1 Linked To", and the template renamed in 2025
("URL handle", "Description", "SKU", "Compare-at price", "Continue selling when out of stock").
Source: help.shopify.com/en/manual/products/import-export/using-csv and its product_template.csv, read November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from syncline.apps.commerce.field_text import shortened
from syncline.apps.commerce.nearest import did_you_mean
from syncline.apps.commerce.transfer.problems import Problem, Severity


class Role(StrEnum):
    """What the reader does with a column."""

    HANDLE = "handle"
    FIELD = "field"
    OPTION_NAME = "option_name"
    OPTION_VALUE = "option_value"
    GRAMS = "grams"
    LEFT = "left"
    BLANK = "blank"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Column:
    """`title` as the file has it; `target` is the field's name, or for an option its number from 0."""

    index: int
    title: str
    role: Role
    target: str | int = ""


_FIELD_TITLES: Mapping[str, tuple[str, ...]] = {
    "title": ("Title",),
    "description_html": ("Body (HTML)", "Body HTML", "Description"),
    "vendor": ("Vendor",),
    "product_type": ("Type", "Custom Product Type"),
    "status": ("Status",),
    "tags": ("Tags",),
    "seo_title": ("SEO Title",),
    "seo_description": ("SEO Description",),
    "price": ("Variant Price", "Price"),
    "compare_at_price": ("Variant Compare At Price", "Compare-at price"),
    "sku": ("Variant SKU", "SKU"),
    "barcode": ("Variant Barcode", "Barcode"),
    "taxable": ("Variant Taxable", "Charge tax"),
    "inventory_policy": ("Variant Inventory Policy", "Continue selling when out of stock"),
    "cost": ("Cost per item",),
    "weight_unit": ("Variant Weight Unit", "Weight unit for display"),
    "requires_shipping": ("Variant Requires Shipping", "Requires shipping"),
    "tracked": ("Variant Inventory Tracker", "Inventory tracker"),
    "available": ("Variant Inventory Qty", "Variant Inventory Quantity", "Inventory quantity"),
}
_LEFT_TITLES = (
    *("Published", "Published Scope", "Published on online store", "Template Suffix", "Collection", "Gift Card"),
    *("Product Category", "Standardized Product Type", "Variant Fulfillment Service", "Fulfillment service"),
    *("Option1 Linked To", "Option2 Linked To", "Option3 Linked To", "Variant Tax Code", "Tax code"),
    *("Image Src", "Image Position", "Image Alt Text", "Variant Image"),
    *("Product image URL", "Image position", "Image alt text", "Variant image URL"),
    *("Unit Price Total Measure", "Unit Price Total Measure Unit"),
    *("Unit Price Base Measure", "Unit Price Base Measure Unit"),
)
_LEFT_FAMILIES = re.compile(
    r"(google shopping|included|price|compare[ -]at price) / .+"
    r"|.+\((product|variant)\.metafields\.[^()]+\)"
    r"|(product|variant)\.metafields\..+|metafield: .+",
    re.IGNORECASE,
)


def _plain(title: str) -> str:
    return " ".join(title.split()).lower()


KNOWN: Mapping[str, tuple[Role, str | int]] = {
    **{_plain(title): (Role.LEFT, "") for title in _LEFT_TITLES},
    **{_plain(title): (Role.FIELD, name) for name, titles in _FIELD_TITLES.items() for title in titles},
    **{_plain(title): (Role.HANDLE, "") for title in ("Handle", "URL handle")},
    **{_plain(title): (Role.GRAMS, "") for title in ("Variant Grams", "Weight value (grams)")},
    **{f"option{number + 1} name": (Role.OPTION_NAME, number) for number in range(3)},
    **{f"option{number + 1} value": (Role.OPTION_VALUE, number) for number in range(3)},
}
_TITLES = (
    *("Handle", "URL handle", "Variant Grams", "Weight value (grams)", *_LEFT_TITLES),
    *(title for titles in _FIELD_TITLES.values() for title in titles),
    *(f"Option{number} {part}" for number in (1, 2, 3) for part in ("Name", "Value")),
)


def known_count(titles: Sequence[str]) -> int:
    """How many of `titles` this format knows; what tells the right delimiter from a wrong one."""
    return sum(_plain(title) in KNOWN for title in titles)


def read_header(titles: Sequence[str], *, ignore_unknown: bool) -> tuple[list[Column], list[Problem]]:
    """The columns in the file's order, and what is wrong with them. A problem that `stops` leaves nothing to read."""
    columns = [_column(index, title) for index, title in enumerate(titles)]
    return columns, [*_unknown(columns, ignored=ignore_unknown), *_left(columns), *_unusable(columns)]


def _column(index: int, title: str) -> Column:
    plain = _plain(title)
    if not plain:
        return Column(index, title, Role.BLANK)
    role, target = KNOWN.get(plain, (Role.LEFT if _LEFT_FAMILIES.fullmatch(plain) else Role.UNKNOWN, ""))
    return Column(index, " ".join(title.split()), role, target)


def _unknown(columns: Sequence[Column], *, ignored: bool) -> list[Problem]:
    reason = (
        "This column is not known and was left out"
        if ignored
        else "This column is not known; correct its name, delete it, or ask to ignore unknown columns"
    )
    severity = Severity.NOTE if ignored else Severity.ERROR
    return [
        Problem(1, column.title, shortened(column.title), f"{reason}.{did_you_mean(column.title, _TITLES)}", severity)
        for column in columns
        if column.role is Role.UNKNOWN
    ]


def _left(columns: Sequence[Column]) -> list[Problem]:
    titles = [column.title for column in columns if column.role is Role.LEFT]
    if not titles:
        return []
    reason = f"{len(titles)} known columns cannot be imported yet; what the store has there stays as it is."
    return [Problem(1, None, shortened(", ".join(titles), 200), reason, Severity.NOTE)]


def _unusable(columns: Sequence[Column]) -> list[Problem]:
    problems = []
    first: dict[tuple[Role, str | int], Column] = {}
    for column in columns:
        if column.role in {Role.LEFT, Role.BLANK, Role.UNKNOWN}:
            continue
        other = first.setdefault((column.role, column.target), column)
        if other is not column:
            reason = f"Columns {other.index + 1} and {column.index + 1} say the same thing; keep one of them."
            problems.append(Problem(1, column.title, shortened(column.title), reason, stops=True))
    if not any(column.role is Role.HANDLE for column in columns):
        found = shortened(", ".join(column.title for column in columns), 100)
        reason = 'There is no column "Handle" or "URL handle", so no row can be matched to a product; add it.'
        problems.append(Problem(1, "Handle", found, reason, stops=True))
    return problems
