"""What stored webhooks do to the mirror: in whatever order, however often, whatever dies meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.apps.commerce.webhooks.conftest import Hooked, soon, title

from syncline.apps.commerce.contract import ChangeQuery, StoreReview
from syncline.apps.commerce.inbound.service import set_review
from syncline.apps.commerce.privacy.personal_data import PERSONAL_DATA
from syncline.apps.commerce.webhook_contract import WebhookOutcome, WebhookState
from syncline.apps.commerce.webhooks import repository
from syncline.apps.commerce.webhooks.jobs import READ_JOB
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.runtime.controls import stops
from syncline.runtime.privacy.subject import Subject


async def outcomes(hooked: Hooked) -> Sequence[WebhookOutcome | None]:
    return [one.outcome for one in sorted(await hooked.events(), key=lambda one: one.received_at)]


async def test_product_is_changed_and_the_event_says_so(hooked: Hooked) -> None:
    hooked.product("mug").title = "Cup"
    await hooked.send("products/update", hooked.payload("mug"))
    await hooked.work()
    event = await hooked.event()
    assert (event.state, event.outcome, event.kind, event.number) == (
        WebhookState.APPLIED,
        WebhookOutcome.WRITTEN,
        "product",
        hooked.product("mug").id,
    )
    assert await title(hooked) == "Cup"


async def test_what_the_payload_does_not_hold_is_read_once_for_many(hooked: Hooked) -> None:
    mug = hooked.product("mug")
    mug.seo_title = "The best mug"
    for later in range(1, 6):
        mug.updated_at += timedelta(seconds=1)
        await hooked.send("products/update", hooked.payload("mug", later=0, title=f"Mug {later}"))
    calls = hooked.shop.web.state.engine.world.counters.requests
    await hooked.work()
    row = await hooked.mirrored("product", mug.id)
    assert row is not None
    assert row["seo_title"] == "The best mug"
    assert hooked.shop.web.state.engine.world.counters.requests - calls <= 4
    assert await left_to_read(hooked) == 0


async def left_to_read(hooked: Hooked) -> int:
    async with hooked.runtime.database.reading(hooked.tenant) as session:
        query = text("SELECT count(*) FROM commerce.webhook_reading WHERE store_id = :store")
        return int(await session.scalar(query, {"store": hooked.store_id}) or 0)


async def test_older_state_that_comes_later_is_left_out(hooked: Hooked) -> None:
    hooked.product("mug").updated_at += timedelta(seconds=20)
    hooked.product("mug").title = "Second"
    await hooked.send("products/update", hooked.payload("mug", later=0))
    await hooked.work()
    await hooked.send("products/update", hooked.payload("mug", later=-10, title="First"))
    await hooked.work()
    assert await title(hooked) == "Second"
    assert await outcomes(hooked) == [WebhookOutcome.WRITTEN, WebhookOutcome.OLDER]


async def test_states_out_of_order_in_one_batch_end_in_the_latest(hooked: Hooked) -> None:
    hooked.product("mug").updated_at += timedelta(seconds=20)
    hooked.product("mug").title = "Second"
    await hooked.send("products/update", hooked.payload("mug", later=0))
    await hooked.send("products/update", hooked.payload("mug", later=-10, title="First"))
    await hooked.work()
    assert await title(hooked) == "Second"
    assert sorted(str(one) for one in await outcomes(hooked)) == ["older", "written"]


async def test_same_content_under_another_delivery_is_done_once(hooked: Hooked) -> None:
    payload = hooked.payload("mug", later=0, title=hooked.product("mug").title)
    await hooked.send("products/update", payload)
    await hooked.send("products/update", payload)
    await hooked.work()
    await hooked.send("products/update", payload)
    await hooked.work()
    assert sorted(str(one) for one in await outcomes(hooked)) == ["repeated", "repeated", "written"]


async def test_two_states_of_one_second_are_both_news(hooked: Hooked) -> None:
    hooked.product("mug").updated_at += timedelta(seconds=5)
    await hooked.send("products/update", hooked.payload("mug", later=0, title="One"))
    hooked.product("mug").title = "Two"
    await hooked.send("products/update", hooked.payload("mug", later=0))
    await hooked.work()
    assert await title(hooked) == "Two"


async def test_deleted_product_is_buried_with_its_variants_and_does_not_come_back(hooked: Hooked) -> None:
    mug = hooked.product("mug")
    create = hooked.payload("mug", later=0)
    (variant,) = [one for one in hooked.shop.store.variants.values() if one.product_id == mug.id]
    await hooked.send("products/delete", {"id": mug.id})
    await hooked.work()
    await hooked.send("products/create", create)
    await hooked.work()
    rows = [await hooked.mirrored("product", mug.id), await hooked.mirrored("variant", variant.id)]
    assert all(row is not None and row["deleted_at"] is not None for row in rows)
    assert await outcomes(hooked) == [WebhookOutcome.BURIED, WebhookOutcome.GONE]


async def test_creation_after_its_deletion_in_one_batch_is_not_there(hooked: Hooked) -> None:
    create = {**hooked.payload("mug"), "id": 777, "variants": [], "variant_gids": []}
    await hooked.send("products/delete", {"id": 777})
    await hooked.send("products/create", create, triggered_at=(clock.now() - timedelta(hours=1)).isoformat())
    await hooked.work()
    row = await hooked.mirrored("product", 777)
    assert row is None or row["deleted_at"] is not None


async def test_variant_that_is_gone_from_its_product_is_buried(hooked: Hooked) -> None:
    payload = hooked.payload("linen-shirt")
    gone = payload["variants"].pop()
    payload["variant_gids"].pop()
    del hooked.shop.store.variants[gone["id"]]
    shirt = hooked.product("linen-shirt")
    shirt.variant_ids.remove(gone["id"])
    await hooked.send("products/update", payload)
    await hooked.work()
    row = await hooked.mirrored("variant", gone["id"])
    assert row is not None
    assert row["deleted_at"] is not None


async def test_stock_is_read_whole(hooked: Hooked) -> None:
    level = next(iter(hooked.shop.store.levels.values()))
    level.available += 7
    level.updated_at += timedelta(seconds=5)
    payload = {
        "inventory_item_id": level.item_id,
        "location_id": level.location_id,
        "available": level.available,
        "updated_at": level.updated_at.isoformat(),
    }
    await hooked.send("inventory_levels/update", payload)
    await hooked.work()
    query = text(
        "SELECT available, on_hand FROM commerce.inventory_level"
        " WHERE store_id = :store AND inventory_item_id = :item AND location_id = :place"
    )
    values = {"store": hooked.store_id, "item": level.item_id, "place": level.location_id}
    async with hooked.runtime.database.reading(hooked.tenant) as session:
        row = (await session.execute(query, values)).one()
    assert tuple(row) == (level.available, level.on_hand)


async def test_unknown_topic_is_kept_and_said_to_be_left_alone(hooked: Hooked) -> None:
    await hooked.send("themes/publish", {"id": 5})
    await hooked.work()
    event = await hooked.event()
    assert (event.state, event.outcome) == (WebhookState.IGNORED, WebhookOutcome.NOT_HANDLED)


async def test_body_without_an_id_is_a_dead_letter_and_its_neighbours_are_applied(hooked: Hooked) -> None:
    hooked.product("mug").title = "Cup"
    await hooked.send("products/update", {"title": "nobody"})
    await hooked.send("products/update", hooked.payload("mug"))
    await hooked.send("products/update", b"[1, 2]")
    await hooked.work()
    assert await title(hooked) == "Cup"
    assert sorted(one.state.value for one in await hooked.events()) == ["applied", "dead", "dead"]
    (first, *_) = await hooked.events(state=WebhookState.DEAD)
    assert first.first_failed_at is not None


async def test_second_run_finds_nothing_to_do(hooked: Hooked) -> None:
    await hooked.send("products/update", hooked.payload("mug"))
    await hooked.work()
    before = await hooked.event()
    await soon(hooked)
    await hooked.work()
    after = await hooked.event()
    assert (after.attempts, after.settled_at) == (before.attempts, before.settled_at)


@pytest.mark.parametrize("whole_tenant", [True, False])
async def test_what_comes_during_a_pause_is_kept_and_applied_after_it(hooked: Hooked, whole_tenant: bool) -> None:
    paused = None if whole_tenant else hooked.store_id
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        await stops.pause(session, store_id=paused, reason="A stocktake.", actor="the owner")
    answer = await hooked.send("products/update", hooked.payload("mug", title="Cup"))
    await hooked.work()
    assert answer.json()["received"] is True
    assert (await hooked.event()).state is WebhookState.WAITING
    (again,) = hooked.waiting
    assert again.run_at is not None
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        await stops.resume(session, store_id=paused)
    await soon(hooked)
    await hooked.work()
    assert await title(hooked) == "Cup"


async def test_pause_of_another_store_holds_nothing_up(hooked: Hooked) -> None:
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        await stops.pause(session, store_id=new_id(), reason="A stocktake.", actor="the owner")
    await hooked.send("products/update", hooked.payload("mug", title="Cup"))
    await hooked.work()
    assert await title(hooked) == "Cup"


async def test_pause_holds_up_what_is_still_to_be_read_as_well(hooked: Hooked) -> None:
    hooked.shop.renew("another token")
    await hooked.send("products/update", hooked.payload("mug", title="Cup"))
    await hooked.work()
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        await stops.pause(session, store_id=hooked.store_id, reason="A stocktake.", actor="the owner")
        await session.execute(text("UPDATE commerce.webhook_reading SET due_at = now() - interval '1 s'"))
        await hooked.runtime.queue.enqueue(session, READ_JOB, {"store_id": str(hooked.store_id)})
    calls = hooked.shop.web.state.engine.world.counters.requests
    await hooked.work()
    assert hooked.shop.web.state.engine.world.counters.requests == calls
    assert await left_to_read(hooked) == 2


async def test_change_made_in_the_store_waits_for_review(hooked: Hooked) -> None:
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        await set_review(session, store="demo", review=StoreReview.INBOUND)
    hooked.product("mug").title = "Cup"
    await hooked.send("products/update", hooked.payload("mug"))
    await hooked.work()
    page = await hooked.pulled.commerce.list_changes(actor=hooked.pulled.actor, query=ChangeQuery(), page=PageRequest())
    assert [(one.before["title"], one.after["title"]) for one in page.items] == [("Mug", "Cup")]
    assert await title(hooked) == "Cup"


async def test_uninstalling_holds_the_store_and_throws_its_token_away(hooked: Hooked) -> None:
    await hooked.send("app/uninstalled", {"id": 1, "name": "Sandbox Supply"})
    await hooked.work()
    assert (await hooked.event()).outcome is WebhookOutcome.HANDED_ON
    (store,) = await hooked.pulled.commerce.list_stores(actor=hooked.pulled.actor)
    assert store.uninstalled_at is not None


async def test_unreachable_shop_keeps_what_is_to_be_read(hooked: Hooked) -> None:
    hooked.shop.renew("another token")
    await hooked.send("products/update", hooked.payload("mug", title="Cup"))
    await hooked.send("products/update", hooked.payload("mug", later=2, title="Beaker"))
    await hooked.work()
    assert await title(hooked) == "Beaker"
    assert await left_to_read(hooked) == 2


async def test_who_is_erased_is_in_no_webhook_any_more(hooked: Hooked) -> None:
    payload = {"id": 4711, "email": "Ada@example.com", "updated_at": "2026-11-22T10:00:00Z", "addresses": []}
    await hooked.send("customers/update", {**payload, "created_at": "2026-11-01T10:00:00Z"})
    await hooked.send("themes/publish", {"id": 5, "said": "by ADA@example.com"})
    await hooked.send("themes/publish", {"id": 6})
    await hooked.work()
    subject = Subject(emails=frozenset({"ada@example.com"}))
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        known = await PERSONAL_DATA.identify(session, subject)
        named = [one.values["topic"] async for one in PERSONAL_DATA.export(session, known) if one.kind == "webhook"]
        counts = await PERSONAL_DATA.erase(session, known, keep_out=True)
    assert (sorted(named), counts["webhook"]) == (["customers/update", "themes/publish"], 2)
    async with hooked.runtime.database.reading(hooked.tenant) as session:
        bodies = [await repository.find_body(session, one.id) for one in await hooked.events()]
    assert sorted(body is None for body in bodies) == [False, True, True]
