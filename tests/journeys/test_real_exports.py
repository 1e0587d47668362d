"""Eight real product exports as one shop of 1,663 products and 5,613 variants: pulled to the character, changed,
pushed, undone, and read back from their own files."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncline.apps.commerce.contract import ChangeBatch, ChangeQuery, PullMode, PullRun, RunStatus
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.main.testing.comparison import differences
from syncline.main.testing.shop import Shop, open_shop
from syncline.main.testing.works import Works, open_works
from syncline.sandbox.shopify.csv_store import load_csv

REAL = Path(__file__).parents[3] / "shared" / "data" / "shopify-product-csv"
FILES = sorted(REAL.glob("*.csv"))
PRODUCTS, VARIANTS = 1_663, 5_613
ONE = PageRequest(limit=1)

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not REAL.is_dir(), reason=f"the real product exports are not at {REAL}"),
]
Row = Mapping[str, str]


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def products() -> Iterator[tuple[Row, list[Row]]]:
    """Each product's first row, which says all of the product, and the rows of its variants."""
    for path in FILES:
        grouped: dict[str, list[Row]] = {}
        for row in rows_of(path):
            grouped.setdefault(row["Handle"], []).append(row)
        for rows in grouped.values():
            yield rows[0], [row for row in rows if row["Variant Price"]]


@pytest.fixture(scope="module")
async def works(databases: Any, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Works]:
    """One database for all of these tests: reading the shop is most of their work."""
    name = f"real_{new_id().hex}"
    settings = databases.create(name, template)
    async with open_works(settings, tmp_path_factory.mktemp("real")) as opened:
        yield opened
    databases.drop(name)


@pytest.fixture(scope="module")
async def shop() -> AsyncIterator[Shop]:
    async with open_shop(products=0) as opened:
        load_csv(opened.store, FILES)
        yield opened


@pytest.fixture(scope="module")
async def pulled(works: Works, shop: Shop) -> PullRun:
    await works.connect(shop)
    return await works.pull(PullMode.FULL)


async def count(works: Works, batch: ChangeBatch, search: str = "") -> int:
    query = ChangeQuery(batch_id=batch.id, search=search)
    found: int = (await works.commerce.list_changes(actor=works.actor, query=query, page=ONE)).total
    return found


async def test_everything_comes_in_and_the_counts_agree(works: Works, pulled: PullRun) -> None:
    assert (pulled.status, pulled.error) == (RunStatus.COMPLETED, None)
    assert pulled.reconciliation is not None
    counted = {kind.kind: (kind.in_store, kind.in_mirror) for kind in pulled.reconciliation.kinds}
    assert (counted["product"], counted["variant"]) == ((PRODUCTS, PRODUCTS), (VARIANTS, VARIANTS))
    assert counted["inventory_level"][1] == VARIANTS


async def test_every_product_is_kept_to_the_character(works: Works, shop: Shop, pulled: PullRun) -> None:
    query = (
        "SELECT handle, title, description_html, vendor, product_type, status, seo_title, seo_description,"
        " is_gift_card, tags, ARRAY(SELECT o->>'name' FROM jsonb_array_elements(options) AS o),"
        " published_at IS NOT NULL FROM commerce.product"
    )
    found = {row[0]: row[1:] for row in await works.rows(query)}
    expected = {
        first["Handle"]: (
            first["Title"],
            first["Body (HTML)"],
            first["Vendor"] or shop.store.shop.name,
            first["Type"],
            "active",
            first["SEO Title"] or None,
            first["SEO Description"] or None,
            first["Gift Card"] == "true",
            _tags(first["Tags"]),
            [first[f"Option{at} Name"] for at in (1, 2, 3) if first[f"Option{at} Name"]] or ["Title"],
            first["Published"] == "true",
        )
        for first, _ in products()
    }
    assert len(expected) == PRODUCTS
    assert [handle for handle in expected if found.get(handle) != expected[handle]] == []
    assert len(found) == PRODUCTS


def _tags(cell: str) -> list[str]:
    first: dict[str, str] = {}
    for tag in filter(None, map(str.strip, cell.split(","))):
        first.setdefault(tag.casefold(), tag)
    return [first[tag] for tag in sorted(first)]


