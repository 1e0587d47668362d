"""What came is looked at, compared, tried again, given up and counted; nothing is applied twice."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import text
from tests.apps.commerce.webhooks.conftest import Hooked

from syncline.apps.commerce.facade import LocalCommerce
from syncline.apps.commerce.webhook_contract import WebhookEvent, WebhookOutcome, WebhookState
from syncline.apps.commerce.webhook_management_contract import (
    NotComparable,
    WebhookEmptied,
    WebhookNotFound,
    WebhookSettled,
)
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor

BROKEN = b'{"id": '


@pytest.fixture
def keeper(hooked: Hooked) -> LocalCommerce:
    found: LocalCommerce = hooked.pulled.commerce
    return found


@pytest.fixture
def actor(hooked: Hooked) -> Actor:
    found: Actor = hooked.pulled.actor
    return found


async def dead(hooked: Hooked) -> WebhookEvent:
    """One that can never be applied, given up."""
    await hooked.send("products/update", BROKEN)
    await hooked.work()
    (found,) = await hooked.events(state=WebhookState.DEAD)
    return found


async def test_events_are_found_by_what_became_of_them(hooked: Hooked, keeper: LocalCommerce, actor: Actor) -> None:
    await hooked.send("products/update", hooked.payload("mug", title="Cup"))
    await dead(hooked)
    await hooked.send("customers/update", {"id": 7})

    async def topics(**wanted: object) -> list[str]:
        page = await keeper.list_webhook_events(actor=actor, page=PageRequest(), **wanted)  # type: ignore[arg-type]
        return [one.topic for one in page.items]

    assert await topics() == ["customers/update", "products/update", "products/update"]
    assert await topics(processed=False) == ["customers/update"]
    assert await topics(state=WebhookState.APPLIED) == ["products/update"]
    assert await topics(topic="customers/update", store="demo") == ["customers/update"]
    assert len(await topics(processed=True)) == 2


async def test_one_that_was_applied_is_not_tried_again_nor_given_up(
    hooked: Hooked, keeper: LocalCommerce, actor: Actor
) -> None:
    await hooked.send("products/update", hooked.payload("mug", title="Cup"))
    await hooked.work()
    event = await hooked.event()
    with pytest.raises(WebhookSettled, match="applied already"):
        await keeper.retry_webhook(actor=actor, event_id=event.id)
    with pytest.raises(WebhookSettled, match="cannot be given up"):
        await keeper.give_up_webhook(actor=actor, event_id=event.id)
    retried = await keeper.retry_failed_webhooks(actor=actor)
    assert (retried.retried, retried.left) == (0, 0)
    assert await hooked.event() == event


async def test_one_given_up_is_tried_again_and_applied_once(
    hooked: Hooked, keeper: LocalCommerce, actor: Actor
) -> None:
    await hooked.send("products/update", hooked.payload("mug", title="Cup"))
    waiting = await hooked.event()
    given_up = await keeper.give_up_webhook(actor=actor, event_id=waiting.id, reason="Not ours")
    assert (given_up.state, given_up.reason) == (WebhookState.DEAD, "Not ours")
    await hooked.work()
    assert (await hooked.event()).state is WebhookState.DEAD
    sent_back = await keeper.retry_webhook(actor=actor, event_id=waiting.id)
    again = await keeper.retry_webhook(actor=actor, event_id=waiting.id)
    assert sent_back.state is again.state is WebhookState.WAITING
    await hooked.work()
    applied = await hooked.event()
    assert (applied.state, applied.outcome, applied.attempts) == (WebhookState.APPLIED, WebhookOutcome.WRITTEN, 1)
    product = await hooked.mirrored("product", hooked.product("mug").id)
    assert product is not None
    assert product["title"] == "Cup"


async def test_failed_ones_are_tried_again_up_to_the_limit(hooked: Hooked, keeper: LocalCommerce, actor: Actor) -> None:
    for _ in range(3):
        await hooked.send("products/update", BROKEN + str(uuid4()).encode())
    await hooked.work()
    retried = await keeper.retry_failed_webhooks(actor=actor, store="demo", limit=2)
    assert (retried.retried, retried.left) == (2, 1)
    await hooked.work()
    assert len(await hooked.events(state=WebhookState.DEAD)) == 3


async def test_one_whose_content_was_erased_meanwhile_says_so(
    hooked: Hooked, keeper: LocalCommerce, actor: Actor
) -> None:
    event = await dead(hooked)
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        await session.execute(text("DELETE FROM commerce.webhook_body WHERE event_id = :id"), {"id": event.id})
    with pytest.raises(WebhookEmptied, match="erased"):
        await keeper.retry_webhook(actor=actor, event_id=event.id)
    shown = await keeper.get_webhook_event(actor=actor, event_id=event.id)
    assert (shown.payload, shown.text) == (None, None)


async def test_what_it_carried_is_shown_even_when_it_is_no_json(
    hooked: Hooked, keeper: LocalCommerce, actor: Actor
) -> None:
    shown = await keeper.get_webhook_event(actor=actor, event_id=(await dead(hooked)).id)
    assert (shown.payload, shown.text, shown.store) == (None, BROKEN.decode(), "demo")


async def test_two_of_a_record_are_compared_in_the_order_they_came(
    hooked: Hooked, keeper: LocalCommerce, actor: Actor
) -> None:
    await hooked.send("products/update", hooked.payload("mug"))
    await hooked.send("products/update", hooked.payload("mug", later=2, title="Cup"))
    await hooked.work()
    later, earlier = await hooked.events()
    found = await keeper.diff_webhooks(actor=actor, event_id=later.id)
    assert {one.path: (one.before, one.after) for one in found.changes}["title"] == ("Mug", "Cup")
    assert found == await keeper.diff_webhooks(actor=actor, event_id=earlier.id, other_id=later.id)
    with pytest.raises(NotComparable, match="first webhook"):
        await keeper.diff_webhooks(actor=actor, event_id=earlier.id)


async def test_of_different_records_or_before_it_was_read_nothing_is_compared(
    hooked: Hooked, keeper: LocalCommerce, actor: Actor
) -> None:
    await hooked.send("products/update", hooked.payload("mug"))
    with pytest.raises(NotComparable, match="not read yet"):
        await keeper.diff_webhooks(actor=actor, event_id=(await hooked.event()).id)
    await hooked.send("products/update", hooked.payload("wool-hat"))
    await hooked.work()
    hat, mug = await hooked.events()
    with pytest.raises(NotComparable, match="different records"):
        await keeper.diff_webhooks(actor=actor, event_id=hat.id, other_id=mug.id)


async def test_they_are_counted_by_topic_and_day(hooked: Hooked, keeper: LocalCommerce, actor: Actor) -> None:
    empty = await keeper.webhook_stats(actor=actor)
    assert (empty.received, empty.success_rate, empty.seconds_p50) == (0, None, None)
    for later in (1, 2, 3):
        await hooked.send("products/update", hooked.payload("mug", later=later))
    await dead(hooked)
    await hooked.send("orders/create", {"id": 1})
    found = await keeper.webhook_stats(actor=actor, store="demo", days=1)
    assert (found.received, found.applied + found.ignored, found.dead, found.waiting) == (5, 3, 1, 1)
    assert found.success_rate == 75.0
    assert {one.topic: one.received for one in found.topics} == {"orders/create": 1, "products/update": 4}
    assert [one.received for one in found.days] == [5]


async def test_another_tenant_finds_none_of_it(hooked: Hooked, keeper: LocalCommerce, stranger: Actor) -> None:
    event = await dead(hooked)
    assert (await keeper.list_webhook_events(actor=stranger, page=PageRequest())).total == 0
    assert (await keeper.webhook_stats(actor=stranger)).received == 0
    assert (await keeper.retry_failed_webhooks(actor=stranger)).retried == 0
    for ask in (keeper.get_webhook_event, keeper.retry_webhook, keeper.give_up_webhook, keeper.diff_webhooks):
        with pytest.raises(WebhookNotFound):
            await ask(actor=stranger, event_id=event.id)
    assert (await hooked.event()).state is WebhookState.DEAD
