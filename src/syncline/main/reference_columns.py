"""The reference page of columns: what each kind of file holds, and what an import makes of every title."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from syncline.apps.commerce.fields import CATALOGUE, Owner
from syncline.apps.commerce.transfer.export.columns import (
    INVENTORY_COLUMNS,
    OUR_COLUMNS,
    SHOPIFY_COLUMNS,
    OutColumn,
)
from syncline.apps.commerce.transfer.export.service import MOST_METAFIELDS
from syncline.apps.commerce.transfer.sheet_columns import FACTS, FIELD_TITLES, LEFT_BECAUSE, LEFT_TITLES

_OF = {Owner.PRODUCT: "product", Owner.VARIANT: "variant", Owner.INVENTORY_LEVEL: "stock at a location"}


def columns_page() -> str:
    lines = [
        "# Columns of files",
        "",
        "Made by `python -m syncline.main.reference docs/reference`; change the code, not this page.",
        "How files are used: [Edit in a spreadsheet](../how-to/edit-in-a-spreadsheet.md).",
        "",
        "## What an import reads",
        "",
        "Titles are told apart without regard to case. Those of every year of Shopify's product CSV are known, and our",
        "own names. A row is found by `Handle` or `URL handle`, with `Option1 value` to `Option3 value` (or the SKU)",
        "for a variant and `Location` for stock. `Variant Grams` and `Weight value (grams)` are the weight in grams.",
        "",
        "| field | of | titles |",
        "|---|---|---|",
        *_read(),
        "",
        "`Command` says what is to become of a product: `new`, `merge`, `update` or `delete`. `Image Src` or",
        "`Product image URL`, with `Image Alt Text`, are images by their address, one a row: all those of a product",
        "that is to be made; of one that exists, those that it does not show yet are added behind the others. An",
        "address of another host counts as shown when an image of the same file name is: Shopify serves a copy of its",
        "own. No image is taken away, moved or given another text.",
        "",
        "A metafield of a product is `Material (product.metafields.custom.material)`, as in Shopify's product CSV,",
        "`product.metafields.custom.material`, `Metafield: custom.material [single_line_text_field]` or our own",
        "`metafield.custom.material`; of a variant `… (variant.metafields.…)`, `Variant Metafield: …` or",
        "`variant_metafield.…`. A cell is read in the type that the metafield has on this record, else in the one it",
        "has elsewhere in the store, else in the one the title says in brackets. Members of a list stand as JSON or",
        "with semicolons between them.",
        "",
        "## What an import leaves out, and says so",
        "",
        "| titles | why |",
        "|---|---|",
        *(f"| {_code(titles)} | {LEFT_BECAUSE[why]} |" for why, titles in LEFT_TITLES.items()),
        f"| `… (product.metafields.shopify.…)` | {LEFT_BECAUSE['category']} |",
        f"| `Google Shopping / …` | {LEFT_BECAUSE['shopping']} |",
        f"| `Included / …`, `Price / …`, `Compare-at price / …` | {LEFT_BECAUSE['markets']} |",
        f"| `… (product.metafields.…)` where the name is none | {LEFT_BECAUSE['metafields']} |",
        "",
        f"Facts that our own files show and no file changes: {_code(FACTS)}. Any other column is an error, or with",
        "`--ignore-unknown` a note.",
        "",
        *_written("Products as CSV and Excel", SHOPIFY_COLUMNS, "title", _SHOPIFY_NOTE),
        *_written("Products as Parquet", OUR_COLUMNS, "name", _PARQUET_NOTE),
        *_written("Stock, `--kind inventory`", INVENTORY_COLUMNS, "title", _STOCK_NOTE),
        "## Products as JSON and JSON Lines",
        "",
        "One object for each product, with the names of the table for Parquet: `id`, `handle`, the product's fields,",
        "`images` (`id`, `url`, `alt`), `options` (the names of its options) and `variants`. Each variant has `id`,",
        "`options` (its values), its fields and `levels`: `location_id`, `location`, `available`, `on_hand`,",
        "`committed`, `incoming`. Metafields stand as `metafield.custom.material` at the product and as",
        "`variant_metafield.custom.size` at the variant.",
        "",
    ]
    return "\n".join(lines)


_SHOPIFY_NOTE = (
    "Shopify's template of 2025, one row for each variant; what is said of the product stands in its first row, further"
    " images in further rows. `Inventory quantity` is there when the store has one location, the image columns when its"
    " media were read. Columns whose values the mirror does not hold are not there: Shopify's own importer takes an"
    " empty cell as “delete this”. Behind them stand the metafields that any product or variant has, each as a column"
    f" `Material (product.metafields.custom.material)`: at most {MOST_METAFIELDS} of products and as many of variants."
)
_PARQUET_NOTE = (
    "One row for each variant; what is said of the product stands in every row. Amounts are decimals, times are UTC."
)
_STOCK_NOTE = (
    "Shopify's inventory CSV, one row for each variant and location. `HS Code` and `COO` are there when the store's"
    " inventory items were read. Parquet and JSON have the same under our names."
)


def _read() -> Iterator[str]:
    for field in CATALOGUE:
        if field.editable:
            titles = [*FIELD_TITLES.get(field.name, ()), field.name]
            yield f"| {field.label} | {_OF[field.owner]} | {_code(titles)} |"


def _code(titles: Sequence[str]) -> str:
    return ", ".join(f"`{title}`" for title in titles)


def _written(heading: str, columns: Sequence[OutColumn], shown: str, note: str) -> Iterator[str]:
    yield from (f"## {heading}", "", note, "", "| column | type | always there |", "|---|---|---|")
    for column in columns:
        title = column.title if shown == "title" else column.name
        yield f"| `{title}` | {column.type} | {'yes' if column.is_key else ''} |"
    yield ""
