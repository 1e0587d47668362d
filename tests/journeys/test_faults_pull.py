"""What can go wrong at the shop while it is read. The pull ends right, or says in one sentence why it does not."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from syncline.apps.commerce.contract import PullMode, PullPath, PullRun, RunStatus, Store, StoreRefused
from syncline.main.testing.comparison import count_in_shop, differences
from syncline.main.testing.shop import Moment, Shop
from syncline.main.testing.works import Works, eventually

BULK, PAGED = PullPath.BULK, PullPath.PAGED
NEVER_BULK = {"refund_lines"}
TOO_SHORT = {"collection_metafields"}
"""For any of its lines to be left out."""


async def assert_pulled_whole(works: Works, shop: Shop, store: Store, run: PullRun) -> None:
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert await differences(works, shop, store.id) == []
    assert run.reconciliation is not None
    assert run.reconciliation.agreed


async def fired(shop: Shop) -> Counter[str]:
    return Counter({fault["kind"]: fault["fired"] for fault in await shop.faults()})


PASSING = [
    ("throttle=3", {"throttle": 3}),
    ("502=2", {"http_502": 2}),
    ("503=2@ProductsPage", {"http_503": 2}),
    ("500=2@LevelsOfLocation", {"http_500": 2}),
    ("html=2@ProductsPage", {"html": 2}),
    ("internal_error=2", {"internal_error": 2}),
    ("retry_after=2:0.5s", {"retry_after": 2}),
    ("drop_before=2", {"drop_before": 2}),
    ("drop_after=2@LevelsOfLocation", {"drop_after": 2}),
    ("slow=4:0.3s", {"slow": 4}),
]


@pytest.mark.parametrize(("faults", "expected"), PASSING, ids=[faults for faults, _ in PASSING])
async def test_paged_pull_reads_every_record_once_through(
    works: Works, shop: Shop, store: Store, faults: str, expected: dict[str, int]
) -> None:
    await shop.fault(faults)
    run = await works.pull(path=PAGED)
    assert await fired(shop) == expected
    await assert_pulled_whole(works, shop, store, run)
    total = sum((await count_in_shop(shop)).values())
    assert sum(stream.read for stream in run.streams) == sum(stream.inserted for stream in run.streams) == total


AROUND_BULK = [
    ("throttle=1@BulkStart", {"throttle": 1}),
    ("502=1@BulkStart,502=2@BulkFind", {"http_502": 2}),
    ("drop_before=1@BulkStart", {"drop_before": 1}),
    ("drop_after=1@BulkStart", {"drop_after": 1}),
    ("drop_after=2@BulkFind", {"drop_after": 2}),
    ("retry_after=1:0.5s@BulkStart", {"retry_after": 1}),
]


@pytest.mark.parametrize(("faults", "expected"), AROUND_BULK, ids=[faults for faults, _ in AROUND_BULK])
async def test_bulk_pull_survives_trouble_around_its_operation(
    works: Works, shop: Shop, store: Store, faults: str, expected: dict[str, int]
) -> None:
    await shop.fault(faults)
    run = await works.pull(path=BULK)
    assert await fired(shop) == expected
    assert {stream.path for stream in run.streams if stream.stream not in NEVER_BULK} == {BULK}
    await assert_pulled_whole(works, shop, store, run)


@pytest.mark.parametrize(
    "faults", ["bulk_truncate=2", "bulk_truncate=2@silent", "bulk_expire_url=1", "bulk_expire_url=1@403"]
)
async def test_result_file_that_breaks_off_is_read_to_its_end(
    works: Works, shop: Shop, store: Store, faults: str
) -> None:
    await shop.fault(faults)
    run = await works.pull(path=BULK)
    await assert_pulled_whole(works, shop, store, run)
    assert sum((await fired(shop)).values()) == int(faults.partition("=")[2][0])


async def test_lines_that_come_twice_are_counted_and_stored_once(works: Works, shop: Shop, store: Store) -> None:
    await shop.fault("bulk_duplicate_lines")
    run = await works.pull(path=BULK)
    await assert_pulled_whole(works, shop, store, run)
    there = await count_in_shop(shop)
    assert sum(stream.inserted for stream in run.streams) == sum(there.values())
    assert sum(stream.read for stream in run.streams) > sum(there.values())


async def test_children_before_their_parents_are_all_stored(works: Works, shop: Shop, store: Store) -> None:
    await shop.fault("bulk_reorder")
    await assert_pulled_whole(works, shop, store, await works.pull(path=BULK))


async def test_lines_that_are_missing_are_named_and_fetched_one_by_one(works: Works, shop: Shop, store: Store) -> None:
    await shop.fault("bulk_missing_objects")
    run = await works.pull(path=BULK)
    await assert_pulled_whole(works, shop, store, run)
    total = sum((await count_in_shop(shop)).values())
    lost = total - sum(stream.read for stream in run.streams)
    assert lost > 0
    assert run.reconciliation is not None
    # Not one for each lost line: what was buried for want of its parent only comes alive again with it.
    assert run.reconciliation.repaired > 0
    assert {stream.stream for stream in run.streams if not stream.is_incomplete} == NEVER_BULK | TOO_SHORT
    assert "more records than it sent" in run.streams[0].notes[0]


@pytest.mark.parametrize("code", ["", "@TIMEOUT", "@ACCESS_DENIED"])
async def test_failed_operation_is_followed_by_pages(works: Works, shop: Shop, store: Store, code: str) -> None:
    await shop.fault(f"bulk_fail{code}")
    run = await works.pull(path=BULK)
    await assert_pulled_whole(works, shop, store, run)
    assert {stream.path for stream in run.streams} == {PAGED}
    in_bulk = [stream for stream in run.streams if stream.stream not in NEVER_BULK]
    assert all("Shopify ended the bulk operation with" in str(stream.reason) for stream in in_bulk)


async def test_product_deleted_between_a_failed_operation_and_its_second_reading_is_gone(
    works: Works, shop: Shop, store: Store
) -> None:
    """What the partial result brought was seen by the run, but is not there any more when it is read again."""
    await shop.fault("bulk_fail")
    first = shop.store.products[min(shop.store.products)]
    shop.tripwire.set(lambda: shop.store.delete_product(first), "ProductsPage", moment=Moment.ARRIVING)
    done = await works.pull(path=BULK)
    assert first.id not in shop.store.products
    await assert_pulled_whole(works, shop, store, done)
    assert done.reconciliation is not None
    assert done.reconciliation.repaired == 0


async def test_partial_result_that_cannot_be_read_does_not_hold_up_the_pages(
    works: Works, shop: Shop, store: Store
) -> None:
    await shop.fault("bulk_fail,bulk_expire_url")
    run = await works.pull(path=BULK)
    await assert_pulled_whole(works, shop, store, run)
    assert {stream.path for stream in run.streams} == {PAGED}


OCCUPY = 'mutation { bulkOperationRunQuery(query: "{ products { edges { node { id } } } }") { bulkOperation { id } } }'


TWO = ("products", "inventory")
CATALOG = ("product", "variant", "location", "inventory_level")


async def test_slots_taken_by_others_are_waited_for(works: Works, shop: Shop, store: Store) -> None:
    await shop.fault("bulk_stuck=5")
    others = [(await shop.query(OCCUPY))["bulkOperationRunQuery"]["bulkOperation"]["id"] for _ in range(5)]
    run = await works.start_pull(path=BULK, streams=TWO)
    async with works.working():
        waiting = await eventually(
            lambda: works.get_pull(run.id),
            lambda seen: all("waits" in str(one.reason) for one in seen.streams if one.stream not in NEVER_BULK),
        )
        for other in others[:2]:
            await shop.query(
                "mutation Free($id: ID!) { bulkOperationCancel(id: $id) { bulkOperation { id } } }", id=other
            )
        await works.pull_ends(run.id)
    assert waiting.status is RunStatus.RUNNING
    assert await differences(works, shop, store.id, kinds=CATALOG) == []


async def test_stuck_operation_ends_with_the_pull_that_is_cancelled(works: Works, shop: Shop, store: Store) -> None:
    await shop.fault("bulk_stuck=2")
    run = await works.start_pull(path=BULK, streams=TWO)
    async with works.working():
        await eventually(
            lambda: works.rows("select 1 from commerce.pull_stream where operation_id is null"), lambda rows: not rows
        )
        cancelled = await works.commerce.cancel_pull(actor=works.actor, run_id=run.id)
        await eventually(lambda: bulk_statuses(shop), lambda statuses: set(statuses) == {"CANCELED"})
        again = await works.start_pull(path=BULK)
        done = await works.pull_ends(again.id)
    assert cancelled.status is RunStatus.CANCELLED
    assert (await works.get_pull(run.id)).status is RunStatus.CANCELLED
    await assert_pulled_whole(works, shop, store, done)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_COMMERCE_BULK_PATIENCE", "PT1S")


@pytest.mark.usefixtures("_impatient")
async def test_operation_that_stands_still_is_cancelled_and_pages_are_read(
    works: Works, shop: Shop, store: Store
) -> None:
    await shop.fault("bulk_stuck=2")
    run = await works.pull(path=BULK, streams=TWO)
    assert {stream.path for stream in run.streams} == {PAGED}
    assert set(await bulk_statuses(shop)) == {"CANCELED"}
    assert await differences(works, shop, store.id, kinds=CATALOG) == []


async def bulk_statuses(shop: Shop) -> list[str]:
    nodes = (await shop.query("{ bulkOperations(first: 10) { nodes { status } } }"))["bulkOperations"]["nodes"]
    return [node["status"] for node in nodes]


@pytest.mark.parametrize("path", PullPath)
async def test_field_the_schema_refuses_is_named(works: Works, shop: Shop, store: Store, path: PullPath) -> None:
    await shop.fault("field_removed=Product.vendor")
    run = await works.pull(path=path)
    assert run.status is RunStatus.FAILED
    assert "vendor" in str(run.error)
    assert "Product" in str(run.error)
    assert await works.rows("select 1 from commerce.product where store_id = %(store)s", store=store.id) == []


@pytest.mark.parametrize(("path", "operation"), [(BULK, "BulkFind"), (PAGED, "LevelsOfLocation")])
async def test_revoked_token_ends_the_pull_with_a_sentence_and_a_new_one_goes_on(
    works: Works, shop: Shop, store: Store, path: PullPath, operation: str
) -> None:
    shop.tripwire.set(shop.revoke, operation, passing=1, moment=Moment.ANSWERING)
    for run in (await works.pull(path=path), await works.pull(path=path)):
        assert run.status is RunStatus.FAILED
        assert "refused the access token of sandbox-supply.myshopify.com; make a new one" in str(run.error)
    with pytest.raises(StoreRefused):
        await works.commerce.replace_token(actor=works.actor, store="demo", token="shpat_wrong")
    await works.commerce.replace_token(actor=works.actor, store="demo", token=shop.token)
    await assert_pulled_whole(works, shop, store, await works.pull(path=path))


async def test_refused_pull_names_the_one_that_runs(works: Works, shop: Shop, store: Store) -> None:
    run = await works.start_pull()
    with pytest.raises(Exception, match=str(run.id)) as refused:
        await works.start_pull(PullMode.FULL)
    assert getattr(refused.value, "extra", None) == {"run_id": str(run.id)}


async def test_of_two_starts_at_once_one_is_refused(works: Works, shop: Shop, store: Store) -> None:
    outcomes = await asyncio.gather(works.start_pull(), works.start_pull(), return_exceptions=True)
    assert Counter(type(one).__name__ for one in outcomes) == {"PullRun": 1, "PullAlreadyRunning": 1}
