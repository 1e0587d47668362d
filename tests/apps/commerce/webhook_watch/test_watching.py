"""A store's subscriptions are made, kept, mended and removed; what Shopify did is said."""

from __future__ import annotations

import httpx
import pytest
from tests.apps.commerce.conftest import Pulled
from tests.apps.commerce.webhook_watch.conftest import ADDRESS, HERE, subscribed

from syncline.apps.commerce.contract import StoreNotFound
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.webhook_management_contract import NoPublicAddress, NotRegistered, SubscriptionState
from syncline.apps.commerce.webhook_watch import repository
from syncline.apps.commerce.webhook_watch.topics import SCOPES, wanted_topics
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput, Retriable
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.trail import EntryQuery, list_entries
from syncline.runtime.secrets import SecretBox, new_key


async def faults(pulled: Pulled, text: str) -> None:
    async with httpx.AsyncClient(base_url=pulled.shop.url) as client:
        (await client.post("/sandbox/faults", json={"faults": text})).raise_for_status()


async def test_registering_subscribes_to_what_the_token_may_have(pulled: Pulled) -> None:
    made = await pulled.commerce.register_webhooks(actor=pulled.actor, store="demo", url=HERE)
    assert made.address == ADDRESS
    assert {one.topic for one in made.subscriptions} == set(SCOPES)
    assert {one.state for one in made.subscriptions} == {SubscriptionState.ACTIVE}
    assert set(subscribed(pulled.shop).values()) == {ADDRESS}
    assert len(subscribed(pulled.shop)) == len(SCOPES)


async def test_registering_twice_makes_nothing_twice(pulled: Pulled) -> None:
    first = await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE)
    again = await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE)
    assert [one.number for one in again.subscriptions] == [one.number for one in first.subscriptions]
    assert len(pulled.shop.web.state.engine.world.webhooks.subscriptions) == len(SCOPES)


async def test_a_register_that_stopped_half_way_is_gone_on_with(pulled: Pulled) -> None:
    await faults(pulled, "http_503=40:after4@CreateSubscription")
    with pytest.raises(Retriable):
        await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE)
    (half,) = await pulled.commerce.list_webhooks(actor=pulled.actor)
    assert sum(one.state is SubscriptionState.ACTIVE for one in half.subscriptions) == 4
    await faults_off(pulled)
    made = await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE)
    assert {one.state for one in made.subscriptions} == {SubscriptionState.ACTIVE}
    assert len(pulled.shop.web.state.engine.world.webhooks.subscriptions) == len(SCOPES)


async def faults_off(pulled: Pulled) -> None:
    async with httpx.AsyncClient(base_url=pulled.shop.url) as client:
        (await client.delete("/sandbox/faults")).raise_for_status()


async def test_what_shopify_dropped_is_made_again_and_said(pulled: Pulled) -> None:
    await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE)
    pulled.shop.web.state.engine.world.webhooks.drop("orders/create")
    found = await pulled.commerce.check_webhooks(actor=pulled.actor)
    assert (found.recreated, found.created, found.kept) == (["orders/create"], [], len(SCOPES) - 1)
    assert "ORDERS_CREATE" in subscribed(pulled.shop)
    (shown,) = await pulled.commerce.list_webhooks(actor=pulled.actor)
    assert shown.gap_since is not None
    assert "orders/create" in (shown.gap_reason or "")
    async with pulled.commerce.runtime.database.reading(pulled.actor.tenant_id) as session:
        entries = (await list_entries(session, EntryQuery(action="webhooks.mended"), PageRequest())).items
    assert [one.details["recreated"] for one in entries] == [1, 0]


