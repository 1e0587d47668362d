"""Who is told of what, and what comes of it: once, also after a crash."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from syncline.apps.commerce.contract import ChangesAssigned, OperationEnded, OperationKind, RunStatus
from syncline.apps.operations.contract import ChannelKind, Delivery, DeliveryStatus
from syncline.apps.operations.deliveries import service
from syncline.apps.operations.deliveries.handlers import (
    tell,
    tell_of_assignment,
    tell_of_collision,
    tell_of_recovery,
    tell_of_staleness,
)
from syncline.apps.operations.deliveries.jobs import RETRY, deliver
from syncline.apps.operations.facade import LocalNotifications
from syncline.apps.outreach.contract import EventKeysCollided, RoutineRecovered, RoutineWentStale
from syncline.kernel.errors import Fatal, Retriable
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.bus import HandlerContext
from syncline.runtime.connect.guard import AddressRefused, Guard
from syncline.runtime.connect.standard_webhooks import verify
from syncline.runtime.jobs import JobContext
from syncline.runtime.jobs.testing import FakeJobQueue

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
End = Callable[..., Any]


def event(**more: Any) -> OperationEnded:
    values: dict[str, Any] = {
        "kind": OperationKind.PUSH,
        "operation_id": UUID(int=7),
        "store_id": None,
        "store": "summer",
        "status": RunStatus.FAILED,
        "sentence": "Shopify does not answer <now>.",
        "counts": {"applied": 1_200, "approved": 3},
        "requested_by": "ann",
    }
    return OperationEnded(**{**values, **more})


@pytest.fixture
def end(runtime: Runtime, owner: Actor) -> End:
    """An operation ends, and the relay hands it to the app; with the same `event_id` for the second time."""

    async def call(what: OperationEnded | None = None, event_id: UUID | None = None) -> None:
        async with runtime.database.writing(owner.tenant_id) as session:
            context = HandlerContext(runtime, session, event_id or new_id(), owner.tenant_id, NOW, 1)
            await tell(context, what or event())

    return call


@pytest.fixture
def work(runtime: Runtime, queue: FakeJobQueue, owner: Actor) -> Callable[..., Any]:
    """Runs the one delivery that waits, as attempt `attempt`, and leaves it in the queue for another."""

    async def call(attempt: int = 1) -> None:
        (waiting,) = queue.waiting
        await deliver(JobContext(runtime, waiting.job_id, attempt, owner.tenant_id), waiting.payload)

    return call


@pytest.fixture
def receipts(notifications: LocalNotifications, owner: Actor) -> Callable[..., Any]:
    async def call(**query: Any) -> list[Delivery]:
        found = await notifications.list_deliveries(actor=owner, page=PageRequest(), **query)
        return list(found.items)

    return call


async def add(
    notifications: LocalNotifications, owner: Actor, kind: str, target: str, name: str = "ops", **more: Any
) -> str:
    added = await notifications.add_channel(actor=owner, name=name, kind=ChannelKind(kind), target=target, **more)
    return added.secret or ""


async def test_a_webhook_is_told_signed_and_once(
    notifications: LocalNotifications, owner: Actor, receiver: Any, end: End, queue: FakeJobQueue, receipts: End
) -> None:
    secret = await add(notifications, owner, "webhook", receiver.url)
    same = new_id()
    await end(event_id=same)
    await end(event_id=same)
    await queue.run_waiting(notifications.runtime)
    ((headers, body),) = receiver.taken
    verify(secret, headers, body, now=datetime.now(UTC).timestamp())
    assert receiver.bodies[0]["type"] == "operation.failed"
    assert receiver.bodies[0]["data"]["operation_id"] == str(UUID(int=7))
    (receipt,) = await receipts()
    assert (receipt.status, receipt.attempts, receipt.sentence) == (DeliveryStatus.SENT, 1, None)
    assert receipt.sent_at is not None


async def test_slack_is_told_in_its_own_form(
    notifications: LocalNotifications, owner: Actor, slack: Any, end: End, queue: FakeJobQueue, receipts: End
) -> None:
    await add(notifications, owner, "slack", slack.url)
    await end()
    await queue.run_waiting(notifications.runtime)
    (message,) = slack.workspace.messages
    assert message["text"] == "Push of summer failed"
    said = " ".join(block["text"]["text"] for block in message["blocks"])
    assert "Shopify does not answer &lt;now&gt;." in said
    assert "1,200 applied" in said
    assert (await receipts())[0].status is DeliveryStatus.SENT


@pytest.mark.process
async def test_a_mail_arrives_at_a_real_server(
    notifications: LocalNotifications, owner: Actor, mail_server: Any, end: End, queue: FakeJobQueue, receipts: End
) -> None:
    await add(notifications, owner, "email", "ops@example.com")
    await end(event(sentence="Grüße"))
    await queue.run_waiting(notifications.runtime)
    (mail,) = mail_server.read()
    (receipt,) = await receipts()
    assert (mail["To"], mail["Subject"]) == ("ops@example.com", "Push of summer failed")
    assert mail["Message-ID"] == f"<{receipt.id.hex}@syncline>"
    assert "Grüße" in mail.get_content()
    assert receipt.status is DeliveryStatus.SENT


async def test_without_a_mail_server_it_is_kept_to_be_read(
    notifications: LocalNotifications, owner: Actor, end: End, queue: FakeJobQueue, receipts: End
) -> None:
    await add(notifications, owner, "email", "ops@example.com")
    await end()
    await queue.run_waiting(notifications.runtime)
    (receipt,) = await receipts(status=DeliveryStatus.KEPT)
    assert "SYNCLINE_SMTP_URL" in (receipt.sentence or "")
    assert "Shopify does not answer" in receipt.text


@pytest.mark.parametrize(
    ("channel", "what", "told"),
    [
        ({}, event(status=RunStatus.COMPLETED, counts={}), 1),
        ({"only_failures": True}, event(status=RunStatus.COMPLETED, counts={"applied": 9}), 0),
        ({"only_failures": True}, event(status=RunStatus.COMPLETED, counts={"applied": 9, "conflict": 1}), 1),
        ({"only_failures": True}, event(status=RunStatus.CANCELLED, counts={}), 0),
        ({"only_failures": True}, event(), 1),
        ({"operations": ["pull", "import"]}, event(), 0),
        ({"operations": ["pull", "push"]}, event(), 1),
    ],
)
async def test_each_channel_is_told_what_it_asked_for(
    notifications: LocalNotifications,
    owner: Actor,
    end: End,
    queue: FakeJobQueue,
    channel: dict[str, Any],
    what: OperationEnded,
    told: int,
) -> None:
    await add(notifications, owner, "email", "ops@example.com", **channel)
    await end(what)
    assert len(queue.waiting) == told


async def test_a_channel_that_is_off_is_told_nothing(
    notifications: LocalNotifications, owner: Actor, end: End, queue: FakeJobQueue
) -> None:
    await add(notifications, owner, "email", "ops@example.com")
    await notifications.change_channel(actor=owner, name="ops", is_enabled=False)
    await end()
    assert queue.waiting == []


async def test_trouble_is_tried_again_under_the_same_id_and_the_receipt_says_so(
    notifications: LocalNotifications, owner: Actor, receiver: Any, end: End, work: End, receipts: End
) -> None:
    await add(notifications, owner, "webhook", receiver.url)
    receiver.answers.extend([503, 429])
    await end()
    with pytest.raises(Retriable):
        await work(1)
    assert [(one.status, one.attempts) for one in await receipts()] == [(DeliveryStatus.WAITING, 1)]
    with pytest.raises(Retriable) as asked:
        await work(2)
    assert asked.value.wait is not None
    assert asked.value.wait.total_seconds() == 7
    await work(3)
    await work(4)
    assert [(one.status, one.attempts) for one in await receipts()] == [(DeliveryStatus.SENT, 3)]
    assert len({headers["webhook-id"] for headers, _ in receiver.taken}) == 1
    assert len(receiver.taken) == 3


async def test_after_the_last_attempt_the_receipt_says_that_it_failed(
    notifications: LocalNotifications, owner: Actor, receiver: Any, end: End, work: End, receipts: End
) -> None:
    await add(notifications, owner, "webhook", receiver.url)
    receiver.answers.append(404)
    await end()
    with pytest.raises(Retriable):
        await work(RETRY.max_attempts)
    (receipt,) = await receipts()
    assert (receipt.status, receipt.vendor_code) == (DeliveryStatus.FAILED, "404")


async def test_a_receiver_that_wants_no_more_switches_its_channel_off(
    notifications: LocalNotifications, owner: Actor, receiver: Any, end: End, work: End
) -> None:
    await add(notifications, owner, "webhook", receiver.url)
    receiver.answers.append(410)
    await end()
    with pytest.raises(Fatal):
        await work()
    (channel,) = await notifications.list_channels(actor=owner)
    assert not channel.is_enabled
    assert "wants no more" in (channel.disabled_because or "")


async def test_a_worker_that_dies_after_sending_sends_the_same_id_again_and_slack_nothing(
    notifications: LocalNotifications,
    owner: Actor,
    receiver: Any,
    slack: Any,
    end: End,
    queue: FakeJobQueue,
    receipts: End,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await add(notifications, owner, "webhook", receiver.url, "hook")
    await add(notifications, owner, "slack", slack.url, "slack")
    await end()

    async def dies(*_: Any, **__: Any) -> None:
        raise SystemError("killed before the note")

    with monkeypatch.context() as patch:
        patch.setattr(service, "_end", dies)
        for waiting in queue.waiting:
            with pytest.raises(SystemError):
                await deliver(JobContext(notifications.runtime, waiting.job_id, 1, owner.tenant_id), waiting.payload)
    assert (len(receiver.taken), len(slack.workspace.messages)) == (1, 1)
    await queue.run_waiting(notifications.runtime)
    assert len({headers["webhook-id"] for headers, _ in receiver.taken}) == 1
    assert (len(receiver.taken), len(slack.workspace.messages)) == (2, 1)
    found = {one.channel: one.status for one in await receipts()}
    assert found == {"hook": DeliveryStatus.SENT, "slack": DeliveryStatus.UNCONFIRMED}


async def test_what_leads_inside_is_not_called_even_if_the_operator_changed_his_mind_later(
    notifications: LocalNotifications, owner: Actor, receiver: Any, end: End, work: End, receipts: End
) -> None:
    await add(notifications, owner, "webhook", receiver.url)
    notifications.runtime.guard = Guard()
    await end()
    with pytest.raises(AddressRefused):
        await work()
    assert receiver.taken == []
    assert (await receipts())[0].vendor_code == "NET_001"


async def test_a_trial_is_told_at_once_and_answers_its_receipt(
    notifications: LocalNotifications, owner: Actor, receiver: Any, slack: Any
) -> None:
    await add(notifications, owner, "webhook", receiver.url, "hook")
    await add(notifications, owner, "slack", slack.url, "slack")
    receipt = await notifications.test_channel(actor=owner, name="hook")
    assert (receipt.status, receiver.bodies[0]["type"]) == (DeliveryStatus.SENT, "notification.trial")
    slack.workspace.faults.append("channel_is_archived")
    failed = await notifications.test_channel(actor=owner, name="slack")
    assert (failed.status, failed.vendor_code) == (DeliveryStatus.FAILED, "channel_is_archived")


async def test_another_tenant_sees_neither_channels_nor_receipts(
    notifications: LocalNotifications, owner: Actor, stranger: Actor, end: End
) -> None:
    await add(notifications, owner, "email", "ops@example.com")
    await end()
    assert await notifications.list_channels(actor=stranger) == []
    assert (await notifications.list_deliveries(actor=stranger, page=PageRequest())).total == 0


async def test_who_is_asked_to_decide_is_told_once_where_it_is_wanted(
    runtime: Runtime,
    owner: Actor,
    notifications: LocalNotifications,
    receiver: Any,
    receipts: Callable[..., Any],
) -> None:
    await add(notifications, owner, "webhook", receiver.url, operations=["assignment"])
    await add(notifications, owner, "webhook", receiver.url, name="pulls", operations=["pull"])
    await add(notifications, owner, "webhook", receiver.url, name="failures", only_failures=True)
    asked = ChangesAssigned(assignee="Grace", asked_by="ann", changes=1_200, store="summer", batch_id=UUID(int=9))
    event_id = new_id()
    for _ in range(2):
        async with runtime.database.writing(owner.tenant_id) as session:
            await tell_of_assignment(HandlerContext(runtime, session, event_id, owner.tenant_id, NOW, 1), asked)
    (told,) = await receipts()
    assert told.subject == "Grace is asked to decide about 1,200 changes of summer"
    assert f"syncline review list --batch {UUID(int=9)}" in told.text


async def test_of_outreach_that_is_behind_every_channel_is_told_once_and_once_when_it_is_over(
    runtime: Runtime,
    owner: Actor,
    stranger: Actor,
    notifications: LocalNotifications,
    receiver: Any,
    receipts: Callable[..., Any],
) -> None:
    """Also one that wants to know of failures of pulls only."""
    await add(notifications, owner, "webhook", receiver.url, operations=["pull"], only_failures=True)
    await add(notifications, stranger, "webhook", receiver.url)
    stale = RoutineWentStale(name="periodic_sync", sentence="No hourly sync came to a good end for 4 hours.")
    first, second = new_id(), new_id()
    for _ in range(2):
        async with runtime.database.writing(owner.tenant_id) as session:
            await tell_of_staleness(HandlerContext(runtime, session, first, owner.tenant_id, NOW, 1), stale)
    async with runtime.database.writing(owner.tenant_id) as session:
        over = RoutineRecovered(name="periodic_sync")
        await tell_of_recovery(HandlerContext(runtime, session, second, owner.tenant_id, NOW, 1), over)
    subjects = {one.subject for one in await receipts()}
    assert subjects == {"The hourly outreach sync is behind", "The hourly outreach sync is up to date again"}
    assert len(await receipts()) == 2
    assert (await notifications.list_deliveries(actor=stranger, page=PageRequest())).total == 0


async def test_of_events_that_met_on_one_key_every_channel_is_told_once(
    runtime: Runtime,
    owner: Actor,
    notifications: LocalNotifications,
    receiver: Any,
    receipts: Callable[..., Any],
) -> None:
    """Also one that wants to know of pulls only."""
    await add(notifications, owner, "webhook", receiver.url, operations=["pull"])
    event = EventKeysCollided(event_keys=("lemlist_c_sent__00",), count=1)
    event_id = new_id()
    for _ in range(2):
        async with runtime.database.writing(owner.tenant_id) as session:
            await tell_of_collision(HandlerContext(runtime, session, event_id, owner.tenant_id, NOW, 1), event)
    (told,) = await receipts()
    assert told.subject == "Different events met on one event key"
    assert "lemlist_c_sent__00" in told.text