async def test_every_variant_is_kept_to_the_character(works: Works, pulled: PullRun) -> None:
    query = (
        "SELECT p.handle, v.sku, v.barcode, v.price, v.compare_at_price, v.taxable, v.inventory_policy, v.tracked,"
        " v.requires_shipping, v.cost, l.available, v.weight, v.weight_unit,"
        " ARRAY(SELECT o->>'value' FROM jsonb_array_elements(v.selected_options) AS o)"
        " FROM commerce.variant v JOIN commerce.product p ON p.id = v.product_id"
        " JOIN commerce.inventory_level l USING (inventory_item_id) ORDER BY v.product_id, v.position"
    )
    found: dict[str, list[Any]] = {}
    grams: dict[str, list[int]] = {}
    for handle, *values, weight, unit, options in await works.rows(query):
        found.setdefault(handle, []).append((*values, unit, options))
        grams.setdefault(handle, []).append(int((weight * _GRAMS[unit]).quantize(Decimal(1))))
    differing = []
    for first, rows in products():
        names = [at for at in (1, 2, 3) if first[f"Option{at} Name"]]
        expected = [
            (
                row["Variant SKU"],
                row["Variant Barcode"],
                Decimal(row["Variant Price"]),
                _amount(row["Variant Compare At Price"]),
                row["Variant Taxable"] == "true",
                row["Variant Inventory Policy"],
                row["Variant Inventory Tracker"] == "shopify",
                row["Variant Requires Shipping"] == "true",
                _amount(row.get("Cost per item", "")),
                int(row["Variant Inventory Qty"]),
                _UNITS[row["Variant Weight Unit"]],
                [row[f"Option{at} Value"] for at in names],
            )
            for row in rows
        ]
        weights = [int(row["Variant Grams"] or 0) for row in rows]
        if (found[first["Handle"]], grams[first["Handle"]]) != (expected, weights):
            differing.append(first["Handle"])
    assert differing == []
    assert sum(map(len, found.values())) == VARIANTS


_UNITS = {"lb": "pounds", "kg": "kilograms", "oz": "ounces", "g": "grams"}
_GRAMS = {
    "pounds": Decimal("453.59237"),
    "kilograms": Decimal(1000),
    "ounces": Decimal("28.349523125"),
    "grams": Decimal(1),
}


def _amount(cell: str) -> Decimal | None:
    return Decimal(cell) if cell else None


async def test_the_dirt_is_there(works: Works, pulled: PullRun) -> None:
    ((largest, repeated, missing, html),) = await works.rows(
        "SELECT (SELECT max(n) FROM (SELECT count(*) AS n FROM commerce.variant GROUP BY product_id) AS sizes),"
        " (SELECT count(*) FROM (SELECT sku FROM commerce.variant WHERE sku <> '' GROUP BY sku HAVING count(*) > 1) s),"
        " (SELECT count(*) FROM commerce.variant WHERE sku = ''),"
        " (SELECT count(*) FROM commerce.product WHERE description_html ~ '<\\w+')"
    )
    skus = Counter(row["Variant SKU"] for _, rows in products() for row in rows)
    assert largest == 69
    assert missing == skus.pop("") > 100
    assert repeated == sum(count > 1 for count in skus.values()) > 10
    assert html > 1_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_file_read_back_changes_nothing(works: Works, pulled: PullRun, path: Path) -> None:
    place = "Main warehouse"
    result = await works.commerce.import_sheet(actor=works.actor, store="demo", path=str(path), location=place)
    assert (result.staged, result.batch) == (0, None)
    assert (result.errors, result.rows) == (0, len(rows_of(path)))
    assert result.products == len({row["Handle"] for row in rows_of(path)})


