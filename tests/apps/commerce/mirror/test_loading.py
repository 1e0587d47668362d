from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import sql
from sqlalchemy import select

from syncline.apps.commerce.mirror.kinds import INVENTORY_LEVEL, PRODUCT, VARIANT
from syncline.apps.commerce.mirror.lines import sort_lines
from syncline.apps.commerce.mirror.loading import (
    differing,
    load_lines,
    look_up,
    prepare,
    refresh_statistics,
    store,
)
from syncline.apps.commerce.mirror.models import product, variant
from syncline.apps.commerce.mirror.repository import count_kind, find_parents_with_wrong_count, list_contents
from syncline.apps.commerce.mirror.tombstones import bury_all_orphans, bury_by_key
from syncline.kernel.ids import new_id
from syncline.main.testing.lines import load_catalog
from syncline.runtime.db.session import WriteSession

Line = Callable[..., bytes]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = "2026-11-22T11:00:00Z"
STORE = UUID("01920000-0000-7000-8000-000000000001")


async def _product(session: WriteSession, number: int = 1) -> Any:
    return (await session.execute(select(product).where(product.c.id == number))).mappings().one()


async def test_new_lines_are_inserted_and_kept_to_the_character(
    session: WriteSession, product_line: Line, variant_line: Line
) -> None:
    title = "\u202b قميص \u2028 \\ \t «🧥» "
    loaded = await load_lines(
        session, STORE, "products", [product_line(title=title), variant_line(price="12.50", sku="")], read_from=NOON
    )
    assert (loaded.read, loaded.inserted, loaded.updated, loaded.unchanged) == (2, 2, 0, 0)
    row = await _product(session)
    assert (row["title"], row["tags"], row["options"]) == (
        title,
        ["new", "Summer"],
        [{"name": "Size", "values": ["S"]}],
    )
    kept = (await session.execute(select(variant))).mappings().one()
    assert (str(kept["price"]), kept["sku"], kept["weight"], kept["cost"]) == (
        "12.50",
        "",
        Decimal("0.6"),
        Decimal("4.00"),
    )


async def test_the_same_lines_again_write_nothing(
    session: WriteSession, product_line: Line, variant_line: Line
) -> None:
    lines = [product_line(), variant_line()]
    await load_lines(session, STORE, "products", lines, read_from=NOON)
    before = await _product(session)
    loaded = await load_lines(session, STORE, "products", lines, read_from=NOON)
    assert (loaded.inserted, loaded.updated, loaded.unchanged) == (0, 0, 2)
    assert await _product(session) == before


async def test_another_order_of_members_is_no_change(session: WriteSession, product_line: Line) -> None:
    await load_lines(session, STORE, "products", [product_line()], read_from=NOON)
    swapped = product_line().replace(b'"vendor":"Acme","productType":"Shirt"', b'"productType":"Shirt","vendor":"Acme"')
    assert swapped != product_line()
    loaded = await load_lines(session, STORE, "products", [swapped], read_from=NOON)
    assert (loaded.inserted, loaded.updated, loaded.unchanged) == (0, 0, 1)


async def test_an_older_line_never_overwrites_a_newer_one(session: WriteSession, product_line: Line) -> None:
    await load_lines(
        session, STORE, "products", [product_line(title="new", updated_at="2026-11-22T11:00:00Z")], read_from=NOON
    )
    await load_lines(
        session, STORE, "products", [product_line(title="old", updated_at="2026-11-22T10:00:00Z")], read_from=NOON
    )
    assert (await _product(session))["title"] == "new"


async def test_a_line_that_was_refused_counts_as_no_change(session: WriteSession, product_line: Line) -> None:
    await load_lines(session, STORE, "products", [product_line(title="new", updated_at=LATER)], read_from=NOON)
    lines = [product_line(title="old"), product_line(2)]
    loaded = await load_lines(session, STORE, "products", lines, read_from=NOON)
    assert (loaded.inserted, loaded.updated, loaded.unchanged) == (1, 0, 1)


async def test_records_that_differ_are_counted_apart_from_those_that_do_not(
    session: WriteSession, product_line: Line
) -> None:
    await load_lines(session, STORE, "products", [product_line(number) for number in (1, 2, 3)], read_from=NOON)
    respelt = product_line(2).replace(
        b'"vendor":"Acme","productType":"Shirt"', b'"productType":"Shirt","vendor":"Acme"'
    )
    lines = [product_line(1, title="other"), respelt, product_line(3), product_line(4)]
    loaded = await load_lines(session, STORE, "products", lines, read_from=NOON)
    assert (loaded.inserted, loaded.updated, loaded.unchanged) == (1, 1, 2)


async def test_markers_are_seen_and_not_stored(session: WriteSession) -> None:
    lines = [b'{"id":"gid://shopify/Product/7"}', b'{"id":"gid://shopify/Product/8"}']
    loaded = await load_lines(session, STORE, "media", lines, read_from=NOON)
    assert (loaded.read, loaded.markers, loaded.inserted, loaded.unchanged) == (2, 2, 0, 0)
    assert loaded.keys == {"product_ref": [(7,), (8,)]}
    assert await count_kind(session, STORE, PRODUCT) == 0


async def test_a_line_the_database_cannot_hold_is_named_and_its_key_is_seen(
    session: WriteSession, product_line: Line
) -> None:
    loaded = await load_lines(session, STORE, "products", [product_line(title="a\x00b")], read_from=NOON)
    assert (loaded.inserted, loaded.unchanged, len(loaded.unreadable)) == (0, 0, 1)
    assert loaded.keys == {"product": [(1,)]}


