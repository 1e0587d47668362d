"""What no webhook told of is found, read, and explained."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.apps.commerce.conftest import Pulled
from tests.apps.commerce.webhook_watch.conftest import HERE

from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.webhook_management_contract import CatchUp, MissReason
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.kernel.tenant import Actor


async def catch_up(pulled: Pulled) -> CatchUp:
    since = clock.now() - timedelta(hours=1)
    return await pulled.commerce.catch_up_webhooks(actor=pulled.actor, store="demo", since=since)


async def test_nothing_missed_is_said_too(pulled: Pulled) -> None:
    found = await catch_up(pulled)
    assert (found.missed, found.repaired, found.misses) == (0, 0, [])
    assert "missed none" in found.sentence


async def test_never_subscribed_to(pulled: Pulled) -> None:
    pulled.shop.store.update_variant(pulled.shop.variant("SHIRT-S"), price="31.00")
    found = await catch_up(pulled)
    assert [(one.kind, one.what, one.reason) for one in found.misses] == [
        ("product", "changed", MissReason.NEVER_SUBSCRIBED)
    ]
    assert found.repaired > 0
    assert (await catch_up(pulled)).missed == 0


async def test_made_changed_and_deleted_while_nothing_was_delivered(pulled: Pulled) -> None:
    await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE)
    store = pulled.shop.store
    made = store.add_product(title="New", handle="new")
    shirt = store.products[pulled.shop.variant("SHIRT-S").product_id]
    store.delete_variant(pulled.shop.variant("SHIRT-M"))
    mug = next(one for one in store.products.values() if one.handle == "mug")
    store.delete_product(mug)
    item_id, place = next(key for key in store.levels if store.items[key[0]].variant_id == shirt.variant_ids[0])
    store.set_level(item_id, place, available=77)
    found = await catch_up(pulled)
    products = {one.number: one.what for one in found.misses if one.kind == "product"}
    assert products == {made.id: "missing", shirt.id: "changed", mug.id: "gone"}
    assert {one.number for one in found.misses if one.kind == "inventory_level"} >= {item_id}
    assert {one.reason for one in found.misses} <= {MissReason.NOT_DELIVERED, MissReason.SUBSCRIPTION_GONE}
    assert (await catch_up(pulled)).missed == 0


async def test_a_gap_is_settled_by_looking_past_it(pulled: Pulled) -> None:
    await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE)
    pulled.shop.web.state.engine.world.webhooks.drop("products/update")
    await pulled.commerce.check_webhooks(actor=pulled.actor)
    pulled.shop.store.update_variant(pulled.shop.variant("SHIRT-S"), price="32.00")
    found = await pulled.commerce.catch_up_webhooks(actor=pulled.actor)
    assert [(one.kind, one.reason) for one in found.misses] == [("product", MissReason.SUBSCRIPTION_GONE)]
    (shown,) = await pulled.commerce.list_webhooks(actor=pulled.actor)
    assert shown.gap_since is None
    assert shown.caught_up_at is not None
    (listed,) = await pulled.commerce.list_catch_ups(actor=pulled.actor, store="demo")
    assert (listed.id, listed.missed, listed.cause) == (found.id, 1, "by hand")
    assert [one.number for one in listed.misses] == [one.number for one in found.misses]


async def test_the_schedule_mends_and_catches_up(pulled: Pulled) -> None:
    await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE)
    pulled.shop.web.state.engine.world.webhooks.drop()
    pulled.shop.store.update_variant(pulled.shop.variant("SHIRT-S"), price="33.00")
    pulled.commerce.runtime.settings_of("commerce", CommerceSettings).webhook_check = timedelta(0)
    async with pulled.commerce.runtime.database.writing(pulled.actor.tenant_id) as session:
        rows = await pulled.commerce.list_stores(actor=pulled.actor)
        await pulled.queue.enqueue(session, "commerce.watch_webhooks", {"store_id": str(rows[0].id)})
    await pulled.work()
    assert len(pulled.shop.web.state.engine.world.webhooks.subscriptions) > 20
    (caught,) = await pulled.commerce.list_catch_ups(actor=pulled.actor)
    assert (caught.cause, caught.missed) == ("gap", 1)


async def test_a_moment_to_come_and_another_tenant_s(pulled: Pulled, stranger: Actor) -> None:
    with pytest.raises(InvalidInput, match="still to come"):
        await pulled.commerce.catch_up_webhooks(actor=pulled.actor, since=clock.now() + timedelta(days=1))
    assert await pulled.commerce.list_catch_ups(actor=stranger) == []
