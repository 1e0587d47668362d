from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from syncline.connectors.shopify import streams
from syncline.connectors.shopify.streams import Deletion
from syncline.connectors.shopify.testing import RecordedStore, open_client
from syncline.runtime.connect.testing import ScriptedVendor


async def test_by_the_event_feed(sandbox: Any) -> None:
    since = datetime.now(UTC) - timedelta(seconds=2)
    gone = list(sandbox.store.products.values())[:3]
    for product in gone:
        sandbox.store.delete_product(product)
    async with sandbox.client() as client:
        found = [deletion async for page in streams.read_deletions(client, since) for deletion in page]
    assert [d.id for d in found if d.kind == "product"] == [product.id for product in gone]


async def test_not_before_they_happened(sandbox: Any) -> None:
    sandbox.store.delete_product(next(iter(sandbox.store.products.values())))
    async with sandbox.client() as client:
        later = datetime.now(UTC) + timedelta(minutes=1)
        assert [page async for page in streams.read_deletions(client, later)] == []


async def keys_of(client: Any, stream: Any) -> set[str]:
    pages = streams.read_pages(client, stream, keys_only=True)
    return {msgspec.json.decode(line)["id"] async for page in pages for line in page.lines}


async def test_by_comparing_all_ids(sandbox: Any) -> None:
    async with sandbox.client() as client:
        before = await keys_of(client, streams.PRODUCTS)
        gone = next(iter(sandbox.store.products.values()))
        sandbox.store.delete_product(gone)
        after = await keys_of(client, streams.PRODUCTS)
        places = await keys_of(client, streams.INVENTORY)
    names = {f"ProductVariant/{number}" for number in gone.variant_ids} | {f"Product/{gone.id}"}
    assert before - after == {f"gid://shopify/{name}" for name in names}
    assert {f"gid://shopify/Location/{number}" for number in sandbox.store.locations} < places


async def test_other_events_that_come_with_them_delete_nothing() -> None:
    nodes = [
        {"action": "destroy", "subjectType": "PAGE", "subjectId": "gid://shopify/Page/1", "createdAt": "t"},
        {"action": "update", "subjectType": "PRODUCT", "subjectId": "gid://shopify/Product/2", "createdAt": "t"},
        {"action": "destroy"},
        {
            "action": "destroy",
            "subjectType": "PRODUCT_VARIANT",
            "subjectId": "gid://shopify/ProductVariant/4",
            "createdAt": "t",
        },
    ]
    store = RecordedStore()
    store.answers["DeletionsPage"] = lambda _: {"events": {"nodes": nodes, "pageInfo": {"hasNextPage": False}}}
    async with open_client(ScriptedVendor(store).transport) as client:
        found = [d async for page in streams.read_deletions(client, datetime.now(UTC)) for d in page]
    assert found == [Deletion("variant", 4, "t")]


async def test_counts_of_a_store(sandbox: Any) -> None:
    async with sandbox.client() as client:
        products = await streams.count(client, streams.PRODUCTS)
        inventory = await streams.count(client, streams.INVENTORY)
    store = sandbox.store
    assert products == {"product": len(store.products), "variant": len(store.variants)}
    assert inventory == {"location": len(store.locations), "inventory_level": None}


async def test_count_that_is_cut_off_is_no_count() -> None:
    store = RecordedStore()
    store.answers["ProductsCounts"] = lambda _: {
        "productsCount": {"count": 10_000, "precision": "AT_LEAST"},
        "productVariantsCount": {"count": 20_001, "precision": "EXACT"},
    }
    async with open_client(ScriptedVendor(store).transport) as client:
        assert await streams.count(client, streams.PRODUCTS) == {"product": None, "variant": 20_001}