async def test_what_was_looked_up_too_early_is_still_merged_right(session: WriteSession, product_line: Line) -> None:
    """Both chunks were looked up before either was stored: the newer record stays, and nothing is inserted twice."""
    newer = sort_lines([product_line(title="new", updated_at=LATER)], "products")
    older = sort_lines([product_line(title="old"), product_line(2)], "products")
    first, second = [await prepare(chunk, await look_up(session, STORE, chunk)) for chunk in (newer, older)]
    assert (await store(session, STORE, first, read_from=NOON)).inserted == 1
    loaded = await store(session, STORE, second, read_from=NOON)
    assert (loaded.inserted, loaded.updated, loaded.unchanged) == (1, 0, 1)
    assert (await _product(session))["title"] == "new"


async def test_a_store_newer_than_the_statistics_is_looked_up_by_its_key(
    session: WriteSession, product_line: Line
) -> None:
    await load_lines(session, STORE, "products", [product_line(number) for number in range(1, 500)], read_from=NOON)
    await refresh_statistics(session)
    driver = await session.driver()
    values = [new_id(), "{1,2}", "{1,2}", session.tenant_id]
    cursor = await driver.execute(sql.SQL("explain ") + differing(PRODUCT), values)
    plan = "\n".join(line for (line,) in await cursor.fetchall())
    assert "Index Scan using pk_product" in plan


async def test_a_line_named_twice_in_a_chunk_is_stored_once(session: WriteSession, product_line: Line) -> None:
    loaded = await load_lines(
        session, STORE, "products", [product_line(), product_line(2), product_line()], read_from=NOON
    )
    assert (loaded.read, loaded.inserted, loaded.duplicates) == (3, 2, 1)


async def test_a_deleted_product_is_not_brought_back_by_an_older_reading(
    session: WriteSession, product_line: Line
) -> None:
    await load_lines(session, STORE, "products", [product_line()], read_from=NOON)
    await bury_by_key(session, STORE, PRODUCT, [(1,)], moment=NOON)
    await load_lines(session, STORE, "products", [product_line()], read_from=NOON - timedelta(minutes=5))
    assert await count_kind(session, STORE, PRODUCT) == 0


async def test_a_record_named_by_a_later_reading_is_alive_again(session: WriteSession, level_line: Line) -> None:
    await load_lines(session, STORE, "inventory", [level_line()], read_from=NOON)
    await bury_by_key(session, STORE, INVENTORY_LEVEL, [(1100, 5)], moment=NOON)
    await load_lines(session, STORE, "inventory", [level_line()], read_from=NOON + timedelta(minutes=5))
    assert await count_kind(session, STORE, INVENTORY_LEVEL) == 1


async def test_deleting_a_product_buries_its_variants_and_their_levels(
    session: WriteSession, product_line: Line, variant_line: Line, level_line: Line
) -> None:
    lines = [
        product_line(),
        variant_line(),
        level_line(),
        product_line(2),
        variant_line(22, product=2),
        level_line(2200),
    ]
    await load_catalog(session, STORE, lines, read_from=NOON)
    await bury_by_key(session, STORE, PRODUCT, [(1,)], moment=NOON)
    assert await bury_all_orphans(session, STORE, moment=NOON) == {"products": 1, "inventory": 1}
    counts = [await count_kind(session, STORE, kind) for kind in (PRODUCT, VARIANT, INVENTORY_LEVEL)]
    assert counts == [1, 1, 1]


async def test_a_lost_variant_line_shows_in_its_products_own_count(
    session: WriteSession, product_line: Line, variant_line: Line
) -> None:
    lines = [product_line(variantsCount={"count": 2}), variant_line(), product_line(2), variant_line(22, product=2)]
    await load_lines(session, STORE, "products", lines, read_from=NOON)
    assert await find_parents_with_wrong_count(session, STORE, VARIANT, VARIANT.parents[0], limit=10) == [1]


async def test_an_unreadable_line_is_named_and_the_others_are_stored(session: WriteSession, product_line: Line) -> None:
    broken = [b'{"id":"gid://shopify/Metaobject/1"}', product_line(2, title=None), b"{"]
    loaded = await load_lines(session, STORE, "products", [product_line(), *broken], read_from=NOON)
    assert (loaded.inserted, len(loaded.unreadable)) == (1, 3)


async def test_the_hash_of_a_stored_row_is_the_hash_of_its_line(
    session: WriteSession, product_line: Line, variant_line: Line, level_line: Line
) -> None:
    lines = [product_line(publishedAt="2026-02-01T00:00:00Z"), variant_line(), level_line()]
    await load_catalog(session, STORE, lines, read_from=NOON)
    for kind in (PRODUCT, VARIANT, INVENTORY_LEVEL):
        found = {key: content async for page in list_contents(session, STORE, kind) for key, content in page.items()}
        stored = (await session.execute(select(kind.table.c.content_hash))).scalars().all()
        assert list(found.values()) == stored


async def test_another_store_with_the_same_ids_is_another_record(session: WriteSession, product_line: Line) -> None:
    await load_lines(session, STORE, "products", [product_line()], read_from=NOON)
    loaded = await load_lines(session, new_id(), "products", [product_line(title="other")], read_from=NOON)
    assert loaded.inserted == 1
    rows = (await session.execute(select(product.c.title).order_by(product.c.title))).scalars().all()
    assert rows == ["Product 1", "other"]
