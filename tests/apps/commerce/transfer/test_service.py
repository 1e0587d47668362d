from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest
from sqlalchemy import func, select, text

from syncline.apps.commerce.contract import ChangeQuery, ImportProblem, ImportResult, SheetRefused, Store
from syncline.apps.commerce.staging.models import change_batch, staged_change
from syncline.apps.commerce.staging.repository import list_changes
from syncline.apps.commerce.transfer.intake import NAMED
from syncline.apps.commerce.transfer.service import ImportOptions, import_sheet
from syncline.kernel.errors import InvalidInput
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor
from syncline.main.cli.console import to_json
from syncline.main.testing.lines import load_catalog
from syncline.runtime.db.session import WriteSession

Line = Callable[..., bytes]
AddStore = Callable[..., Awaitable[Store]]
Import = Callable[..., Awaitable[ImportResult]]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HEAD = "Handle,Option1 Name,Option1 Value,Variant Price\n"


@pytest.fixture
async def store(session: WriteSession, add_store: AddStore, product_line: Line, variant_line: Line) -> Store:
    """A shirt in two sizes and a mug."""
    made = await add_store()
    sizes = [{"id": "gid://shopify/ProductOption/1", "name": "Size", "position": 1, "values": ["S", "M"]}]
    title = [{"id": "gid://shopify/ProductOption/2", "name": "Title", "position": 1, "values": ["Default Title"]}]
    lines = [
        product_line(1, handle="red-shirt", title="Red Shirt", options=sizes),
        product_line(2, handle="mug", title="Mug", options=title),
        variant_line(11, sku="RED-S", price="12.50"),
        variant_line(12, sku="RED-M", price="12.50", selectedOptions=[{"name": "Size", "value": "M"}]),
        variant_line(
            21, product=2, sku="", price="9.00", selectedOptions=[{"name": "Title", "value": "Default Title"}]
        ),
    ]
    await load_catalog(session, made.id, lines, read_from=NOON)
    return made


@pytest.fixture
def take(session: WriteSession, store: Store, owner: Actor) -> Import:
    """Imports text (or bytes) into `store`; the options are those of the import."""

    async def run(sheet: str | bytes, *, progress: Any = None, **options: Any) -> ImportResult:
        data = sheet.encode() if isinstance(sheet, str) else sheet
        async with session.begin_nested():  # a refusal takes back what was staged before it, as the request's end does
            return await import_sheet(
                session,
                store=store,
                file=io.BytesIO(data),
                name="prices.csv",
                actor=owner,
                options=ImportOptions(**options),
                progress=progress,
            )

    return run


async def refused(take: Import, sheet: str | bytes, **options: Any) -> tuple[SheetRefused, list[dict[str, Any]]]:
    with pytest.raises(SheetRefused) as caught:
        await take(sheet, **options)
    result: Any = caught.value.extra["result"]
    return caught.value, list(result["problems"])


async def staged(session: WriteSession) -> list[tuple[str, int, Any]]:
    found = await list_changes(session, ChangeQuery(), PageRequest(limit=100))
    return [(change.kind, change.resource_id, change.after) for change in found.items]


async def test_what_differs_is_staged_and_the_rest_counted(session: WriteSession, take: Import, store: Store) -> None:
    result = await take(HEAD + "red-shirt,Size,S,13.00\nred-shirt,Size,M,12.5\nmug,,,9.99\n")
    assert await staged(session) == [("variant", 11, {"price": "13.00"}), ("variant", 21, {"price": "9.99"})]
    assert (result.rows, result.products, result.staged, result.unchanged) == (3, 2, 2, 1)
    assert (result.errors, result.notes, result.problems, result.problems_cut) == (0, 0, (), False)
    assert result.batch is not None
    assert (result.batch.kind, result.batch.summary, result.batch.author) == (
        *("import", "Import of prices.csv"),
        "the owner",
    )
    assert (result.batch.store, result.batch.counts) == ("demo", {"pending": 2})


async def test_product_and_variant_columns_of_one_row_are_two_changes(session: WriteSession, take: Import) -> None:
    await take('Handle,Title,Tags,Status,Variant SKU,Cost per item\nMUG ,Big mug,"Summer, new, Sale",Draft,M-1,3\n')
    assert await staged(session) == [
        ("product", 2, {"title": "Big mug", "status": "draft", "tags": ["Summer", "new", "Sale"]}),
        ("variant", 21, {"sku": "M-1", "cost": "3.00"}),
    ]


async def test_a_blank_cell_never_deletes(session: WriteSession, take: Import) -> None:
    head = "Handle,Title,Body (HTML),Vendor,Tags,SEO Title,Variant SKU,Variant Price,Variant Barcode,Cost per item\n"
    result = await take(head + "mug,,,,,,,,,\nmug, ,\t,,,,,,,\n")
    assert (await staged(session), result.batch, result.staged) == ([], None, 0)
    assert (await session.execute(select(func.count()).select_from(change_batch))).scalar_one() == 0


