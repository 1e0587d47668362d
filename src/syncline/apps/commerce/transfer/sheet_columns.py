"""The columns that a sheet may have, in every set that Shopify has published and under our own names, and what each is
to us.

Sets: 2017 and 2023 ("Handle", "Body (HTML)", "Variant Price"), 2021-2024 with "Status", "Product Category", columns for
markets ("Included / United States", "Price / International") and "Option1 Linked To", the template renamed in 2025
("URL handle", "Description", "SKU", "Compare-at price", "Continue selling when out of stock"), and the inventory CSV
("Location", "Available", "On hand"; from 2024 "Available (not editable)", "On hand (new)").
Source: help.shopify.com/en/manual/products/import-export/using-csv and its product_template.csv, and
help.shopify.com/en/manual/products/inventory/setup/inventory-csv, read November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from syncline.apps.commerce.field_text import shortened
from syncline.apps.commerce.fields import CATALOGUE
from syncline.apps.commerce.nearest import did_you_mean
from syncline.apps.commerce.transfer.metafield_columns import find_title
from syncline.apps.commerce.transfer.problems import Problem, Severity


class Role(StrEnum):
    """What the reader does with a column. A fact is shown in our own files and never changed by one; a column is left
    when it says something that cannot be imported."""

    HANDLE = "handle"
    FIELD = "field"
    OPTION_NAME = "option_name"
    OPTION_VALUE = "option_value"
    GRAMS = "grams"
    LOCATION = "location"
    METAFIELD = "metafield"
    IMAGE = "image"
    IMAGE_ALT = "image_alt"
    COMMAND = "command"
    FACT = "fact"
    LEFT = "left"
    BLANK = "blank"
    UNKNOWN = "unknown"


UNREAD = frozenset({Role.FACT, Role.LEFT, Role.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Column:
    """`title` as the file has it; `target` is the field's name, for an option its number from 0, and for a column that
    is left why. `type` is what the title of a metafield says of its type."""

    index: int
    title: str
    role: Role
    target: str | int = ""
    type: str | None = None


FIELD_TITLES: Mapping[str, tuple[str, ...]] = {
    "title": ("Title",),
    "description_html": ("Body (HTML)", "Body HTML", "Description"),
    "vendor": ("Vendor",),
    "product_type": ("Type", "Custom Product Type"),
    "status": ("Status",),
    "tags": ("Tags",),
    "template_suffix": ("Template Suffix",),
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

LEFT_BECAUSE: Mapping[str, str] = {
    "images": "Which image a variant has, and at what place each stands, cannot be imported yet",
    "metafields": "The name is none of a metafield; write it like Material (product.metafields.custom.material)",
    "markets": "What differs from market to market cannot be imported yet",
    "shopping": "Google Shopping's columns cannot be imported yet; the metafields in which Shopify keeps them can be",
    "category": "Shopify's product categories, their attributes and options linked to them cannot be imported yet",
    "publishing": "Where a product is published and whether it is a gift card cannot be imported yet",
    "selling": "Tax codes, unit prices and fulfillment services cannot be imported yet",
    "stock": "Of the stock only the available quantity can be imported",
}
"""Why a known column is left out; the key is the column's target."""

LEFT_TITLES: Mapping[str, tuple[str, ...]] = {
    "images": (*("Image Position", "Variant Image", "Variant image URL", "Images"),),
    "category": (
        *("Product Category", "Standardized Product Type", "Standard Product Type"),
        *("Option1 Linked To", "Option2 Linked To", "Option3 Linked To"),
    ),
    "publishing": ("Published", "Published Scope", "Published on online store", "Gift Card", "Collection"),
    "selling": (
        *("Variant Fulfillment Service", "Fulfillment service", "Variant Tax Code", "Tax code"),
        *("Unit Price Total Measure", "Unit Price Total Measure Unit"),
        *("Unit Price Base Measure", "Unit Price Base Measure Unit"),
    ),
    "stock": (
        *(
            "HS Code",
            "HS_Code",
            "COO",
            "Country_of_origin",
            "Bin name",
            "Incoming",
            "Unavailable",
            "Committed",
            "On hand",
            "On_hand",
        ),
        *("Incoming (not editable)", "Unavailable (not editable)", "Committed (not editable)"),
        *("Available (not editable)", "On hand (current)", "On hand (new)"),
    ),
}
_LEFT_FAMILIES: Mapping[str, re.Pattern[str]] = {
    "shopping": re.compile(r"google shopping / .+", re.IGNORECASE),
    "markets": re.compile(r"(included|price|compare[ -]at price) / .+", re.IGNORECASE),
    "category": re.compile(r"(.+\()?product\.metafields\.shopify\.[^()]+\)?", re.IGNORECASE),
    "metafields": re.compile(
        r".+\((product|variant)\.metafields\.[^()]+\)|(product|variant)\.metafields\..+|(variant )?metafield: .+",
        re.IGNORECASE,
    ),
}
IMAGE_TITLES = ("Image Src", "Product image URL")
IMAGE_ALT_TITLES = ("Image Alt Text",)
"""What products show: those of an image that a product does not have are added to it, and none is taken away."""
PROBLEM_TITLE = "Problem"
"""The column that a marked copy has behind its own; whoever reads the copy passes over it."""
FACTS = (
    *("product_id", "variant_id", "inventory_item_id", "location_id", "position", "is_gift_card"),
    *("created_at", "updated_at", "published_at"),
)


