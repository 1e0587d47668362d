"""The demo's spreadsheet, as somebody would have edited it: dearer drafts, new titles, counted stock, one slip."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from syncline.main.demo.shop import Contents, Row

COLUMNS = (
    *("Handle", "Title"),
    *(f"Option{number} {part}" for number in (1, 2, 3) for part in ("Name", "Value")),
    *("Variant SKU", "Variant Price", "Variant Inventory Qty"),
)
SLIP = "12,5o"
"""The one price in the sheet that is no number."""

_ADDED = Decimal("5.00")
_COUNTED = 7
# A store has titles that a spreadsheet would garble; whoever edits one leaves those alone.
_PLAIN_TITLE = re.compile(r"[A-Z][A-Za-z0-9 ]{2,60}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """`meant` is what the store holds once the sheet is pushed, of the records that it changes."""

    text: str
    rows: int
    meant: Contents

    @property
    def changes(self) -> int:
        return len(self.meant)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The store's rows, put together: variants by product, stock at one location by item."""

    products: Sequence[Row]
    variants: Mapping[int, Sequence[Row]]
    stock: Mapping[int, int]
    location: Row

    @classmethod
    def of(
        cls,
        *,
        products: Sequence[Row],
        variants: Sequence[Row],
        items: Sequence[Row],
        levels: Sequence[Row],
        place: Row,
    ) -> Catalogue:
        by_product: dict[int, list[Row]] = {}
        for variant in variants:
            by_product.setdefault(variant["product_id"], []).append(variant)
        tracked = {item["id"] for item in items if item["tracked"]}
        here = [level for level in levels if level["location_id"] == place["id"]]
        stock = {level["item_id"]: level["available"] for level in here if level["item_id"] in tracked}
        return cls(products, by_product, stock, place)


def make_sheet(catalogue: Catalogue) -> Sheet:
    """Edits about one product in forty of each sort. Prices are those of drafts only, so that they do not meet the bulk
    edit of active products."""
    most = max(1, len(catalogue.products) // 40)
    plain = [one for one in catalogue.products if _PLAIN_TITLE.fullmatch(one["title"]) and not one["is_gift_card"]]
    drafts = [one for one in plain if one["status"] == "DRAFT"][:most]
    active = [one for one in plain if one["status"] == "ACTIVE"]
    retitled, counted, slipped = active[:most], active[most : 2 * most], active[2 * most : 2 * most + 1]
    titles = {one["id"]: f"{one['title']} (2027)" for one in retitled}
    prices = {
        variant["id"]: str(Decimal(variant["price"]) + _ADDED)
        for one in drafts
        for variant in catalogue.variants[one["id"]]
    }
    stock = {
        variant["item_id"]: catalogue.stock[variant["item_id"]] + _COUNTED
        for one in counted
        for variant in catalogue.variants[one["id"]]
        if variant["item_id"] in catalogue.stock
    }
    slip = {catalogue.variants[one["id"]][-1]["id"]: SLIP for one in slipped}
    lines = list(_lines(catalogue, [*drafts, *retitled, *counted, *slipped], titles, {**prices, **slip}, stock))
    place = catalogue.location["id"]
    meant = Contents(prices, titles, {(item, place): quantity for item, quantity in stock.items()})
    return Sheet(_csv(lines), len(lines), meant)


def _lines(
    catalogue: Catalogue,
    products: Sequence[Row],
    titles: Mapping[int, str],
    prices: Mapping[int, str],
    stock: Mapping[int, int],
) -> Iterator[dict[str, str]]:
    """One line a variant, blank where nothing is to change."""
    for product in products:
        title = titles.get(product["id"], "")
        for variant in catalogue.variants[product["id"]]:
            quantity = stock.get(variant["item_id"])
            line = {
                "Handle": product["handle"],
                "Title": title,
                "Variant SKU": variant["sku"] or "",
                "Variant Price": prices.get(variant["id"], ""),
                "Variant Inventory Qty": "" if quantity is None else str(quantity),
            }
            for number, (option, value) in enumerate(
                zip(product["options"], variant["option_values"], strict=True), start=1
            ):
                line[f"Option{number} Name"] = option["name"]
                line[f"Option{number} Value"] = value
            yield line
            title = ""


def _csv(lines: Sequence[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()