async def test_a_sheet_that_changes_nothing_leaves_no_batch(session: WriteSession, take: Import) -> None:
    result = await take(HEAD + "red-shirt,Size,S,12.50\n")
    assert (result.batch, result.staged, result.unchanged) == (None, 0, 1)
    assert (await session.execute(select(func.count()).select_from(change_batch))).scalar_one() == 0


@pytest.mark.parametrize(
    ("sheet", "row", "column", "value", "reason"),
    [
        (HEAD + 'mug,,,"12,5o"\n', 2, "Variant Price", "12,5o", "write 12.50"),
        (HEAD + "mug,,,9\nmugg,,,9\n", 3, "Handle", "mugg", "Did you mean mug?"),
        (HEAD + "red-shirt,Size,S,1\nred-shirt,Size,S,2\n", 3, "Option1 Value", "red-shirt: S", "row 2"),
        (HEAD + "red-shirt,Size,s,1\nred-shirt,Size,S ,2\n", 3, "Option1 Value", "red-shirt: S", "row 2"),
        (HEAD + "red-shirt,Size,XL,1\n", 2, "Option1 Value", "XL", "It has S or M"),
        (HEAD + "red-shirt,,,1\n", 2, "Option1 Value", "", "fill in its option values"),
        (HEAD + ",,,9\n", 2, "Handle", "9", "no handle"),
        (HEAD + "mug,,,=B2*2\n", 2, "Variant Price", "=B2*2", "formula"),
        (HEAD + "mug,,,#REF!\n", 2, "Variant Price", "#REF!", "error"),
        (HEAD + "mug,,,-1\n", 2, "Variant Price", "-1", "below zero"),
        (HEAD + "mug,,,9.999\n", 2, "Variant Price", "9.999", "at most 2 digits"),
        ("Handle,Status\nmug,gone\n", 2, "Status", "gone", "write active"),
        ("Handle,Colour of box\nmug,red\n", 1, "Colour of box", "Colour of box", "not known"),
        ("Handle,Variant Prize\nmug,9\n", 1, "Variant Prize", "Variant Prize", "Did you mean Variant Price?"),
        ("Titel,Preis\nmug,9\n", 1, "Handle", "Titel, Preis", 'no column "Handle"'),
        ("Handle,Variant Price,Price\nmug,9,8\n", 1, "Price", "Price", "keep one of them"),
        (HEAD + "mug,,\n", 2, None, "", "3 cells, the header 4"),
        (HEAD + 'mug,,,"9\n', 2, None, "", "never closed"),
        ("", None, None, "", "empty"),
        ("\ufeff", None, None, "", "empty"),
    ],
)
async def test_an_error_is_named_by_row_column_and_reason(
    session: WriteSession, take: Import, sheet: str, row: int | None, column: str | None, value: str, reason: str
) -> None:
    error, problems = await refused(take, sheet)
    (found,) = [problem for problem in problems if reason in problem["reason"]]
    assert (found["row"], found["column"], found["value"], found["severity"]) == (row, column, value, "error")
    assert "nothing was staged" in error.sentence
    assert await staged(session) == []


async def test_one_error_refuses_the_sheet_and_keep_good_stages_the_rest(session: WriteSession, take: Import) -> None:
    sheet = HEAD + 'red-shirt,Size,S,13\nred-shirt,Size,M,"12,5o"\nmug,,,9.99\nnobody,,,1\n'
    error, problems = await refused(take, sheet)
    assert error.sentence == (
        "The sheet has 2 errors in 4 rows; nothing was staged. Mend the sheet, or stage the rows without errors with "
        "--keep-good."
    )
    assert [(problem["row"], problem["column"]) for problem in problems] == [(3, "Variant Price"), (5, "Handle")]


async def test_keep_good_stages_the_rows_without_errors(session: WriteSession, take: Import) -> None:
    sheet = HEAD + 'red-shirt,Size,S,13\nred-shirt,Size,M,"12,5o"\nmug,,,9.99\nnobody,,,1\n'
    result = await take(sheet, keep_good=True)
    assert [number for _, number, _ in await staged(session)] == [11, 21]
    assert (result.errors, result.staged, result.batch is not None) == (2, 2, True)
    assert [(problem.row, problem.severity) for problem in result.problems] == [(3, "error"), (5, "error")]


async def test_keep_good_without_a_good_row_stages_nothing(session: WriteSession, take: Import) -> None:
    result = await take(HEAD + "nobody,,,1\n", keep_good=True)
    assert (result.batch, result.errors, await staged(session)) == (None, 1, [])