def plain(title: str) -> str:
    """Titles are told apart without regard to case and to how many blanks are in them."""
    return " ".join(title.split()).lower()


def _known() -> Iterator[tuple[str, tuple[Role, str | int]]]:
    """Later ones win: "Incoming" is Shopify's, and no field of ours."""
    for why, titles in LEFT_TITLES.items():
        yield from ((title, (Role.LEFT, why)) for title in titles)
    for field in CATALOGUE:
        yield field.name, (Role.FIELD, field.name)
    for name, titles in FIELD_TITLES.items():
        yield from ((title, (Role.FIELD, name)) for title in titles)
    yield from ((name, (Role.FACT, name)) for name in FACTS)
    yield from ((title, (Role.HANDLE, "")) for title in ("Handle", "URL handle"))
    yield from ((title, (Role.GRAMS, "")) for title in ("Variant Grams", "Weight value (grams)"))
    yield "Location", (Role.LOCATION, "")
    yield from ((title, (Role.IMAGE, "")) for title in IMAGE_TITLES)
    yield from ((title, (Role.IMAGE_ALT, "")) for title in IMAGE_ALT_TITLES)
    yield "Command", (Role.COMMAND, "")
    yield PROBLEM_TITLE, (Role.FACT, "problem")
    for place in range(3):
        for joint in (" ", "_"):
            yield f"Option{place + 1}{joint}name", (Role.OPTION_NAME, place)
            yield f"Option{place + 1}{joint}value", (Role.OPTION_VALUE, place)


KNOWN: Mapping[str, tuple[Role, str | int]] = {plain(title): meaning for title, meaning in _known()}
_SUGGESTED = (
    *("Handle", "URL handle", "Variant Grams", "Weight value (grams)", "Location", "Command"),
    *(*IMAGE_TITLES, *IMAGE_ALT_TITLES),
    *(title for titles in (*FIELD_TITLES.values(), *LEFT_TITLES.values()) for title in titles),
    *(f"Option{number} {part}" for number in (1, 2, 3) for part in ("Name", "Value")),
)


def known_count(titles: Sequence[str]) -> int:
    """How many of `titles` this format knows; what tells the right delimiter from a wrong one."""
    return sum(plain(title) in KNOWN or find_title(title) is not None for title in titles)


def read_header(
    titles: Sequence[str], *, ignore_unknown: bool, read_as: Sequence[str | None] | None = None
) -> tuple[list[Column], list[Problem]]:
    """The columns in the file's order, and what is wrong with them. A problem that `stops` leaves nothing to read.
    `read_as` has for each title the one that it stands for, None for a column that is to be left out."""
    meant = titles if read_as is None else read_as
    columns = [_called(title, as_, index) for index, (title, as_) in enumerate(zip(titles, meant, strict=True))]
    return columns, [*_unknown(columns, ignored=ignore_unknown), *_left(columns), *_unusable(columns)]


def _called(title: str, read_as: str | None, index: int) -> Column:
    """Under the file's own title, which is what messages name."""
    if read_as is None:
        return Column(index, " ".join(title.split()), Role.FACT, "left out")
    column = _column(index, read_as)
    return column if read_as == title else replace(column, title=" ".join(title.split()))


def _column(index: int, title: str) -> Column:
    name = plain(title)
    if not name:
        return Column(index, title, Role.BLANK)
    written = " ".join(title.split())
    metafield = find_title(written) if name not in KNOWN else None
    if metafield is not None:
        return Column(index, written, Role.METAFIELD, metafield.name.field, metafield.type)
    return Column(index, written, *_meaning(name))


def _meaning(name: str) -> tuple[Role, str | int]:
    found = KNOWN.get(name)
    if found is not None:
        return found
    family = next((why for why, pattern in _LEFT_FAMILIES.items() if pattern.fullmatch(name)), None)
    return (Role.UNKNOWN, "") if family is None else (Role.LEFT, family)


def unknown_column(title: str, *, ignored: bool, row: int = 1) -> Problem:
    reason = (
        "This column is not known and was left out"
        if ignored
        else "This column is not known; correct its name, delete it, or ask to ignore unknown columns"
    )
    severity = Severity.NOTE if ignored else Severity.ERROR
    return Problem(row, title, shortened(title), f"{reason}.{did_you_mean(title, _SUGGESTED)}", severity)


def _unknown(columns: Sequence[Column], *, ignored: bool) -> list[Problem]:
    return [unknown_column(column.title, ignored=ignored) for column in columns if column.role is Role.UNKNOWN]


def left_columns(why: str, titles: Sequence[str]) -> Problem:
    """One note for all columns that are left out for the same reason, with their names."""
    count = "This column is" if len(titles) == 1 else f"These {len(titles)} columns are"
    reason = f"{count} left out. {LEFT_BECAUSE[why]}; what the store has there stays as it is."
    return Problem(1, None, shortened(", ".join(titles), 2_000), reason, Severity.NOTE)


def _left(columns: Sequence[Column]) -> list[Problem]:
    titles: dict[str, list[str]] = {}
    for column in columns:
        if column.role is Role.LEFT:
            titles.setdefault(str(column.target), []).append(column.title)
    return [left_columns(why, titles[why]) for why in LEFT_BECAUSE if why in titles]


def _unusable(columns: Sequence[Column]) -> list[Problem]:
    problems = []
    first: dict[tuple[Role, str | int], Column] = {}
    for column in columns:
        if column.role in UNREAD or column.role is Role.BLANK:
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
