"""Products as rows of a table, or as JSON objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from syncline.apps.commerce.transfer.cells import Cell
from syncline.apps.commerce.transfer.export.columns import OutColumn, Spot
from syncline.apps.commerce.transfer.export.records import LevelRecord, ProductRecord, VariantRecord

Row = list[Cell]


def table_rows(product: ProductRecord, columns: Sequence[OutColumn], *, repeats: bool) -> Iterator[Row]:
    """One row for each variant, with an image in each until they are used up, and further rows for further images.
    Values of the product stand in the first row only, unless the table `repeats` them; then images are no rows."""
    images = [] if repeats else product.images
    for place in range(max(len(product.variants), len(images), 1)):
        variant = product.variants[place] if place < len(product.variants) else None
        spot = Spot(product, variant, is_first=place == 0, image=images[place] if place < len(images) else None)
        yield [column.value(spot) if repeats or spot.is_first or not column.of_product else None for column in columns]


def stock_row(spot: Spot, columns: Sequence[OutColumn]) -> Row:
    return [column.value(spot) for column in columns]


def product_object(product: ProductRecord, names: frozenset[str]) -> dict[str, Any]:
    """A product with its variants and their stock; of the fields only `names`."""
    made: dict[str, Any] = {"id": product.id, "handle": product.fields["handle"]}
    made |= _picked(product.fields, names, without="handle")
    facts = {
        "is_gift_card": product.is_gift_card,
        "created_at": product.created_at,
        "updated_at": product.updated_at,
        "published_at": product.published_at,
    }
    made |= _picked(facts, names)
    made |= _picked({"images": [{"id": one.id, "url": one.url, "alt": one.alt} for one in product.images]}, names)
    made |= _picked(product.metafields, names)
    made["options"] = list(product.options)
    made["variants"] = [_variant_object(variant, names) for variant in product.variants]
    return made


def _picked(values: Any, names: frozenset[str], *, without: str = "") -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != without and name in names}


def _variant_object(variant: VariantRecord, names: frozenset[str]) -> dict[str, Any]:
    facts = {"inventory_item_id": variant.item_id, "position": variant.position}
    made: dict[str, Any] = {"id": variant.id, **_picked(facts, names), "options": list(variant.options)}
    made |= _picked(variant.fields, names)
    made |= _picked(variant.metafields, names)
    if "available" in names:
        made["levels"] = [_level_object(level) for level in variant.levels]
    return made


def _level_object(level: LevelRecord) -> dict[str, Any]:
    return {
        "location_id": level.location_id,
        "location": level.location,
        "available": level.available,
        "on_hand": level.on_hand,
        "committed": level.committed,
        "incoming": level.incoming,
    }


def stock_object(spot: Spot, columns: Sequence[OutColumn]) -> dict[str, Any]:
    """The row of an inventory table under our names."""
    return {column.name: column.value(spot) for column in columns}
