"""What can go wrong at the shop while changes are written. Each arrives once, whatever became of its answer."""

from __future__ import annotations

from collections import Counter

import pytest

from syncline.apps.commerce.contract import ChangeBatch, ChangeStatus, PushRun, RunStatus, Store
from syncline.apps.commerce.push_contract import EngineConfig
from syncline.main.testing.comparison import differences
from syncline.main.testing.shop import Moment, Shop
from syncline.main.testing.works import Works

RECEIPTS = """
    select count(r.*), count(r.*) filter (where r.finished_at is null), min(r.outcome)
    from commerce.staged_change c left join commerce.receipt r on r.change_id = c.id
    where c.batch_id = %(batch)s group by c.id
"""


@pytest.fixture
async def pulled(works: Works, shop: Shop, store: Store) -> Store:
    await works.pull()
    return store


async def assert_written_once(works: Works, shop: Shop, store: Store, batch: ChangeBatch, run: PushRun) -> None:
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert run.counts == {ChangeStatus.APPLIED: run.total}
    writes = await shop.writes()
    assert set(writes.values()) == {1}
    assert len(writes) == run.total
    receipts = await works.rows(RECEIPTS, batch=batch.id)
    assert Counter(receipts) == {(1, 0, "applied"): run.total}
    assert await differences(works, shop, store.id, without=["source_updated_at"]) == []


SMALL = EngineConfig(batch_size=2)
"""Many requests, so that some of them go wrong and others do not."""
PRODUCT, VARIANT, STOCK = "vendor=Acme Twice", "price=+3", 'inventory=+5@"Main warehouse"'
OPERATION = {PRODUCT: "UpdateProduct", VARIANT: "UpdateVariants", STOCK: "SetInventory"}
FAULTS = {
    "throttle": "throttle=3",
    "502": "502=2",
    "503": "503=2",
    "html": "html=2",
    "internal error": "internal_error=2",
    "retry after": "retry_after=2:0.5s",
    "dropped before": "drop_before=3",
    "dropped after": "drop_after=3",
    "slow": "slow=3:0.5s",
}


# Products are written like variants; what differs is the call that may not be repeated and the one that may.
PAIRS = [
    *((VARIANT, name) for name in FAULTS),
    *((STOCK, name) for name in FAULTS),
    *((PRODUCT, name) for name in ("dropped before", "dropped after")),
]


@pytest.mark.parametrize(("edit", "name"), PAIRS, ids=[f"{OPERATION[edit]} {name}" for edit, name in PAIRS])
async def test_change_is_written_once(works: Works, shop: Shop, pulled: Store, edit: str, name: str) -> None:
    faults = FAULTS[name]
    batch = await works.stage_approved("id:<7000000000020", edit)
    await shop.fault(f"{faults}@{OPERATION[edit]}")
    run = await works.push(config=SMALL)
    (fault,) = await shop.faults()
    assert (fault["fired"], fault["count"]) == (int(faults.partition("=")[2][0]), 0)
    await assert_written_once(works, shop, pulled, batch, run)


@pytest.mark.parametrize("faults", ["502=2", "drop_before=2", "drop_after=1", "throttle=2"])
async def test_trouble_while_reading_before_the_write(works: Works, shop: Shop, pulled: Store, faults: str) -> None:
    batch = await works.stage_approved("id:<7000000000020", VARIANT)
    await shop.fault(f"{faults}@ReadVariants")
    await assert_written_once(works, shop, pulled, batch, await works.push())


async def test_stock_whose_answers_never_come_is_written_once(works: Works, shop: Shop, pulled: Store) -> None:
    """Every try of the call is applied and none is answered: only reading back tells."""
    batch = await works.stage_approved("id:7000000000003", STOCK)
    await shop.fault("drop_after=6@SetInventory")
    await assert_written_once(works, shop, pulled, batch, await works.push())


async def test_write_in_several_calls_of_which_the_last_is_turned_away(works: Works, shop: Shop, store: Store) -> None:
    """260 variants go in two calls. What the first one wrote counts as written, with what was there before it."""
    sizes = [f"Size {number}" for number in range(260)]
    variants = [{"option_values": [size], "price": "5.00"} for size in sizes]
    made = await shop.edit(
        "create", "product", set={"title": "Many", "options": [{"name": "Size", "values": sizes}], "variants": variants}
    )
    await works.pull()
    batch = await works.stage_approved(f"id:{made['id']}", VARIANT)
    await shop.fault("retry_after=6:0.1s:after1@UpdateVariants")
    run = await works.push()
    assert run.total == len(sizes)
    await assert_written_once(works, shop, store, batch, run)
    (before,) = {str(receipt.before) for receipt in await works.receipts(batch)}
    assert before == "{'price': '5.00'}"


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCLINE_COMMERCE_MAX_FAILURES", "2")


@pytest.mark.usefixtures("_impatient")
async def test_store_that_carries_out_nothing_is_given_up_with_a_sentence(
    works: Works, shop: Shop, pulled: Store
) -> None:
    await works.stage_approved("id:7000000000003", PRODUCT)
    await shop.fault("drop_before@UpdateProduct")
    run = await works.push()
    assert run.status is RunStatus.FAILED
    assert "neither answers changes nor carries them out" in str(run.error)
    await shop.heal()
    again = await works.push()
    assert again.counts == {ChangeStatus.APPLIED: 1}
    assert set((await shop.writes()).values()) == {1}


async def test_revoked_token_ends_the_push_with_a_sentence_and_nothing_is_lost(
    works: Works, shop: Shop, pulled: Store
) -> None:
    batch = await works.stage_approved("", VARIANT)
    shop.tripwire.set(shop.revoke, "UpdateVariants", passing=9, moment=Moment.ANSWERING)
    failed = await works.push(config=SMALL)
    assert failed.status is RunStatus.FAILED
    assert "refused the access token" in str(failed.error)
    written = len(await shop.writes())
    assert 0 < written < failed.total
    await works.commerce.replace_token(actor=works.actor, store="demo", token=shop.token)
    again = await works.push()
    assert again.status is RunStatus.COMPLETED
    assert sum(again.counts.values()) == failed.total - failed.counts[ChangeStatus.APPLIED]
    assert {change.status for change in await works.changes(batch)} == {ChangeStatus.APPLIED}
    assert set((await shop.writes()).values()) == {1}
    assert {row[:2] for row in await works.rows(RECEIPTS, batch=batch.id)} == {(1, 0)}
    assert await differences(works, shop, pulled.id, without=["source_updated_at"]) == []


async def test_field_the_schema_refuses_is_named(works: Works, shop: Shop, pulled: Store) -> None:
    await works.stage_approved("id:7000000000003", PRODUCT)
    await shop.fault("field_removed=Product.vendor@UpdateProduct")
    run = await works.push()
    assert run.status is RunStatus.FAILED
    assert "Product.vendor" in str(run.error)
    assert await shop.writes() == {}
