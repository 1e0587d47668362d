"""What goes out and comes back unchanged stages nothing; one cell that was changed stages that one change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from syncline.apps.commerce.contract import ChangeQuery, ImportResult
from syncline.kernel.paging import PageRequest
from syncline.sandbox.shopify.generator import generate
from syncline.sandbox.shopify.state import NewVariant, Store

FORMATS = ("csv", "xlsx", "json", "jsonl", "parquet")
Export = Callable[..., Awaitable[Path]]
PRODUCTS = 60

# Titles, codes and option values that a spreadsheet would make something else of, or that a file may trip over.
DIRT = (
    "=SUM(A1:A2)", "+49 30 1234", "-5 °C Jacket", "@home", "'=1", "''", "'quoted", "00123", "3-11", "1e5", "TRUE",
    'a "b", c; d\te', "two\r\nlines\nand\rthree", "  padded  ", "_x000D_ literal", "🧶\u2028x", "قميص", "a\x0bb",
)  # fmt: skip


def fill(store: Store) -> None:
    generate(store, products=PRODUCTS, locations=1)
    (place,) = store.locations
    for number, text in enumerate(DIRT):
        store.add_product(
            title=text,
            handle=f"dirt-{number}",
            vendor=text,
            product_type=text,
            description_html=text,
            tags=[text.replace(",", "").strip()],
            seo_title=text,
            options=[("Size", [text, "other"])],
            variants=[
                NewVariant([text], "0.00", text, barcode=text, quantities={place: -3}, weight_unit="POUNDS"),
                NewVariant(["other"], "12345678.90", "", barcode="0012345678905", quantities={place: 0}),
            ],
            log=False,
        )


def fill_two_places(store: Store) -> None:
    generate(store, products=PRODUCTS, locations=2)


@pytest.fixture
async def dirty(open_shop: Any, make_pulled: Any) -> Any:
    """Everything that is hard to carry, at one location."""
    return await make_pulled(await open_shop(fill=fill))


@pytest.fixture
def export(tmp_path: Path) -> Export:
    async def write(pulled: Any, format: str, **options: Any) -> Path:  # noqa: A002 - the contract's word
        path = tmp_path / f"store.{format}"
        with path.open("wb") as file:
            await pulled.commerce.export_store(actor=pulled.actor, store="demo", file=file, format=format, **options)
        return path

    return write


async def taken(pulled: Any, path: Path, **options: Any) -> ImportResult:
    result: ImportResult = await pulled.commerce.import_sheet(
        actor=pulled.actor, store="demo", path=str(path), **options
    )
    return result


async def changes(pulled: Any, result: ImportResult) -> list[tuple[str, Any]]:
    assert result.batch is not None
    query = ChangeQuery(batch_id=result.batch.id)
    page = await pulled.commerce.list_changes(actor=pulled.actor, query=query, page=PageRequest(limit=100))
    return [(change.kind, change.after) for change in page.items]


@pytest.mark.parametrize("format", FORMATS)
async def test_what_comes_back_unchanged_stages_nothing(dirty: Any, export: Export, format: str) -> None:  # noqa: A002
    result = await taken(dirty, await export(dirty, format))
    assert [problem for problem in result.problems if problem.severity == "error"] == []
    assert (result.staged, result.batch) == (0, None)
    assert result.products == PRODUCTS + len(DIRT)
    # Each product, each variant and each quantity was compared.
    variants = round(PRODUCTS * 4.5) + 2 * len(DIRT)
    assert result.unchanged == PRODUCTS + len(DIRT) + 2 * variants
