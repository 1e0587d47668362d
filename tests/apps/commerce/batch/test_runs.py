"""A bulk operation from what is asked to what is staged: faults first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from syncline.apps.commerce.batch import jobs, repository
from syncline.apps.commerce.batch_contract import (
    BatchNotRetried,
    BatchOperation,
    BatchRunEnded,
    BatchRunNotFound,
)
from syncline.apps.commerce.contract import (
    ChangeNotReviewable,
    ChangeQuery,
    ChangeStatus,
    OperationEnded,
    OperationKind,
    StoreNotFound,
)
from syncline.apps.commerce.facade import LocalCommerce
from syncline.apps.commerce.settings import CommerceSettings
from syncline.kernel.errors import Fatal, InvalidInput, Unavailable
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.runtime.app import Runtime
from syncline.runtime.bus.testing import published
from syncline.runtime.jobs import JobContext
from syncline.runtime.jobs.testing import FakeJobQueue, Fleet, eventually

RAISE = {"price": {"amount": 1}}


@pytest.fixture
def one_each(runtime: Runtime) -> Iterator[None]:
    """A batch takes one product."""
    settings = runtime.settings["commerce"]
    small = settings.model_copy(update={"batch_limits": dict.fromkeys(BatchOperation, 1)})
    runtime.settings = {**runtime.settings, "commerce": small}
    yield
    runtime.settings = {**runtime.settings, "commerce": settings}


def context(counter: Any) -> JobContext:
    return JobContext(runtime=counter.commerce.runtime, job_id=1, attempt=1, tenant=counter.actor.tenant_id)


# Faults.


class Killed(BaseException):
    """What a kill is to a transaction: it ends without a commit."""


async def test_after_a_kill_nothing_is_staged_and_the_next_worker_stages_it_all(
    counter: Any, one_each: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await counter.start("price", RAISE)
    add_part, seen = repository.add_part, []

    async def die_at_the_second(session: Any, held: Any, number: int, *more: Any) -> None:
        seen.append(number)
        if number == 2:
            raise Killed
        await add_part(session, held, number, *more)

    monkeypatch.setattr(repository, "add_part", die_at_the_second)
    (job,) = counter.pulled.queue.waiting
    with pytest.raises(Killed):
        await jobs.run_operation(context(counter), job.payload)
    monkeypatch.undo()
    half = await counter.get(run)
    assert (seen, half.status, half.processed > 0) == ([1, 2], "running", True)
    assert await counter.changes() == []
    assert (await counter.commerce.list_batches(actor=counter.actor, store="demo", page=PageRequest())).total == 0
    await counter.pulled.work()
    done = await counter.get(run)
    assert (done.status, done.staged, done.parts) == ("completed", 4, 3)
    assert len(await counter.changes()) == 4


async def test_a_job_that_comes_twice_stages_once(counter: Any) -> None:
    run = await counter.start("price", RAISE)
    (job,) = counter.pulled.queue.waiting
    await jobs.run_operation(context(counter), job.payload)
    await jobs.run_operation(context(counter), job.payload)
    assert (await counter.get(run)).staged == 4
    assert len(await counter.changes()) == 4


async def test_of_two_workers_at_once_only_one_keeps_its_work(counter: Any, one_each: None) -> None:
    run = await counter.start("price", RAISE)
    (job,) = counter.pulled.queue.waiting
    await asyncio.gather(*(jobs.run_operation(context(counter), job.payload) for _ in range(3)))
    done = await counter.get(run)
    assert (done.status, done.staged) == ("completed", 4)
    assert len(await counter.changes()) == 4
    assert len((await counter.results(run)).parts) == 3


async def test_the_same_asked_again_finds_it_staged(counter: Any) -> None:
    await counter.run("price", {"price": {"percent": 10}})
    again = await counter.run("price", {"price": {"percent": 10}})
    assert (again.status, again.staged, again.waiting) == ("completed", 0, 3)
    assert len(await counter.changes()) == 4
    other = await counter.run("price", {"price": {"percent": 20}})
    assert (other.staged, other.waiting) == (4, 0)


async def test_a_key_given_twice_is_one_operation(counter: Any) -> None:
    first = await counter.start("price", RAISE, key="spring")
    assert (await counter.start("price", RAISE, key="spring")).id == first.id
    with pytest.raises(InvalidInput, match="'spring' belongs to another bulk operation"):
        await counter.start("price", {"price": {"amount": 2}}, key="spring")
    await counter.pulled.work()
    assert (await counter.start("price", RAISE, key="spring")).status == "completed"
    assert len(await counter.changes()) == 4


async def test_keys_asked_at_once_make_one_operation(counter: Any) -> None:
    runs = await asyncio.gather(*(counter.start("price", RAISE, key="at once") for _ in range(4)))
    assert len({run.id for run in runs}) == 1
    assert len(counter.pulled.queue.waiting) == 1


async def test_what_is_cancelled_while_it_runs_stages_nothing(
    counter: Any, one_each: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await counter.start("price", RAISE)
    add_part = repository.add_part

    async def cancel_after_the_first(session: Any, held: Any, number: int, *more: Any) -> None:
        await add_part(session, held, number, *more)
        if number == 1:
            await counter.commerce.cancel_batch(actor=counter.actor, run_id=held.id)

    monkeypatch.setattr(repository, "add_part", cancel_after_the_first)
    await counter.pulled.work()
    done = await counter.get(run)
    assert (done.status, done.staged, done.parts) == ("cancelled", 0, 0)
    assert await counter.changes() == []
    assert (await counter.results(run)).parts == []


async def test_what_waits_is_cancelled_and_what_ended_is_not(counter: Any) -> None:
    run = await counter.start("price", RAISE)
    assert (await counter.commerce.cancel_batch(actor=counter.actor, run_id=run.id)).status == "cancelled"
    await counter.pulled.work()
    assert await counter.changes() == []
    with pytest.raises(BatchRunEnded, match="is cancelled already"):
        await counter.commerce.cancel_batch(actor=counter.actor, run_id=run.id)
    done = await counter.run("price", RAISE)
    with pytest.raises(BatchRunEnded, match="is completed already; reject its batches instead"):
        await counter.commerce.cancel_batch(actor=counter.actor, run_id=done.id)


async def test_a_lost_database_leaves_it_to_the_queue(counter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await counter.start("price", RAISE)

    async def away(*_: Any) -> None:
        raise Unavailable("The database is away.")

    monkeypatch.setattr(repository, "add_part", away)
    with pytest.raises(Unavailable):
        await counter.pulled.work()
    assert (await counter.get(run)).status == "running"
    assert await counter.changes() == []


async def test_an_error_of_our_own_fails_it_with_nothing_staged(counter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await counter.start("price", RAISE)

    async def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(repository, "add_part", broken)
    with pytest.raises(Fatal):
        await counter.pulled.work()
    done = await counter.get(run)
    assert (done.status, done.staged) == ("failed", 0)
    assert done.error == "An error of Syncline's own stopped the operation (ZeroDivisionError). Nothing was staged."
    assert await counter.changes() == []
    monkeypatch.undo()
    again = await counter.commerce.retry_batch(actor=counter.actor, run_id=run.id)
    await counter.pulled.work()
    assert ((await counter.get(again)).staged, (await counter.get(run)).retried_by) == (4, again.id)
    with pytest.raises(BatchNotRetried, match="was retried already"):
        await counter.commerce.retry_batch(actor=counter.actor, run_id=run.id)


async def test_a_real_worker_does_it_and_says_so(counter: Any, runtime: Runtime, queue: FakeJobQueue) -> None:
    run = await counter.start("tags", {"add": ["sale"]})
    queue.waiting.clear()
    fleet = Fleet(runtime.database, counter.actor.tenant_id, runtime)
    fleet.start(jobs.JOBS)
    await fleet.enqueue(jobs.JOBS[0], {"run_id": str(run.id), "store_id": str(new_id())})

    async def is_done() -> bool:
        return bool((await counter.get(run)).status.is_final)

    await eventually(is_done)
    await fleet.stop()
    assert (await counter.get(run)).staged == 3
    async with runtime.database.reading(counter.actor.tenant_id) as session:
        told = [one for one in await published(session, OperationEnded) if one.kind is OperationKind.BATCH]
    assert [(one.operation_id, one.status, one.counts["staged"]) for one in told] == [(run.id, "completed", 3)]


# What is refused.


async def test_a_product_that_cannot_be_is_left_out_whole_and_retried_alone(counter: Any) -> None:
    # The shirt's M has 1 piece in the main warehouse, its S has 10; the hat has none.
    updates = {"available": "-2", "location": "main warehouse"}
    run = await counter.run("inventory", updates)
    assert (run.status, run.total, run.staged, run.refused) == ("completed", 3, 1, 2)
    assert [change.label for change in await counter.changes()] == ["Mug @ Main warehouse"]
    refusals = (await counter.results(run)).refusals
    assert [(one.product_id, one.field) for one in refusals.items] == sorted([
        (counter.product("linen-shirt"), "available"),
        (counter.product("wool-hat"), "available"),
    ])  # fmt: skip
    assert "from 1 to -1, below zero" in refusals.items[0].sentence
    shop = counter.pulled.shop
    shop.store.set_level(shop.variant("SHIRT-M").item_id, next(iter(shop.store.locations)), available=9)
    await counter.pulled.pull()
    again = await counter.commerce.retry_batch(actor=counter.actor, run_id=run.id)
    await counter.pulled.work()
    done = await counter.get(again)
    assert (done.total, done.staged, done.refused, done.retries) == (2, 2, 1, run.id)
    assert len(await counter.changes()) == 3


async def test_products_that_are_not_there_are_named(counter: Any) -> None:
    mug = counter.product("mug")
    run = await counter.run("status", {"status": "active"}, product_ids=(mug, 404, 404))
    assert (run.total, run.staged, run.refused) == (2, 1, 1)
    (refusal,) = (await counter.results(run)).refusals.items
    assert (refusal.product_id, refusal.sentence) == (
        404,
        "This product is not in the mirror; pull the store first, or leave it out.",
    )


async def test_nothing_left_to_retry_says_so(counter: Any) -> None:
    live = await counter.start("price", RAISE)
    with pytest.raises(BatchNotRetried, match="is queued; wait for its end"):
        await counter.commerce.retry_batch(actor=counter.actor, run_id=live.id)
    await counter.pulled.work()
    with pytest.raises(BatchNotRetried, match="was refused, so there is nothing to retry"):
        await counter.commerce.retry_batch(actor=counter.actor, run_id=live.id)


async def test_what_is_not_clear_is_said_before_a_run_is_made(counter: Any) -> None:
    for sentence, operation, updates, more in (
        ("Say for which products", "status", {"status": "active"}, {"where": None}),
        ("Did you mean vendor", "status", {"status": "active"}, {"where": "vendr:Acme"}),
        ("has no location 'Mane'", "inventory", {"available": 1, "location": "Mane"}, {}),
        ("lies at 2 locations", "inventory", {"available": 1}, {}),
        ("has no collection 'nope'", "collections", {"add": ["nope"]}, {}),
        ("Nothing to change", "seo", {}, {}),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            await counter.start(operation, updates, **more)
        with pytest.raises(InvalidInput, match=sentence):
            await counter.commerce.preview_batch(
                actor=counter.actor, request=counter.request(operation, updates, **more)
            )
    with pytest.raises(StoreNotFound):
        await counter.commerce.start_batch(
            actor=counter.actor, request=replace(counter.request("price", RAISE), store="nope")
        )
    assert counter.pulled.queue.waiting == []
    assert (await counter.commerce.list_batch_runs(actor=counter.actor, store=None, page=PageRequest())).total == 0


async def test_other_tenant_sees_and_moves_nothing(counter: Any, commerce: LocalCommerce, stranger: Any) -> None:
    run = await counter.start("price", RAISE)
    for ask in (commerce.get_batch_run, commerce.cancel_batch, commerce.retry_batch):
        with pytest.raises(BatchRunNotFound):
            await ask(actor=stranger, run_id=run.id)
    with pytest.raises(BatchRunNotFound):
        await commerce.get_batch_results(actor=stranger, run_id=run.id, page=PageRequest())
    assert (await commerce.list_batch_runs(actor=stranger, store=None, page=PageRequest())).total == 0
    assert (await counter.get(run)).status == "queued"


# What is done.


async def test_a_filter_of_variants_changes_those_and_not_their_sisters(counter: Any) -> None:
    run = await counter.run("price", RAISE, where="sku:SHIRT-S")
    assert (run.total, run.staged, run.summary) == (1, 1, "price raised by 1 USD where sku:SHIRT-S")
    (change,) = await counter.changes()
    assert (change.before, change.after) == ({"price": "20.00"}, {"price": "21.00"})


async def test_a_filter_with_a_minus_finds_the_variants_it_leaves(counter: Any) -> None:
    run = await counter.run("price", RAISE, where="-sku:SHIRT-S vendor:Acme")
    assert run.staged == 1
    assert [change.label for change in await counter.changes()] == ["Linen Shirt / M [SHIRT-M]"]


async def test_ids_and_a_filter_must_both_hold(counter: Any) -> None:
    ids = (counter.product("linen-shirt"), counter.product("mug"))
    run = await counter.run("status", {"status": "archived"}, product_ids=ids, where="vendor:Globex")
    assert (run.total, run.staged, run.refused) == (1, 1, 0)


async def test_a_large_operation_is_cut_into_batches(counter: Any, one_each: None) -> None:
    run = await counter.run("tags", {"add": ["sale"]}, note="autumn")
    results = await counter.results(run)
    assert (run.parts, run.staged) == (3, 3)
    assert [(part.number, part.products, part.staged, part.counts) for part in results.parts] == [
        (number, 1, 1, {"pending": 1}) for number in (1, 2, 3)
    ]
    batches = [part.batch_id for part in results.parts]
    assert len(set(batches)) == 3
    assert {change.batch_id for change in await counter.changes()} == set(batches)
    assert {change.note for change in await counter.changes()} == {"autumn"}


def test_limits_have_defaults_and_can_be_changed_one_by_one() -> None:
    settings = CommerceSettings.model_validate({"batch_limits": {"price": 7}})
    assert [settings.batch_limit(one) for one in BatchOperation] == [1000, 500, 7, 10000, 1000, 500, 250, 1000]


async def test_counts_of_everything_that_needs_no_change(counter: Any) -> None:
    run = await counter.run("status", {"status": "active"})
    assert (run.total, run.processed, run.staged, run.unchanged, run.refused) == (3, 3, 1, 2, 0)
    none = await counter.run("status", {"status": "active"}, where="vendor:nobody")
    assert (none.status, none.total, none.error) == (
        "completed",
        0,
        "No product matches; pull the store first if it is new.",
    )


async def test_a_preview_counts_what_the_run_then_stages(counter: Any) -> None:
    request = counter.request("inventory", {"available": "-2", "location": "Main warehouse"})
    shown = await counter.commerce.preview_batch(actor=counter.actor, request=request)
    assert await counter.changes() == []
    run = await counter.run("inventory", request.updates)
    assert (shown.products, shown.staged, shown.unchanged, shown.waiting, shown.refused, shown.parts) == (
        *(run.total, run.staged, run.unchanged, run.waiting, run.refused, run.parts),
    )
    staged = await counter.changes()
    assert [(one.label, one.before, one.after) for one in shown.changes] == [
        (one.label, one.before, one.after) for one in staged
    ]
    assert shown.summary == run.summary
    assert sorted(one.product_id for one in shown.refusals) == [
        one.product_id for one in (await counter.results(run)).refusals.items
    ]


@pytest.mark.parametrize(
    ("operation", "updates", "kind", "after"),
    [
        ("details", {"vendor": "Globex"}, "product", {"vendor": "Globex"}),
        ("seo", {"title": "Linen"}, "product", {"seo_title": "Linen"}),
        ("price", {"compare_at_price": "price"}, "variant", {"compare_at_price": "20.00"}),
        (
            "metafields",
            {"custom.fit:boolean": True},
            "product_metafield",
            {"metafield.custom.fit": {"type": "boolean", "value": "true"}},
        ),
    ],
)
async def test_each_operation_reaches_the_store(
    counter: Any, operation: str, updates: Any, kind: str, after: Any
) -> None:
    await counter.run(operation, updates, where="sku:SHIRT-S" if kind == "variant" else "vendor:Acme")
    (change,) = await counter.changes()
    assert (change.kind, change.after) == (kind, after)
    await counter.commerce.approve(actor=counter.actor, query=ChangeQuery(batch_id=change.batch_id))
    assert (await counter.pulled.push()).counts == {ChangeStatus.APPLIED: 1}


async def test_whoever_asked_is_the_author_for_the_rule_of_four_eyes(counter: Any, owner: Any) -> None:
    ada = replace(owner, name="Ada", user_id=new_id())
    request = counter.request("price", RAISE)
    await counter.commerce.start_batch(actor=ada, request=request)
    await counter.pulled.work()
    await counter.commerce.set_review_rule(actor=owner, four_eyes=True)
    renamed = replace(ada, name="Ada Lovelace")
    with pytest.raises(ChangeNotReviewable, match="somebody else has to approve"):
        await counter.commerce.approve(actor=renamed, query=ChangeQuery(store="demo"))
    assert (await counter.commerce.approve(actor=owner, query=ChangeQuery(store="demo"))).changed == 4


async def test_history_is_newest_first_and_by_store(counter: Any) -> None:
    first, second = await counter.run("price", RAISE), await counter.run("tags", {"add": ["x"]})
    found = await counter.commerce.list_batch_runs(actor=counter.actor, store="demo", page=PageRequest())
    assert [run.id for run in found.items] == [second.id, first.id]
    assert (found.items[1].requested_by, found.items[1].operation) == ("the owner", "price")
    with pytest.raises(StoreNotFound):
        await counter.commerce.list_batch_runs(actor=counter.actor, store="nope", page=PageRequest())


def test_the_job_is_declared_with_a_lock_by_store() -> None:
    (job,) = jobs.JOBS
    assert job.lock is not None
    assert job.lock({"store_id": "a"}) == "batch:a"
