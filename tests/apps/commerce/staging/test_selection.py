"""Every search form, run against rows: what it finds and what it leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random

import pytest
from sqlalchemy import Table, func, select, update

from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.mirror.listing import list_records
from syncline.apps.commerce.mirror.models import product, variant
from syncline.apps.commerce.staging.selection import mirror_condition, parse_where
from syncline.main.testing.lines import load_catalog
from syncline.runtime.db.session import WriteSession

Line = Callable[..., bytes]
AddStore = Callable[..., Awaitable[Store]]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
async def store(
    session: WriteSession,
    add_store: AddStore,
    product_line: Line,
    variant_line: Line,
    location_line: Line,
    level_line: Line,
) -> Store:
    """Four live products (1 to 4) and a deleted one; variants 11 and 12 of the first, else one each; stock at two
    locations and at one that is closed."""
    made = await add_store()
    lines = [
        product_line(1, title="Red Shirt", publishedAt="2026-11-20T12:00:00Z"),
        product_line(
            2,
            title="Gift card",
            handle="card",
            vendor="ACME",
            productType="Gift card",
            status="DRAFT",
            tags=[],
            isGiftCard=True,
            updatedAt="2026-11-21T00:00:00Z",
        ),
        product_line(
            3,
            title='50% off_now \\ "deal" *',
            handle="50-off",
            vendor="",
            productType="",
            status="ARCHIVED",
            tags=["summer sale", "50%"],
            updatedAt="2026-11-20T23:59:59Z",
            seo={"title": "", "description": "none"},
        ),
        product_line(4, title="Ünder-Coat red", handle="coat", vendor="Größe & Söhne", tags=["ÉTÉ"], status="UNLISTED"),
        product_line(5, title="Gone red shirt"),
        variant_line(11, sku="AB-1", compareAtPrice="20.00"),
        variant_line(12, sku=None, price="100.00", barcode="", taxable=False, inventoryPolicy="CONTINUE"),
        variant_line(21, product=2, sku="", price="50.00"),
        variant_line(31, product=3, sku="50%_x", price="0.00"),
        variant_line(41, product=4, sku="none", price="12.5"),
        variant_line(51, product=5, sku="AB-1"),
        location_line(5, name="Main"),
        location_line(6, name="Flagship store"),
        location_line(7, name="Closed", is_active=False),
        level_line(1100, place=5, available=3),
        level_line(1100, place=6, available=0),
        level_line(2100, place=6, available=-2),
        level_line(3100, place=7, available=9),
        level_line(4100, place=5, available=12),
        level_line(5100, place=5, available=1),
    ]
    await load_catalog(session, made.id, lines, read_from=NOON)
    await bury(session, product, 5)
    return made


async def bury(session: WriteSession, table: Table, number: int) -> None:
    await session.execute(update(table).where(table.c.id == number).values(deleted_at=NOON))


async def found(session: WriteSession, store: Store, owner: Owner, text: str) -> list[int]:
    condition = mirror_condition(owner, parse_where(text))
    pages = [page async for page in list_records(session, store.id, owner, condition, currency="USD")]
    return [record.resource_id for page in pages for record in page]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [1, 2, 3, 4]),
        # values, whatever their case
        ("vendor:acme", [1, 2]),
        ("vendor:Acme,nobody", [1, 2]),
        ('vendor:"GRÖSSE & SÖHNE"', []),
        ('vendor:"größe & söhne"', [4]),
        ("vendor:none", [3]),
        ("-vendor:none", [1, 2, 4]),
        ("-vendor:acme", [3, 4]),
        ('type:"gift card"', [2]),
        ('product_type:"Gift"', []),
        ("status:active,draft", [1, 2]),
        ("-status:active,draft", [3, 4]),
        ("status:unlisted", [4]),
        ("handle:CARD", [2]),
        ("gift_card:yes", [2]),
        ("gift_card:no", [1, 3, 4]),
        # patterns: only * stands for anything
        ("title:*red*", [1, 4]),
        ("title:red*", [1]),
        ("title:*red", [4]),
        ('title:"red *"', [1]),
        ("title:*%*", [3]),
        ("title:*_*", [3]),
        (r"title:*\\*", [3]),
        (r'title:"*\"deal\"*"', [3]),
        (r"title:*\*", [3]),
        ("title:ünder*", [4]),
        ("title:?nder*", []),
        ("title:*-coat*", [4]),
        # tags: whole tags, any of them
        ("tag:summer", [1]),
        ("tag:SUMMER,new", [1]),
        ('tag:"summer sale"', [3]),
        ("tag:summer*", [1, 3]),
        ("tag:50%", [3]),
        ("tag:été", [4]),
        ("tag:none", [2]),
        ("-tag:none", [1, 3, 4]),
        ("-tag:summer*", [2, 4]),
        ("tag:new tag:summer", [1]),
        # empty, null and the word
        ("seo_title:none", [1, 2, 3, 4]),
        ("seo_description:none", [1, 2, 4]),
        ('seo_description:"none"', [3]),
        ("-seo_description:none", [3]),
        ("template_suffix:none", [1, 2, 3, 4]),
        # times: a day is all of it, in UTC
        ("updated_at:2026-11-21", [2]),
        ("updated_at:<2026-11-21", [3]),
        ("updated_at:<=2026-11-21", [2, 3]),
        ("updated_at:>2026-11-21", [1, 4]),
        ("updated_at:2026-11-20..2026-11-21", [2, 3]),
        ("updated_at:..2026-11-20", [3]),
        ("updated_at:>=2026-11-22T11:00+01:00", [1, 4]),
        ("updated_at:>2026-11-22T10:00:00Z", []),
        ("published_at:none", [2, 3, 4]),
        ("published_at:2026-11-20", [1]),
        ("-published_at:2026-11-20", [2, 3, 4]),
        ("-published_at:>2026-01-01", [2, 3, 4]),
        ("created_at:2026-01-01", [1, 2, 3, 4]),
        # numbers of the product
        ("id:2,3", [2, 3]),
        ("id:2..", [2, 3, 4]),
        ("-id:1", [2, 3, 4]),
        ("id:2.5", []),
        ("id:999999999999999", []),
        # of any of its variants
        ("sku:ab-1", [1]),
        ("sku:none", [1, 2]),
        ('sku:"none"', [4]),
        ("-sku:none", [3, 4]),
        ("-sku:ab-1", [2, 3, 4]),
        ("sku:50%_x", [3]),
        ("sku:50_%x", []),
        ("sku:*-*", [1]),
        ("price:12.50", [1, 4]),
        ("price:>12.50", [1, 2]),
        ("price:>=12.5", [1, 2, 4]),
        ("price:0", [3]),
        ("price:12.50..50", [1, 2, 4]),
        ("price:..12.49", [3]),
        ("-price:>12.50", [3, 4]),
        ("price:<20 price:>90", [1]),
        ("compare_at_price:none", [1, 2, 3, 4]),
        ("-compare_at_price:none", []),
        ("compare_at_price:>1", [1]),
        ("-compare_at_price:>1", [2, 3, 4]),
        ("cost:4", [1, 2, 3, 4]),
        ("taxable:false", [1]),
        ("inventory_policy:continue", [1]),
        ("variant_id:11,41", [1, 4]),
        # of any stock of any of its variants
        ("available:<0", [2]),
        ("available:0", [1]),
        ("available:>2", [1, 3, 4]),
        ("available:1.5..2.5", []),
        ("available:>99999999999", []),
        ("location:Main", [1, 4]),
        ('location:"flagship store"', [1, 2]),
        ("-location:Main", [2, 3]),
        ("location:*", [1, 2, 3, 4]),
        # free text: title, handle, vendor, SKU; every word
        ("red", [1, 4]),
        ("RED shirt", [1]),
        ('"red shirt"', [1]),
        ('"shirt red"', []),
        ("-red", [2, 3]),
        ("50%", [3]),
        ("%", [3]),
        ("_", [3]),
        (r"\\", [3]),
        ("ab-1", [1]),
        ("-ab-1", [2, 3, 4]),
        ("söhne", [4]),
        ("product-1", [1]),
        ("r*t", [1, 4]),
        # several together
        ("vendor:acme -status:draft price:..13", [1]),
        ("red -tag:été", [1]),
    ],
)
async def test_products_found(session: WriteSession, store: Store, text: str, ids: list[int]) -> None:
    assert await found(session, store, Owner.PRODUCT, text) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [11, 12, 21, 31, 41]),
        # of the product they belong to
        ("vendor:acme", [11, 12, 21]),
        ("tag:summer*", [11, 12, 31]),
        ("-tag:none", [11, 12, 31, 41]),
        ("status:active updated_at:2026-11-22", [11, 12]),
        ("published_at:none", [21, 31, 41]),
        # their own: each for itself
        ("sku:none", [12, 21]),
        ("-sku:none", [11, 31, 41]),
        ("price:>12.50", [12, 21]),
        ("-compare_at_price:>1", [12, 21, 31, 41]),
        ("barcode:none", [11, 12, 21, 31, 41]),
        ("weight_unit:kilograms weight:0.6", [11, 12, 21, 31, 41]),
        ("variant_id:12", [12]),
        ("id:1", [11, 12]),
        ("taxable:no", [12]),
        # of their stock
        ("available:0", [11]),
        ("-available:0", [12, 21, 31, 41]),
        ("location:flag*", [11, 21]),
        ("location:Main available:0", [11]),
        # free text looks into the product and the variant's own SKU
        ("red", [11, 12, 41]),
        ("ab-1", [11]),
        ("acme -ab-1", [12, 21]),
    ],
)
async def test_variants_found(session: WriteSession, store: Store, text: str, ids: list[int]) -> None:
    assert await found(session, store, Owner.VARIANT, text) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [1100, 1100, 2100, 4100]),
        ("location:Main", [1100, 4100]),
        ("-location:main", [1100, 2100]),
        ("available:<=0", [1100, 2100]),
        ("available:3", [1100]),
        ("-available:3", [1100, 2100, 4100]),
        ("sku:AB-1", [1100, 1100]),
        ("sku:none", [2100]),
        ("vendor:acme location:main", [1100]),
        ("tag:été", [4100]),
        ("red", [1100, 1100, 4100]),
        ("price:12.50 available:>5", [4100]),
    ],
)
async def test_stock_found_is_that_of_open_locations(
    session: WriteSession, store: Store, text: str, ids: list[int]
) -> None:
    assert await found(session, store, Owner.INVENTORY_LEVEL, text) == ids


async def test_what_is_deleted_is_never_found(session: WriteSession, store: Store) -> None:
    await bury(session, variant, 31)
    assert await found(session, store, Owner.VARIANT, "id:3,5") == []
    assert await found(session, store, Owner.PRODUCT, "sku:50%_x") == []
    assert await found(session, store, Owner.INVENTORY_LEVEL, "id:5") == []


async def test_another_store_and_another_tenant_are_never_found(
    session: WriteSession, store: Store, add_store: AddStore
) -> None:
    other = await add_store("other")
    assert await found(session, other, Owner.PRODUCT, "") == []
    condition = mirror_condition(Owner.PRODUCT, parse_where(""))
    session.tenant_id = None
    assert [page async for page in list_records(session, store.id, Owner.PRODUCT, condition, currency="USD")] == []


HOSTILE = (
    "'; DROP TABLE commerce.product; --",
    "' OR '1'='1",
    "') OR 1=1 --",
    "\\'; SELECT pg_sleep(10); --",
    "$$; DELETE FROM commerce.product; $$",
    "%(tenant_id)s :name {0} %s %%",
    "\u2019\u02bc OR TRUE",
)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("field", ["title", "vendor", "tag", "sku", "location", None])
async def test_what_looks_like_sql_is_text(
    session: WriteSession, store: Store, hostile: str, field: str | None
) -> None:
    quoted = '"{}"'.format(hostile.replace("\\", "\\\\").replace('"', '\\"'))
    text = quoted if field is None else f"{field}:{quoted}"
    assert await found(session, store, Owner.PRODUCT, text) == []
    assert await found(session, store, Owner.PRODUCT, f"-{text}") == [1, 2, 3, 4]
    assert (await session.execute(select(func.count()).select_from(product))).scalar_one() == 5


ALPHABET = "aB%_\\\"'*:,-()[]{} .;|&áÜ\u0130\u00dfбب日🧥\u200b\t"


async def test_any_text_is_found_by_itself_in_quotes_and_nothing_else_is(
    session: WriteSession, add_store: AddStore, product_line: Line
) -> None:
    """Sixty texts of awkward signs: whatever a value holds, its quoted form is that value."""
    random = Random(11)
    made = await add_store()
    texts = [f"{''.join(random.choices(ALPHABET, k=random.randrange(1, 9)))}{number}" for number in range(60)]
    lines = [product_line(number, title=text, tags=[]) for number, text in enumerate(texts, start=1)]
    await load_catalog(session, made.id, lines, read_from=NOON)
    for number, text in enumerate(texts, start=1):
        quoted = "".join(f"\\{sign}" if sign in '\\"*,' else sign for sign in text)
        assert (text, await found(session, made, Owner.PRODUCT, f'title:"{quoted}"')) == (text, [number])
        assert number in await found(session, made, Owner.PRODUCT, f'"{quoted}"')
        assert number in await found(session, made, Owner.PRODUCT, f'title:"{quoted[:-1].rstrip(chr(92))}*"')


async def test_a_thousand_pasted_skus_are_one_search(
    session: WriteSession, add_store: AddStore, product_line: Line, variant_line: Line
) -> None:
    made = await add_store()
    numbers = range(1, 1001)
    lines = [product_line(number) for number in numbers]
    lines += [variant_line(number, product=number, sku=f"SKU-{number}") for number in numbers]
    await load_catalog(session, made.id, lines, read_from=NOON)
    wanted = ",".join(f"sku-{number}" for number in numbers)
    assert await found(session, made, Owner.VARIANT, f"sku:{wanted}") == list(numbers)


async def test_more_than_one_page_is_listed_once_and_whole(
    session: WriteSession, add_store: AddStore, product_line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await add_store()
    await load_catalog(session, made.id, [product_line(number) for number in range(1, 23)], read_from=NOON)
    monkeypatch.setattr("syncline.apps.commerce.mirror.listing.PAGE", 7)
    assert await found(session, made, Owner.PRODUCT, "") == list(range(1, 23))
    assert await found(session, made, Owner.PRODUCT, "id:..7") == list(range(1, 8))
