"""A token that may not read everything: what it may read comes, the rest is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syncline.apps.commerce.contract import PullPath, RunStatus
from syncline.kernel.errors import InvalidInput
from syncline.main.testing.comparison import differences
from syncline.main.testing.shop import NewShop
from syncline.main.testing.works import Works

CATALOG = frozenset({"write_products", "write_inventory", "read_locations"})
SALES = [
    *("order", "order_line", "refund", "refund_line", "fulfillment", "order_transaction", "order_metafield"),
    *("customer", "customer_address", "customer_metafield"),
]


async def test_streams_without_their_scope_are_left_out_with_a_sentence(works: Works, new_shop: NewShop) -> None:
    shop = await new_shop(products=40, scopes=CATALOG)
    store = await works.connect(shop)
    run = await works.pull()
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    told = {stream.stream: str(stream.error) for stream in run.streams if stream.status == "skipped"}
    assert told.keys() == {"orders", "refund_lines", "order_metafields", "customers", "customer_metafields"}
    assert "lacks read_orders" in told["orders"]
    assert "lacks read_orders" in told["refund_lines"]
    assert "customer_metafields is left out: the token of demo lacks read_customers" in told["customer_metafields"]
    assert "syncline stores token demo" in told["customers"]
    found = await differences(works, shop, store.id)
    assert {line.split()[0] for line in found} <= set(SALES)
    assert (await works.reconcile("content")).agreed


async def test_asking_for_nothing_but_what_is_forbidden_is_refused(works: Works, new_shop: NewShop) -> None:
    await works.connect(await new_shop(products=5, scopes=CATALOG))
    with pytest.raises(InvalidInput, match="read_orders"):
        await works.start_pull(streams=["orders"])


@pytest.mark.parametrize("path", PullPath)
async def test_scope_that_is_taken_away_later_ends_its_stream_alone(
    works: Works, new_shop: NewShop, path: PullPath
) -> None:
    shop = await new_shop(products=20)
    await works.connect(shop)
    forbid(shop, "write_customers", "write_orders", "read_all_orders")
    run = await works.pull(path=path)
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    by_name: dict[str, Any] = {stream.stream: stream for stream in run.streams}
    assert (by_name["customers"].status, by_name["products"].status) == ("skipped", "completed")
    assert "lacks a permission" in by_name["customers"].error
    assert by_name["customers"].read == 0


def forbid(shop: Any, *scopes: str) -> None:
    """What a merchant does in the app's settings."""
    options = shop.world.options
    shop.world.options = replace(options, scopes=options.scopes - set(scopes))