@pytest.mark.parametrize("form", ["csv", "xlsx", "json", "jsonl", "parquet"])
async def test_the_whole_shop_goes_out_and_comes_back_without_a_change(
    works: Works, pulled: PullRun, tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"shop.{form}"
    with path.open("wb") as file:
        written = await works.commerce.export_store(actor=works.actor, store="demo", file=file, format=form)
    assert (written.products, written.notes) == (PRODUCTS, ())
    result = await works.commerce.import_sheet(actor=works.actor, store="demo", path=str(path))
    assert [problem for problem in result.problems if problem.severity == "error"] == []
    assert (result.staged, result.products) == (0, PRODUCTS)
    # Each product and each variant was compared.
    assert result.unchanged >= PRODUCTS + VARIANTS


async def test_a_sheet_with_new_prices_is_staged_price_by_price(works: Works, pulled: PullRun, tmp_path: Path) -> None:
    path = FILES[-1]
    rows = [dict(row) for row in rows_of(path)]
    for row in rows:
        row["Variant Price"] = row["Variant Price"] and f"{Decimal(row['Variant Price']) + 1:.2f}"
    with (tmp_path / "new.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    given = {"actor": works.actor, "store": "demo", "location": "Main warehouse"}
    result = await works.commerce.import_sheet(path=file.name, **given)
    assert result.staged == sum(row["Variant Price"] != "" for row in rows)
    assert await count(works, result.batch, "field:price") == result.staged
    rejected = await works.commerce.reject(actor=works.actor, query=ChangeQuery(batch_id=result.batch.id))
    assert rejected.changed == result.staged


async def test_change_push_and_undo_leave_the_shop_as_it_was(works: Works, shop: Shop, pulled: PullRun) -> None:
    store_id = (await works.commerce.overview(actor=works.actor, store="demo")).store.id
    before = {kind: await shop.rows(kind) for kind in ("products", "variants", "items", "levels")}
    edits = ("price=+10%~.99", "compare_at_price=price", "tags=+syncline", "inventory=+3@Main warehouse")
    batch = await works.stage_approved('vendor:Marsell,Burton,"Levi\'s","United By Blue"', *edits)
    total = await count(works, batch)
    assert total > 1_400
    push = await works.push()
    assert (push.status, dict(push.counts)) == (RunStatus.COMPLETED, {"applied": total})
    assert max((await shop.writes()).values()) == 1
    changed = {row["id"]: row for row in await shop.rows("variants")}
    moved = [row for row in before["variants"] if changed[row["id"]]["price"] != row["price"]]
    assert len(moved) == await count(works, batch, "field:price")
    assert all(changed[row["id"]]["price"].endswith(".99") for row in moved)
    assert (await works.reconcile("content")).agreed

    undo = await works.commerce.stage_rollback(actor=works.actor, batch_id=batch.id)
    await works.approve(undo)
    back = await works.push()
    assert dict(back.counts) == {"applied": total}
    assert {kind: _plain(await shop.rows(kind)) for kind in before} == {
        kind: _plain(rows) for kind, rows in before.items()
    }
    assert (await works.reconcile("content")).agreed
    assert await differences(works, shop, store_id, without=["source_updated_at"]) == []


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the times that every write moves."""
    return [{name: value for name, value in row.items() if name != "updated_at"} for row in rows]


async def test_chosen_rows_of_a_batch_are_undone(works: Works, shop: Shop, pulled: PullRun) -> None:
    """Ten of the 69 variants of the largest product."""
    largest = max(shop.store.products.values(), key=lambda product: len(product.variant_ids))
    batch = await works.stage_approved(f"id:{largest.id}", "price=+5")
    await works.push()
    changes = await works.changes(batch)
    assert len(changes) == 69
    chosen = random.Random(3).sample(changes, 10)
    given = {"actor": works.actor, "batch_id": batch.id}
    undo = await works.commerce.stage_rollback(change_ids=[change.id for change in chosen], **given)
    await works.approve(undo)
    await works.push()
    prices = {variant.id: variant.price for variant in shop.store.variants_of(largest)}
    restored = {change.resource_id for change in chosen}
    for change in changes:
        wanted = change.before if change.resource_id in restored else change.after
        assert prices[change.resource_id] == wanted["price"]
    rest = await works.commerce.stage_rollback(
        change_ids=[change.id for change in changes if change not in chosen], **given
    )
    await works.approve(rest)
    await works.push()
    assert (await works.reconcile("content")).agreed
