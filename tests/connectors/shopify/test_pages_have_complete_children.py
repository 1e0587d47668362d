"""Reading by pages: every product with all its variants, the same lines as a bulk file, resumable anywhere."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from syncline.connectors.shopify import pages, streams
from syncline.connectors.shopify.catalog_nodes import VariantNode
from syncline.connectors.shopify.records import decode, kind_of
from syncline.connectors.shopify.sources import SOURCES
from syncline.connectors.shopify.testing import Asked, RecordedStore, graphql_error, open_client, read_request
from syncline.kernel.errors import Fatal
from syncline.runtime.connect.errors import VendorTrouble
from syncline.runtime.connect.testing import ScriptedVendor


async def lines_of(client: Any, stream: Any, **options: Any) -> list[bytes]:
    return [line async for page in streams.read_pages(client, stream, **options) for line in page.lines]


async def test_product_with_more_variants_than_a_page_comes_whole() -> None:
    vendor = ScriptedVendor(RecordedStore())
    async with open_client(vendor.transport) as client:
        found = [page async for page in streams.read_pages(client, streams.PRODUCTS)]
    (third,) = (page for page in found if b'Product/3"' in page.lines[0])
    variants = [decode(line, "variant") for line in third.lines if kind_of(line, "products") == "variant"]
    own = [v for v in variants if isinstance(v, VariantNode) and v.product_number == 3]
    assert [v.number for v in own] == [301, 302, 303, 304, 305]
    asked = [read_request(r).operation for r in vendor.requests]
    assert asked.count("RestVariants") == 2


async def test_product_deleted_while_its_variants_are_read_is_left_out() -> None:
    store = RecordedStore()
    store.answers["RestVariants"] = lambda _: {"node": None}
    async with open_client(ScriptedVendor(store).transport) as client:
        found = await lines_of(client, streams.PRODUCTS)
    assert not [line for line in found if b'Product/3"' in line]
    assert len([line for line in found if kind_of(line, "products") == "product"]) == 4


WHOLE = {"orders": 60, "customers": 30, "collections": 5, "metafields_per_product": 3, "media_per_product": 2}


async def test_pages_and_bulk_file_give_the_same_bytes(open_sandbox: Any) -> None:
    from syncline.connectors.shopify import bulk

    sandbox = await open_sandbox(products=30, more=WHOLE)
    async with sandbox.client() as client:
        for stream in (one for one in streams.STREAMS.values() if not SOURCES[one.name].is_paged_only):
            state = await bulk.wait(client, await bulk.start(client, stream), poll=timedelta(milliseconds=10))
            filed = [line async for chunk in bulk.read_file(client, str(state.url)) for line in chunk.lines]
            assert sorted(await lines_of(client, stream)) == sorted(filed)
            assert len(filed) == state.object_count > 0


async def test_every_record_of_the_store_is_read(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(products=600, limits=False)
    async with sandbox.client() as client:
        products = await lines_of(client, streams.PRODUCTS)
        levels = await lines_of(client, streams.INVENTORY)
    store = sandbox.store
    assert len(set(products)) == len(products) == len(store.products) + len(store.variants)
    assert len(set(levels)) == len(levels) == len(store.locations) + len(store.levels)


async def test_incremental_read_has_what_changed_since(sandbox: Any) -> None:
    since = datetime.now(UTC) - timedelta(seconds=2)
    changed = list(sandbox.store.products.values())[5]
    sandbox.store.update_product(changed, title="Changed")
    async with sandbox.client() as client:
        found = await lines_of(client, streams.PRODUCTS, since=since)
    assert len(found) == 1 + len(changed.variant_ids)
    assert b'"Changed"' in found[0]


async def test_location_that_is_inactive_keeps_its_stock_in_sight(sandbox: Any) -> None:
    place = next(iter(sandbox.store.locations.values()))
    place.is_active = False
    async with sandbox.client() as client:
        found = await lines_of(client, streams.INVENTORY)
    assert b'"isActive":false' in found[0]
    assert len(found) == len(sandbox.store.locations) + len(sandbox.store.levels)


async def test_store_without_products_or_locations_is_one_empty_page() -> None:
    store = RecordedStore(products=[], locations={})
    async with open_client(ScriptedVendor(store).transport) as client:
        for stream in (streams.PRODUCTS, streams.INVENTORY):
            found = [page async for page in streams.read_pages(client, stream)]
            assert [(page.lines, page.cursor, page.last) for page in found] == [([], None, True)]


@pytest.mark.parametrize("code", ["MAX_COST_EXCEEDED", "INTERNAL_SERVER_ERROR"])
async def test_page_too_heavy_for_shopify_is_made_smaller(code: str) -> None:
    store, sizes = RecordedStore(), list[int]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked = read_request(request)
        first = asked.variables.get("first", 0)
        sizes.append(first)
        is_heavy = first > 20 and asked.operation == "ProductsPage"
        return graphql_error(code, cost=1293, maxCost=1000) if is_heavy else store(request)

    async with open_client(ScriptedVendor(answer).transport) as client:
        found = await lines_of(client, streams.PRODUCTS)
    assert len(found) == 5 + 9
    assert [size for size in dict.fromkeys(sizes) if size] == [250, 62, 15]


async def test_trouble_that_has_nothing_to_do_with_size_is_raised() -> None:
    store = RecordedStore()

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500) if read_request(request).operation == "ProductsPage" else store(request)

    vendor = ScriptedVendor(answer)
    async with open_client(vendor.transport) as client:
        with pytest.raises(VendorTrouble):
            await lines_of(client, streams.PRODUCTS)
    assert len(vendor.requests) < 10


def test_long_list_goes_on_in_a_new_range_of_ids_before_shopifys_limit() -> None:
    walk, ranges = pages.Walk(), []
    for page in range(1, 201):
        walk = walk.next(f"cursor{page}", page * 250, 250)
        ranges.append(walk)
    assert {w.floor for w in ranges} == {0, 24_000, 48_000}
    assert max(w.seen for w in ranges) < 25_000
    assert ranges[95] == pages.Walk(after=None, floor=24_000, seen=0)
    assert ranges[95].search("updated_at:>='x'") == "updated_at:>='x' id:>24000"
    assert pages.Walk().search(None) is None


async def test_new_range_of_ids_loses_and_doubles_nothing(open_sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_RANGE", 500)
    sandbox = await open_sandbox(products=700, limits=False, pagination_limit=600)
    async with sandbox.client() as client:
        found = await lines_of(client, streams.PRODUCTS)
        keys = await lines_of(client, streams.PRODUCTS, keys_only=True)
    assert len(set(found)) == len(found) == len(sandbox.store.products) + len(sandbox.store.variants)
    assert len(set(keys)) == len(found)
    assert {kind_of(line, "products") for line in keys} == {"product", "variant"}


async def test_more_levels_than_shopify_pages_through_are_read_by_item(
    open_sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = await open_sandbox(products=150, limits=False)
    async with sandbox.client() as client:
        paged, keys = await levels_of(client), await levels_of(client, keys_only=True)
        limit_paging(sandbox, monkeypatch)
        assert await levels_of(client) == paged
        assert await levels_of(client, keys_only=True) == keys
        pages_read = [page async for page in streams.read_pages(client, streams.INVENTORY)]
        rest = set(await lines_of(client, streams.INVENTORY, cursor=pages_read[3].cursor))
    assert sandbox.world.counters.by_operation["LevelsOfItems"] > 0
    assert {line for page in pages_read[:4] for line in page.lines} | rest == paged


async def test_an_item_at_more_places_than_a_page_has_all_its_levels_read_by_item(
    open_sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = await open_sandbox(products=60, limits=False, more={"locations": 14})
    async with sandbox.client() as client:
        paged = await levels_of(client)
        limit_paging(sandbox, monkeypatch, limit=60)
        assert await levels_of(client) == paged
    assert len(paged) == 14 + len(sandbox.store.levels)


async def levels_of(client: Any, **options: Any) -> set[bytes]:
    return set(await lines_of(client, streams.INVENTORY, **options))


def limit_paging(sandbox: Any, monkeypatch: pytest.MonkeyPatch, limit: int = 100) -> None:
    monkeypatch.setattr(pages, "_RANGE", limit)
    monkeypatch.setattr(pages, "MAX_PAGE", limit // 2)
    sandbox.world.options = replace(sandbox.world.options, pagination_limit=limit + limit // 2)


@pytest.mark.parametrize("cursor", ["", "{", "[]", '{"seen":"x"}'])
async def test_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    async with open_client(ScriptedVendor(RecordedStore()).transport) as client:
        with pytest.raises(Fatal, match="start it anew"):
            await lines_of(client, streams.PRODUCTS, cursor=cursor)


async def test_resuming_at_a_location_that_is_gone_goes_on_with_the_next() -> None:
    store = RecordedStore()
    async with open_client(ScriptedVendor(store).transport) as client:
        first = await anext(aiter(streams.read_pages(client, streams.INVENTORY)))
        del store.locations[1]
        rest = await lines_of(client, streams.INVENTORY, cursor=first.cursor)
    assert b"Location/2" in rest[0]
    assert len(rest) == 1 + 3 + 1


def test_asked_is_what_was_sent() -> None:
    body = msgspec.json.encode({"query": "query A($b: Int) { c }", "variables": {"b": 1}})
    assert read_request(httpx.Request("POST", "https://x", content=body)) == Asked(
        "A", "query A($b: Int) { c }", {"b": 1}
    )