async def test_a_secret_that_cannot_be_opened_is_told_of_once(pulled: Pulled) -> None:
    await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE)
    (store,) = await pulled.commerce.list_stores(actor=pulled.actor)
    database, tenant, now = pulled.commerce.runtime.database, pulled.actor.tenant_id, clock.now()
    lost = SecretBox([new_key()]).seal("lost")
    async with database.writing(tenant) as session:
        values = {"kind": grants.GrantKind.CUSTOM, "secret_sealed": lost, "granted_at": now, "issued_at": now}
        await grants.put(session, store.id, values)
    first, second = [await pulled.commerce.check_webhooks(actor=pulled.actor) for _ in range(2)]
    assert "cannot be verified" in first.sentence
    assert first.trouble is not None
    assert (second.trouble, second.kept) == (first.trouble, len(SCOPES))
    async with database.reading(tenant) as session:
        entries = (await list_entries(session, EntryQuery(action="webhooks.mended"), PageRequest())).items
        watch = await repository.find_watch(session, store.id)
    assert [one.outcome for one in entries] == ["failed", "done"]
    assert watch is not None
    assert watch.good_at is not None
    assert watch.good_at < now


async def test_one_that_goes_elsewhere_is_sent_back_here(pulled: Pulled) -> None:
    await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE)
    one = next(iter(pulled.shop.web.state.engine.world.webhooks.subscriptions.values()))
    one.uri = "https://old.example/api/webhooks/shopify"
    found = await pulled.commerce.check_webhooks(actor=pulled.actor)
    assert len(found.moved) == 1
    assert set(subscribed(pulled.shop).values()) == {ADDRESS}


async def test_another_address_moves_them_all(pulled: Pulled) -> None:
    first = await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE)
    moved = await pulled.commerce.register_webhooks(actor=pulled.actor, url="https://new.example")
    assert set(subscribed(pulled.shop).values()) == {"https://new.example/api/webhooks/shopify"}
    assert [one.number for one in moved.subscriptions] == [one.number for one in first.subscriptions]


async def test_fewer_topics_leave_fewer_and_others_of_the_shop_stay(pulled: Pulled) -> None:
    world = pulled.shop.web.state.engine.world
    theirs = world.webhooks.subscribe("CARTS_CREATE", "https://other.example/hooks")
    await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE)
    await pulled.commerce.register_webhooks(actor=pulled.actor, url=HERE, topics=["orders/create"])
    assert set(subscribed(pulled.shop)) == {"ORDERS_CREATE", "CARTS_CREATE"}
    assert await pulled.commerce.remove_webhooks(actor=pulled.actor) == 1
    assert list(world.webhooks.subscriptions) == [theirs.id]
    (shown,) = await pulled.commerce.list_webhooks(actor=pulled.actor)
    assert (shown.address, shown.subscriptions) == (None, [])


def test_a_topic_the_token_may_not_have_is_left_out() -> None:
    granted = ["read_products", "write_inventory"]
    assert "products/update" in wanted_topics(granted)
    assert "inventory_levels/update" in wanted_topics(granted)
    assert not {"orders/create", "customers/update"} & set(wanted_topics(granted))


async def test_strangers_unknown_topics_and_bad_addresses_are_refused(pulled: Pulled, stranger: Actor) -> None:
    commerce, owner = pulled.commerce, pulled.actor
    with pytest.raises(StoreNotFound):
        await commerce.register_webhooks(actor=stranger, store="demo", url=HERE)
    with pytest.raises(InvalidInput, match="Connect a store first"):
        await commerce.register_webhooks(actor=stranger, url=HERE)
    with pytest.raises(InvalidInput, match="carts/create"):
        await commerce.register_webhooks(actor=owner, url=HERE, topics=["carts/create"])
    with pytest.raises(NoPublicAddress, match="SYNCLINE_COMMERCE_PUBLIC_URL"):
        await commerce.register_webhooks(actor=owner)
    with pytest.raises(NoPublicAddress, match="https"):
        await commerce.register_webhooks(actor=owner, url="http://shop.example")
    with pytest.raises(NotRegistered):
        await commerce.check_webhooks(actor=owner)
