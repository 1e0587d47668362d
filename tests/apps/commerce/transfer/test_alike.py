"""What the database settles for a whole chunk is what reading its rows would have come to, whatever is in the sheet."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from syncline.apps.commerce.contract import ImportProblem, Store
from syncline.apps.commerce.fields import FIELDS
from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.transfer import repository
from syncline.apps.commerce.transfer.chunk_table import Layout, Stock
from syncline.apps.commerce.transfer.comparing import question_of
from syncline.apps.commerce.transfer.intake import Intake, Tally
from syncline.apps.commerce.transfer.matching import Matcher
from syncline.apps.commerce.transfer.problems import Problem
from syncline.apps.commerce.transfer.product_csv import SheetReading, read_products
from syncline.apps.commerce.transfer.service import ImportOptions, import_sheet
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor
from syncline.main.testing.lines import load_catalog
from syncline.runtime.db.session import WriteSession

Line = Callable[..., bytes]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MAIN, SHOP = 5, 6
PLACES = {"Main": MAIN, "Shop": SHOP}

# Options that a spreadsheet marks, that differ in their case only, or that begin with the mark themselves.
SHELF: Mapping[str, tuple[tuple[str, ...], Sequence[tuple[str, ...]]]] = {
    "tee": (("Color", "Size"), [("Red", "S"), ("Red", "M"), ("Blue", "S")]),
    "mug": (("Title",), [("Default Title",)]),
    "kid": (("Size",), [("2-3",), ("'2-3",), ("00123",), ("s",), ("S",)]),
    "=odd": (("Name",), [("=1+1",), ("  padded ",), ("a / b",)]),
}
COLUMNS = (
    *("Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Status", "SEO Title"),
    *("Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value"),
    *("Variant SKU", "Variant Barcode", "Variant Price", "Variant Compare At Price", "Cost per item"),
    *("Variant Taxable", "Variant Inventory Policy", "Variant Inventory Tracker", "Variant Grams"),
    *("Variant Weight Unit", "Variant Requires Shipping", "Variant Inventory Qty", "Location"),
)
KEYS = ("Handle", "Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value")
SETS: Sequence[Sequence[str]] = (
    COLUMNS,
    [title for title in COLUMNS if title != "Location"],
    (*KEYS, "Variant Price"),
    ("Handle", "Variant SKU", "Variant Price"),
    ("Handle", "Variant Price", "Title"),
    (*KEYS, "Variant SKU", "Location", "Variant Inventory Qty"),
    (*KEYS, "Variant Inventory Tracker", "Variant Inventory Qty", "Tags"),
    ("Handle", "Title", "Body (HTML)", "Tags", "Status"),
)


@pytest.fixture
async def store(
    session: WriteSession,
    add_store: Callable[..., Awaitable[Store]],
    product_line: Line,
    variant_line: Line,
    level_line: Line,
    location_line: Line,
) -> Store:
    made = await add_store()
    lines = [location_line(MAIN, name="Main"), location_line(SHOP, name="Shop")]
    for number, (handle, (names, variants)) in enumerate(SHELF.items(), 1):
        options = [
            {
                "id": f"gid://shopify/ProductOption/{at}",
                "name": name,
                "position": at,
                "values": [row[at] for row in variants],
            }
            for at, name in enumerate(names)
        ]
        more = {"title": f"The {handle}", "descriptionHtml": "<p>a\r\nb</p>", "vendor": "=Acme", "tags": ["b", "a c"]}
        lines.append(product_line(number, handle=handle, options=options, **more))
        for at, values in enumerate(variants):
            lines.append(variant(variant_line, number, at, names, values))
            lines += [level_line(int(f"{number}{at}00"), place=place, available=at) for place in [MAIN, SHOP][: at + 1]]
    await load_catalog(session, made.id, lines, read_from=NOON)
    return made


def variant(line: Line, product: int, at: int, names: Sequence[str], values: Sequence[str]) -> bytes:
    number = int(f"{product}{at}")
    item = {
        "id": f"gid://shopify/InventoryItem/{number}00",
        "tracked": at != 1,
        "requiresShipping": True,
        "unitCost": [{"amount": "4.00"}, None][at % 2],
        "measurement": {"weight": {"value": 0.6 * at, "unit": ["POUNDS", "KILOGRAMS"][at % 2]}},
    }
    return line(
        number,
        product=product,
        position=at + 1,
        sku=["T-1", "T-1", "00123", None, ""][at],
        barcode=[None, "0012345678905", "'7", "1e5", "x"][at],
        price=f"{at}.50",
        compareAtPrice=[None, "20.00"][at % 2],
        selectedOptions=[{"name": name, "value": value} for name, value in zip(names, values, strict=True)],
        inventoryItem=item,
    )


def exported(title: str, handle: str, at: int, place: str) -> str:
    """What a sheet that was exported has there; product cells in the first row only."""
    names, variants = SHELF[handle]
    of_product = {
        "Title": f"The {handle}", "Body (HTML)": "<p>a\r\nb</p>", "Vendor": "'=Acme", "Type": "Shirt",
        "Tags": "b, a c", "Status": "active", "SEO Title": "",
        "Option1 Name": names[0], "Option2 Name": "".join(names[1:]),
    }  # fmt: skip
    of_variant = {
        "Handle": handle, "Location": place,
        "Option1 Value": marked(variants[at][0]), "Option2 Value": "".join(variants[at][1:]),
        "Variant SKU": ["T-1", "T-1", "'00123", "", ""][at],
        "Variant Barcode": ["", "'0012345678905", "'7", "'1e5", "x"][at],
        "Variant Price": f"{at}.50", "Variant Compare At Price": ["", "20.00"][at % 2],
        "Cost per item": ["4.00", ""][at % 2], "Variant Taxable": "TRUE", "Variant Inventory Policy": "DENY",
        "Variant Inventory Tracker": "shopify" * (at != 1),
        "Variant Grams": ["0", "600", "544.310844", "1800", "1088.621688"][at],
        "Variant Weight Unit": ["lb", "kg"][at % 2], "Variant Requires Shipping": "true",
        "Variant Inventory Qty": str(at),
    }  # fmt: skip
    return of_variant[title] if title in of_variant else of_product[title] * (at == 0)


def marked(value: str) -> str:
    return {"2-3": "'2-3", "'2-3": "''2-3", "00123": "'00123", "=1+1": "'=1+1"}.get(value, value)


def another(dice: random.Random, text: str) -> str:
    """Mostly the cell as it is; else another spelling, another value, or what is none."""
    others = (
        "",
        " ",
        f" {text}",
        text.upper(),
        f"'{text}",
        text.removeprefix("'"),
        f"{text}0",
        "7.25",
        "x\x1fy",
        "=1+1",
    )
    return dice.choice([text, text, dice.choice(others)]) if dice.random() < 0.04 else text


def sheet(dice: random.Random) -> bytes:
    titles = dice.choice(SETS)
    places = dice.choice([("",), ("",), ("Main",), ("Shop", "Main", "shop")])
    rows = [
        [another(dice, exported(title, handle, at, dice.choice(places))) for title in titles]
        for handle, (_, variants) in SHELF.items()
        for at in range(len(variants))
        if dice.random() < 0.97
    ]
    rows += [dice.choice(rows) for _ in range(dice.choice([0, 0, 0, 1]))]
    dice.choice([lambda _: None, lambda _: None, dice.shuffle])(rows)
    written = io.StringIO(newline="")
    csv.writer(written).writerows([titles, *rows])
    return written.getvalue().encode()


Found = tuple[list[Any], int, int, list[Any]]


async def row_by_row(session: WriteSession, store: Store, data: bytes, place: int | None) -> Found:
    """What comes of reading every row."""
    matcher = Matcher(location_id=place, near_handles=lambda _: (), locations=PLACES)
    proposals, problems, unchanged, products = [], [], 0, 0
    for batch in read_products(io.BytesIO(data), currency="USD"):
        mirror = await repository.find_products(session, store, [one.handle for one in batch.products], fields=FIELDS)
        matched = matcher.match(batch.products, mirror)
        proposals += matched.proposals
        problems += [*batch.problems, *matched.problems]
        unchanged += matched.unchanged
        products += len(batch.products)
    changes = [
        (one.owner.value, one.id, one.location_id, {change.field: change.after for change in one.changes})
        for one in proposals
    ]
    return sorted(changes, key=repr), unchanged, products, [told(one) for one in problems]


async def imported(session: WriteSession, store: Store, data: bytes, place: str | None, actor: Actor) -> Found:
    taken = await session.begin_nested()
    result = await import_sheet(
        session,
        store=store,
        file=io.BytesIO(data),
        name="any.csv",
        actor=actor,
        options=ImportOptions(keep_good=True, location=place),
    )
    changes = await staged(session)
    await taken.rollback()
    return changes, result.unchanged, result.products, [told(one) for one in result.problems]


async def staged(session: WriteSession) -> list[Any]:
    table = staged_change.c
    rows = await session.execute(select(table.kind, table.resource_id, table.location_id, table.after))
    return sorted(map(tuple, rows), key=repr)


def told(problem: Problem | ImportProblem) -> tuple[Any, ...]:
    """Without the handles that look alike, which only the import knows."""
    return problem.row, problem.column, problem.value, problem.reason.partition(" Did you mean")[0]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("place", [None, "Main"])
async def test_any_sheet_comes_to_what_its_rows_come_to(
    session: WriteSession, store: Store, owner: Actor, seed: int, place: str | None
) -> None:
    dice = random.Random(f"{seed} {place}")
    for _ in range(15):
        data = sheet(dice)
        wanted = await row_by_row(session, store, data, PLACES.get(str(place)))
        assert await imported(session, store, data, place, owner) == wanted, data.decode()


def whole(titles: Sequence[str], places: Sequence[str]) -> bytes:
    """Every row of some products, as it was exported."""
    written = io.StringIO(newline="")
    rows = csv.writer(written)
    rows.writerow(titles)
    rows.writerows(
        [exported(title, handle, at, place) for title in titles]
        for handle in ("tee", "mug", "=odd")
        for at in range(len(SHELF[handle][1]))
        for place in places[: at + 1]
    )
    return written.getvalue().encode()


@pytest.mark.parametrize(
    ("titles", "places", "read"),
    [
        # A barcode of the tee begins with an apostrophe, an option value of the odd one with a blank: both are read.
        (SETS[1], [""], {0, 2}),
        (SETS[2], [""], {2}),
        (SETS[5], ["Main", "Shop"], {2}),
        (SETS[7], [""], set()),
    ],
)
async def test_what_is_as_it_was_is_settled_without_reading_its_rows(
    session: WriteSession,
    store: Store,
    owner: Actor,
    titles: Sequence[str],
    places: Sequence[str],
    read: Collection[int],
) -> None:
    data = whole(titles, places)
    reading = SheetReading(io.BytesIO(data), currency="USD")
    (chunk,) = reading.chunks()
    layout = Layout.of(reading.columns, reading.rows, "USD")
    question = question_of(layout, chunk, Stock(MAIN, is_told=False, places=PLACES))
    assert question is not None
    assert list(question.settled) == [0, 1, 2]
    assert await repository.find_unlike(session, store, question, places=PLACES) == read
    changes, _, products, problems = await imported(session, store, data, "Main", owner)
    assert (changes, products, problems) == ([], 3, [])


def lines_of(*rows: str) -> bytes:
    return "\n".join(("Handle,Option1 Value,Option2 Value,Variant Price", *rows)).encode()


SETTLED = ("tee,Red,S,0.50", "tee,Red,M,1.50", "mug,Default Title,,0.50")


async def test_a_settled_product_that_returns_is_read_at_both_places(
    session: WriteSession, store: Store, owner: Actor
) -> None:
    data = lines_of(*SETTLED, "tee,Blue,S,9.00")
    changes, unchanged, products, problems = await imported(session, store, data, None, owner)
    assert changes == [("variant", 12, None, {"price": "9.00"})]
    assert (unchanged, products) == (3, 3)
    assert [(row, value) for row, _, value, _ in problems] == [(5, "tee")]


async def test_a_settled_row_that_is_repeated_far_below_is_named(
    session: WriteSession, store: Store, owner: Actor
) -> None:
    changes, _, _, problems = await imported(session, store, lines_of(*SETTLED, "tee,Red,M,9.00"), None, owner)
    assert changes == []
    assert [(row, reason) for row, _, _, reason in problems][1] == (
        5,
        "The same handle and options stand in row 3 already; keep one of the two rows.",
    )


async def in_chunks(session: WriteSession, store: Store, data: bytes, lines: int) -> tuple[list[Any], Tally]:
    taken = await session.begin_nested()
    intake = Intake(
        session=session,
        store=store,
        batch_id=new_id(),
        author="somebody",
        open=partial(SheetReading, io.BytesIO(data), currency="USD", chunk_lines=lines),
        place=MAIN,
        places=PLACES,
        progress=None,
    )
    tally = await intake.take()
    changes = await staged(session)
    await taken.rollback()
    return changes, tally


async def test_what_was_staged_before_a_handle_returned_is_staged_once(session: WriteSession, store: Store) -> None:
    data = lines_of("tee,Red,S,7.00", "mug,Default Title,,7.00", "=odd,a / b,,7.00", "tee,Red,M,7.00")
    changes, tally = await in_chunks(session, store, data, 1)
    assert [number for _, number, _, _ in changes] == [10, 11, 20, 42]
    assert (tally.staged, tally.rows) == (4, 4)


@pytest.mark.parametrize("lines", [1, 2, 3, 7])
async def test_where_a_chunk_ends_makes_no_difference(session: WriteSession, store: Store, lines: int) -> None:
    dice = random.Random(lines)
    for _ in range(10):
        data = sheet(dice)
        wanted = await row_by_row(session, store, data, MAIN)
        changes, tally = await in_chunks(session, store, data, lines)
        found = changes, tally.unchanged, tally.products, [told(one) for one in tally.problems]
        assert found == wanted, data.decode()


async def test_products_of_another_store_settle_nothing(
    session: WriteSession, store: Store, owner: Actor, add_store: Callable[..., Awaitable[Store]]
) -> None:
    other = await add_store("other")
    _, unchanged, products, problems = await imported(session, other, lines_of(*SETTLED), None, owner)
    assert (unchanged, products) == (0, 2)
    assert [row for row, _, _, _ in problems] == [2, 4]