async def test_unknown_columns_can_be_left_out(session: WriteSession, take: Import) -> None:
    result = await take("Handle,Colour of box,Variant Price\nmug,red,9.99\n", ignore_unknown=True)
    assert await staged(session) == [("variant", 21, {"price": "9.99"})]
    assert [(problem.column, problem.severity) for problem in result.problems] == [("Colour of box", "note")]


async def test_another_encoding_is_refused_with_its_place_and_read_when_named(
    session: WriteSession, take: Import
) -> None:
    sheet = "Handle,Title\nmug,Mug\nred-shirt,Été\n".encode("cp1252")
    error, problems = await refused(take, sheet)
    assert [(problem["row"], problem["column"]) for problem in problems] == [(3, "Title")]
    assert "windows-1252" in problems[0]["reason"]
    # Half a file is no file: what stands before may be spoilt too.
    error, _ = await refused(take, sheet, keep_good=True)
    assert "cannot be read to its end" in error.sentence


@pytest.mark.parametrize(("encoding", "given"), [("cp1252", "cp1252"), ("utf-16", None), ("utf-8-sig", None)])
async def test_a_named_or_marked_encoding_is_read_to_the_character(
    session: WriteSession, take: Import, encoding: str, given: str | None
) -> None:
    await take("Handle,Title\nmug,Été – “ü”\n".encode(encoding), encoding=given)
    assert await staged(session) == [("product", 2, {"title": "Été – “ü”"})]


async def test_an_encoding_that_does_not_exist_is_refused(take: Import) -> None:
    _, (problem,) = await refused(take, HEAD, encoding="klingon")
    assert "There is no encoding 'klingon'" in problem["reason"]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
async def test_other_separators_are_read_and_noted(session: WriteSession, take: Import, separator: str) -> None:
    result = await take((HEAD + "mug,,,9.99\n").replace(",", separator))
    assert await staged(session) == [("variant", 21, {"price": "9.99"})]
    assert [problem.severity for problem in result.problems] == ["note"]


async def test_quantities_go_to_the_only_location(
    session: WriteSession, take: Import, store: Store, location_line: Line, level_line: Line
) -> None:
    lines = [location_line(5, name="Main"), level_line(2100, place=5, available=4)]
    await load_catalog(session, store.id, lines, read_from=NOON)
    await take("Handle,Variant Inventory Qty\nmug,7\n")
    assert await staged(session) == [("inventory_level", 2100, {"available": 7})]


async def test_quantities_with_several_locations_wait_for_a_name(
    session: WriteSession, take: Import, store: Store, location_line: Line, level_line: Line
) -> None:
    lines = [location_line(5, name="Main"), location_line(6, name="Flagship"), level_line(2100, place=6, available=4)]
    await load_catalog(session, store.id, lines, read_from=NOON)
    sheet = "Handle,Variant Price,Variant Inventory Qty\nmug,9.99,7\n"
    with pytest.raises(InvalidInput, match=r"no location 'Flagshp'. Did you mean Flagship\? It has Main or Flagship"):
        await take(sheet, location="Flagshp")
    result = await take(sheet)
    assert await staged(session) == [("variant", 21, {"price": "9.99"})]
    assert [(one.column, one.severity) for one in result.problems] == [("Variant Inventory Qty", "note")]
    await take(sheet, location="FLAGSHIP")
    assert ("inventory_level", 2100, {"available": 7}) in await staged(session)
    _, (problem,) = await refused(take, sheet, location="main")
    assert (problem["row"], problem["column"]) == (2, "Variant Inventory Qty")
    assert "not stocked at this location" in problem["reason"]


async def test_a_location_before_the_first_pull_says_to_pull(take: Import) -> None:
    with pytest.raises(InvalidInput, match="pull the store first"):
        await take(HEAD, location="Main")


async def test_products_of_another_store_are_not_the_sheets(
    session: WriteSession, add_store: AddStore, take: Import, product_line: Line
) -> None:
    other = await add_store("other")
    await load_catalog(session, other.id, [product_line(9, handle="theirs")], read_from=NOON)
    _, (problem,) = await refused(take, "Handle,Title\ntheirs,Mine\n")
    assert problem["column"] == "Handle"


async def test_many_errors_are_counted_whole_and_listed_in_part(take: Import) -> None:
    error, problems = await refused(take, HEAD + "".join(f"gone-{number},,,1\n" for number in range(NAMED + 5)))
    result: Any = error.extra["result"]
    assert (result["errors"], len(problems), result["problems_cut"]) == (NAMED + 5, NAMED, True)
    assert error.sentence.startswith("The sheet has 1,005 errors in 1,005 rows")


