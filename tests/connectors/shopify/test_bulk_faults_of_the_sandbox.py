"""The same faults over a real connection."""

from datetime import timedelta
from typing import Any

import pytest

from syncline.connectors.shopify import bulk, streams
from syncline.connectors.shopify.actions import update_product
from syncline.connectors.shopify.records import decode, kind_of
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.sandbox.server import running

POLL = timedelta(milliseconds=10)


async def result(client: Any) -> tuple[bulk.BulkState, list[bytes]]:
    state = await bulk.wait(client, await bulk.start(client, streams.PRODUCTS), poll=POLL)
    url = state.url or state.partial_url
    assert url is not None
    chunks = bulk.read_file(client, url, size=state.file_size if state.url else None)
    return state, [line async for chunk in chunks for line in chunk.lines]


async def test_truncated_file_is_read_to_its_end(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(products=120, faults="bulk_truncate=2")
    async with running(sandbox.app) as url, sandbox.client(base_url=url) as client:
        state, lines = await result(client)
    assert len(lines) == state.object_count == 120 + len(sandbox.store.variants)


async def test_children_that_come_before_their_parents_are_all_there(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(faults="bulk_reorder")
    async with sandbox.client() as client:
        _, lines = await result(client)
    assert {decode(line, kind_of(line, "products")).id for line in lines} >= {
        f"gid://shopify/Product/{n}" for n in sandbox.store.products
    }
    assert len(lines) == len(sandbox.store.products) + len(sandbox.store.variants)


async def test_failed_operation_leaves_partial_data(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(products=60, faults="bulk_fail")
    async with sandbox.client() as client:
        state, lines = await result(client)
    assert state.status == "FAILED"
    assert state.error_code is not None
    assert 0 < len(lines) < 60 + len(sandbox.store.variants)


async def test_expired_address(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(faults="bulk_expire_url")
    async with sandbox.client() as client:
        with pytest.raises(bulk.BulkUrlExpired):
            await result(client)


@pytest.mark.parametrize(("fault", "title"), [("drop_before", None), ("drop_after", "Dropped")])
async def test_write_on_a_dropped_connection_is_unknown_and_sent_once(
    open_sandbox: Any, fault: str, title: str | None
) -> None:
    sandbox = await open_sandbox(faults=f"{fault}=1@UpdateProduct")
    product = next(iter(sandbox.store.products.values()))
    before = product.title
    async with running(sandbox.app) as url, sandbox.client(base_url=url) as client:
        with pytest.raises(OutcomeUnknown):
            await update_product(client, product.id, {"title": "Dropped"})
    assert sandbox.store.products[product.id].title == (title or before)


async def test_reading_goes_on_over_dropped_connections_and_bad_gateways(open_sandbox: Any) -> None:
    faults = "drop_before=1@Probe,502=1@ProductsPage,html=1@ProductsPage,drop_after=1@ProductsPage:after1"
    sandbox = await open_sandbox(products=300, limits=False, faults=faults)
    async with running(sandbox.app) as url, sandbox.client(base_url=url) as client:
        lines = [line async for page in streams.read_pages(client, streams.PRODUCTS) for line in page.lines]
    assert len(set(lines)) == len(lines) == 300 + len(sandbox.store.variants)
