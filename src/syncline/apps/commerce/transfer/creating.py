"""Products that a sheet names and the store does not have, as products to be made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from syncline.apps.commerce.fields import FIELDS, Kind, Owner, Value, decimal_text
from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.products.draft import DEFAULT, complaints, finish
from syncline.apps.commerce.products.service import place_stock
from syncline.apps.commerce.transfer.cells import unmarked
from syncline.apps.commerce.transfer.grams import GRAMS
from syncline.apps.commerce.transfer.metafield_cells import MetafieldTypes
from syncline.apps.commerce.transfer.problems import Problem
from syncline.apps.commerce.transfer.product_rows import ProductSheet, VariantSheet
from syncline.apps.commerce.whole_product import WholeProduct

_STEP = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Maker:
    """`location_id` is where quantities are meant whose row names no location; None when nobody knows."""

    location_id: int | None
    locations: Mapping[str, int]
    metafields: MetafieldTypes

    def product(self, sheet: ProductSheet) -> WholeProduct | list[Problem]:
        """What the rows of one handle make, or what is wrong with them."""
        problems: list[Problem] = []
        if sheet.earlier_row is not None:
            reason = (
                f"The rows of a product that is to be made must stand together; move it below row {sheet.earlier_row}."
            )
            return [Problem(sheet.row, "Handle", sheet.handle, reason)]
        made: WholeProduct = {
            "handle": sheet.handle,
            "status": "draft",
            "title": "",
            **_fields(sheet.fields, Owner.PRODUCT),
        }
        made["options"] = [{"name": name, "values": []} for name in sheet.option_names if name]
        if [option["name"] for option in made["options"]] == ["Title"] and _are_default(sheet):
            made["options"] = []
        made["metafields"] = self._metafields(sheet.row, sheet.fields, problems)
        made["media"] = [{"url": url, "alt": alt} for url, alt in sheet.images]
        made["variants"] = list(self._variants(sheet, bool(made["options"]), problems)) or [{"options": []}]
        finish(made)
        problems += [Problem(sheet.row, "Handle", sheet.handle, sentence) for sentence in complaints(made)]
        try:
            place_stock(made, self.locations)
        except ValueError as error:
            problems.append(Problem(sheet.row, "Location", "", f"{error}."))
        return problems or made

    def _variants(self, sheet: ProductSheet, has_options: bool, problems: list[Problem]) -> Iterator[dict[str, Any]]:
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        for row in sheet.variants:
            options = tuple(unmarked(value) for value in row.options if value) if has_options else ()
            variant = found.setdefault(options, {"options": list(options), "levels": [], "metafields": {}})
            if row.location is None:
                variant |= _fields(row.fields, Owner.VARIANT) | _weight(row)
                variant["metafields"] |= self._metafields(row.row, row.fields, problems)
            if "available" in row.fields:
                self._add_stock(row, variant, problems)
        yield from found.values()

    def _add_stock(self, row: VariantSheet, variant: dict[str, Any], problems: list[Problem]) -> None:
        quantity = row.fields["available"]
        if row.location is None and self.location_id is None:
            if quantity:
                reason = "The store has several locations and nobody said where this is; name the location."
                problems.append(Problem(row.row, "Variant Inventory Qty", str(quantity), reason))
            return
        level = {"location": row.location, "location_id": None if row.location else self.location_id}
        variant["levels"].append({**level, "available": quantity})
        variant.setdefault("tracked", True)

    def _metafields(self, row: int, given: Mapping[str, Value], problems: list[Problem]) -> dict[str, Any]:
        made = {}
        for found in self.metafields.changes(row, given, {}):
            if isinstance(found, Problem):
                problems.append(found)
            elif found is not None and isinstance(found.after, dict):
                name = find_name(found.field)
                assert name is not None
                made[name.dotted] = {"type": found.after["type"], "value": found.after["value"]}
        return made


def _are_default(sheet: ProductSheet) -> bool:
    return all(list(row.options) in ([], DEFAULT) for row in sheet.variants)


def _fields(given: Mapping[str, Value], owner: Owner) -> dict[str, Value]:
    """Texts without the mark that keeps a spreadsheet from computing them."""
    made: dict[str, Value] = {}
    for name, value in given.items():
        field = FIELDS.get(name)
        if field is None or field.owner is not owner:
            continue
        is_text = isinstance(value, str) and field.kind in {Kind.TEXT, Kind.HTML}
        made[name] = unmarked(value) if is_text and isinstance(value, str) else value
    return made


def _weight(row: VariantSheet) -> dict[str, Value]:
    if row.grams is None or "weight" in row.fields:
        return {}
    unit = str(row.fields.get("weight_unit") or "grams")
    return {"weight": decimal_text((Decimal(row.grams) / GRAMS[unit]).quantize(_STEP)), "weight_unit": unit}