async def test_a_refusal_goes_into_json_as_it_is(take: Import) -> None:
    error, problems = await refused(take, HEAD + "mug,,,«12,5o»\n")
    told = json.loads(json.dumps(error.extra, default=to_json))
    assert [ImportProblem(**problem) for problem in told["result"]["problems"]] == [
        ImportProblem(**problem) for problem in problems
    ]
    assert told["keep_good"] is False


async def test_progress_is_told_to_the_end(take: Import) -> None:
    told: list[tuple[int, int]] = []
    sheet = HEAD + "".join(f"mug,,,9.{number % 100:02d}\n" for number in range(1, 3))
    await refused(take, sheet, progress=lambda rows, position: told.append((rows, position)))
    assert told[-1] == (2, len(sheet.encode()))


ROWS, SIZES = 200_000, 20


class Rows(io.RawIOBase):
    """A sheet of `ROWS` rows that is made as it is read: nothing of it is held."""

    def __init__(self) -> None:
        super().__init__()
        self._lines = self._made()
        self._rest = b""
        self._at = 0

    def _made(self) -> Iterator[bytes]:
        yield HEAD.encode()
        for number in range(ROWS):
            yield b"p-%d,Size,%d,%d.99\n" % (number // SIZES, number % SIZES, number % 900 + 1)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0, /) -> int:
        assert (offset, whence) in {(0, 0), (0, 1)}
        if whence == 0:
            self.__init__()  # type: ignore[misc] # from the beginning
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        wanted = len(buffer)
        while len(self._rest) < wanted and (line := next(self._lines, None)) is not None:
            self._rest += line
        taken, self._rest = self._rest[:wanted], self._rest[wanted:]
        buffer[: len(taken)] = taken
        self._at += len(taken)
        return len(taken)


_PRODUCTS = """
INSERT INTO commerce.product (store_id, id, tenant_id, handle, title, description_html, vendor, product_type, status,
    tags, is_gift_card, options, line_hash, content_hash, synced_at)
SELECT :store, n, :tenant, 'p-' || n, 'P', '', '', '', 'active', '{}', false, '[{"name":"Size","values":["1"]}]', 0, 0,
    now() FROM generate_series(0, :last) AS n
"""
_VARIANTS = """
INSERT INTO commerce.variant (store_id, id, tenant_id, product_id, title, sku, price, position, taxable,
    inventory_policy, selected_options, inventory_item_id, tracked, requires_shipping, line_hash, content_hash,
    synced_at)
SELECT :store, n, :tenant, n / :sizes, 'V', 'S-' || n, 0.5, n % :sizes, true, 'deny',
    json_build_array(json_build_object('name', 'Size', 'value', (n % :sizes)::text)), n, true, true, 0, 0, now()
FROM generate_series(0, :last) AS n
"""


async def fill(session: WriteSession, store: Store, rows: int) -> None:
    given = {"store": store.id, "tenant": session.tenant_id}
    await session.execute(text(_PRODUCTS), {**given, "last": rows // SIZES - 1})
    await session.execute(text(_VARIANTS), {**given, "last": rows - 1, "sizes": SIZES})


async def stage_one(session: WriteSession, store: Store, owner: Actor) -> None:
    sheet = io.BytesIO(f"{HEAD}p-0,Size,1,1234.50\n".encode())
    await import_sheet(session, store=store, file=sheet, name="one.csv", actor=owner, options=ImportOptions())


async def test_a_sheet_of_200_000_rows_streams(
    session: WriteSession, add_store: AddStore, owner: Actor, taken_for_empty: Callable[[str], None]
) -> None:
    store, other = await add_store("large"), await add_store("small")
    await fill(session, store, ROWS)
    await fill(session, other, SIZES)
    await stage_one(session, other, owner)
    await stage_one(session, store, owner)
    await session.execute(text("SELECT commerce.analyze_mirror()"))
    taken_for_empty("staged_change")  # the sheet's rows are not to be looked through for each of them
    process, seen = psutil.Process(), [0]

    def watch(_rows: int, _position: int) -> None:
        seen.append(process.memory_info().rss)

    before = process.memory_info().rss
    result = await import_sheet(
        session,
        store=store,
        file=io.BufferedReader(Rows()),
        name="large.csv",
        actor=owner,
        options=ImportOptions(),
        progress=watch,
    )
    assert (result.rows, result.staged, result.errors, result.overlap.rivals) == (ROWS, ROWS, 0, 1)
    counted = select(func.count()).select_from(staged_change).where(staged_change.c.store_id == store.id)
    assert (await session.execute(counted)).scalar_one() == ROWS + 1
    # A row as Python objects takes over 1 KB: held whole, this sheet would be 200 MB and more.
    assert max(seen) - before < 100_000_000
