"""What a push would do, before it does it: the plan against what came of it, and what the store would refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from syncline.apps.commerce.contract import NothingToDo, PullMode, StoreNotFound
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.push.plan.estimate import estimate
from syncline.apps.commerce.push.plan.repository import KindCount
from syncline.apps.commerce.push.plan.service import missing_scopes
from syncline.apps.commerce.push_contract import EngineConfig, PushRefused, Strategy
from syncline.apps.commerce.staging.models import staged_change


async def plan(desk: Any, **more: Any) -> Any:
    return await desk.commerce.plan_push(actor=desk.pulled.actor, store="demo", **more)


async def test_plan_says_what_the_push_then_does(desk: Any) -> None:
    await desk.staged("", "vendor=Acme Plan")
    await desk.staged("", "price=25")
    made = await plan(desk)
    assert [(step.kind, step.changes, step.calls) for step in made.steps] == [("product", 3, 3), ("variant", 4, 3)]
    assert (made.changes, made.products, made.problems, made.is_blocked) == (7, 3, [], False)
    assert await desk.ledger() == []
    run = await desk.push()
    assert (run.engine.cost.requests, run.engine.cost.naive_requests) == (made.requests, made.naive_requests)
    assert abs(run.engine.cost.charged - made.points) <= 10


async def test_plan_of_one_batch_and_of_nothing(desk: Any) -> None:
    mine = await desk.staged("sku:SHIRT-S", "price=25")
    await desk.staged("sku:SHIRT-M", "price=26")
    assert (await plan(desk, batch_id=mine.id)).changes == 1
    await desk.push()
    empty = await plan(desk)
    assert (empty.changes, empty.requests, empty.points, empty.seconds) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("code", "where", "edit", "after"),
    [
        ("TOO_MANY_TAGS", "handle:mug", "tags=+new", {"tags": [f"tag {number}" for number in range(251)]}),
        ("TOO_LONG", "handle:mug", "vendor=Acme", {"vendor": "a" * 256}),
        ("REQUIRED", "handle:mug", "title=Cup", {"title": ""}),
        ("NEGATIVE_PRICE", "sku:SHIRT-S", "price=25", {"price": "-1.00"}),
        ("QUANTITY_OUT_OF_RANGE", "sku:SHIRT-S", 'inventory=+1@"Main warehouse"', {"available": 2_000_000_000}),
    ],
)
async def test_plan_names_what_the_store_would_refuse(
    desk: Any, code: str, where: str, edit: str, after: dict[str, Any]
) -> None:
    """Staging refuses most of these; what an earlier release or another program has staged is found all the same."""
    batch = await desk.staged(where, edit)
    async with desk.commerce.runtime.database.writing(desk.pulled.actor.tenant_id) as session:
        changed = update(staged_change).where(staged_change.c.batch_id == batch.id).values(after=after)
        await session.execute(changed)
    made = await plan(desk)
    assert [(problem.code, problem.changes, problem.is_blocking) for problem in made.problems] == [(code, 1, False)]
    assert made.problems[0].labels


CAP: dict[str, Any] = {"title": "Cap", "options": ["Size"], "variants": [{"options": ["S"]}, {"options": ["M"]}]}


async def stage_whole(desk: Any, *products: dict[str, Any]) -> Any:
    batch = await desk.commerce.stage_products(actor=desk.pulled.actor, store="demo", products=products)
    await desk.approve(batch)
    return batch


async def test_plan_of_products_that_are_right_names_nothing(desk: Any) -> None:
    await stage_whole(desk, CAP, {"title": "Plain"})
    made = await plan(desk)
    assert [(step.kind, step.changes, step.calls) for step in made.steps] == [("whole_product", 2, 2)]
    assert made.problems == []


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("HANDLE_TAKEN", {"handle": "mug"}),
        ("PRODUCT_TOO_LARGE", {"options": [{"name": name, "values": []} for name in "abcd"], "variants": []}),
        ("PRODUCT_TOO_LARGE", {"variants": [{"options": ["S"]}] * 2_049}),
        ("OPTION_VALUES_MISSING", {"variants": [{"options": ["S"]}, {"options": []}]}),
        ("OPTION_VALUES_MISSING", {"variants": [{"options": [" "]}]}),
    ],
)
async def test_plan_names_what_a_new_product_lacks(desk: Any, code: str, wrong: dict[str, Any]) -> None:
    """As an earlier release or another program may have staged it."""
    batch = await stage_whole(desk, CAP)
    (change,) = [await desk.change(batch)]
    after = {"whole_product": {**change.after["whole_product"], **wrong}}
    async with desk.commerce.runtime.database.writing(desk.pulled.actor.tenant_id) as session:
        changed = update(staged_change).where(staged_change.c.batch_id == batch.id).values(after=after)
        await session.execute(changed)
    (problem,) = (await plan(desk)).problems
    assert (problem.code, problem.changes, problem.is_blocking, problem.labels) == (code, 1, False, ["Cap"])


async def test_plan_names_the_second_of_two_that_make_one_handle_and_one_the_store_has_by_now(desk: Any) -> None:
    await stage_whole(desk, CAP)
    await stage_whole(desk, {**CAP, "title": "cap"})
    (problem,) = (await plan(desk)).problems
    assert (problem.code, problem.labels) == ("HANDLE_TAKEN", ["cap"])
    desk.store.add_product(title="Theirs", handle="cap")
    await desk.pulled.pull(PullMode.INCREMENTAL)
    (problem,) = (await plan(desk)).problems
    assert problem.labels == ["Cap", "cap"]


async def test_plan_tells_what_is_deleted_for_good_and_what_lacks_its_scope(desk: Any) -> None:
    batch = await desk.commerce.stage_deletion(actor=desk.pulled.actor, store="demo", where="handle:mug")
    await desk.approve(batch)
    world = desk.pulled.shop.web.state.engine.world
    world.options = replace(world.options, scopes=frozenset({"read_products", "read_inventory"}))
    made = await plan(desk)
    assert [(one.code, one.is_blocking) for one in made.problems] == [
        *[("SCOPE_MISSING", True)],
        ("DELETED_FOR_GOOD", False),
    ]
    assert "write_products" in made.problems[0].sentence
    assert "for good" in made.problems[1].sentence


async def test_scope_that_was_taken_away_blocks_the_plan(desk: Any) -> None:
    await desk.staged("sku:SHIRT-S", 'inventory=+1@"Main warehouse"')
    world = desk.pulled.shop.web.state.engine.world
    world.options = replace(world.options, scopes=frozenset({"read_products", "write_products", "read_inventory"}))
    made = await plan(desk)
    assert made.is_blocked
    assert "write_inventory" in made.problems[0].sentence


async def test_unknown_store_and_other_tenant_see_no_plan(desk: Any, stranger: Any) -> None:
    with pytest.raises(StoreNotFound):
        await desk.commerce.plan_push(actor=stranger, store="demo")
    with pytest.raises(PushRefused):
        await plan(desk, config=EngineConfig(max_workers=0))
    with pytest.raises(NothingToDo):
        await desk.commerce.start_push(actor=desk.pulled.actor, store="demo")


def test_each_scope_is_named_with_the_changes_that_need_it() -> None:
    kinds = [KindCount(Owner.VARIANT, 5, 5, 2, 0), KindCount(Owner.INVENTORY_LEVEL, 3, 3, 2, 0)]
    found = missing_scopes(kinds, ["write_products"], "demo")
    assert [(problem.code, problem.changes) for problem in found] == [("SCOPE_MISSING", 3)]
    assert missing_scopes(kinds, ["write_products", "write_inventory"], "demo") == []


counts = st.builds(
    lambda kind, products, each: KindCount(kind, products * each, products * each, products, 1),
    st.sampled_from(Owner),
    st.integers(1, 5_000),
    st.integers(1, 5),
)


@given(st.lists(counts, max_size=8, unique_by=lambda one: one.kind), st.sampled_from(Strategy))
def test_estimate_holds_the_writes_and_takes_no_longer_on_a_faster_plan(
    kinds: list[KindCount], strategy: Strategy
) -> None:
    products = max((one.products for one in kinds), default=0)
    bucket = {"available": 2000.0, "capacity": 2000.0, "restore_rate": 100.0}
    made = estimate(kinds, products, EngineConfig(strategy=strategy), **bucket)
    writes = sum(step.points for step in made.steps)
    assert made.points >= writes
    assert (made.points == 0) == (not kinds)
    assert made.seconds >= 0
    faster = estimate(kinds, products, EngineConfig(strategy=strategy), **{**bucket, "restore_rate": 1000.0})
    assert faster.seconds <= made.seconds
