"""Whoever is told, or named in what was told, can have it handed out and erased; receipts go in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from syncline.apps.operations.contract import ChannelKind
from syncline.apps.operations.facade import LocalNotifications
from syncline.apps.operations.personal_data import PERSONAL_DATA, RECEIPTS
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.privacy.subject import Subject

ADA = Subject(emails=frozenset({"ada@example.com"}), names=frozenset({"ann"}))


async def test_a_persons_address_is_handed_out_and_erased_and_others_stay(
    notifications: LocalNotifications, owner: Actor, stranger: Actor
) -> None:
    for who, name, target in ((owner, "ada", "Ada@example.com"), (owner, "ops", "ops@example.com")):
        await notifications.add_channel(actor=who, name=name, kind=ChannelKind.EMAIL, target=target)
    await notifications.add_channel(actor=stranger, name="ada", kind=ChannelKind.EMAIL, target="ada@example.com")
    async with notifications.runtime.database.writing(owner.tenant_id) as session:
        held = [record.kind async for record in PERSONAL_DATA.export(session, ADA)]
        counts = await PERSONAL_DATA.erase(session, ADA, keep_out=True)
        again = await PERSONAL_DATA.erase(session, ADA, keep_out=True)
    assert sorted(held) == ["authored_channel", "authored_channel", "channel"]
    assert counts == {"channel": 1, "notification": 0, "authored_channel": 1}
    assert set(again.values()) == {0}
    left = await notifications.list_channels(actor=owner)
    assert [(one.name, one.created_by) for one in left] == [("ops", "an erased person")]
    assert len(await notifications.list_channels(actor=stranger)) == 1


async def test_what_quotes_him_is_scrubbed(notifications: LocalNotifications, owner: Actor) -> None:
    await notifications.add_channel(actor=owner, name="ops", kind=ChannelKind.EMAIL, target="ops@example.com")
    teller = Actor(owner.tenant_id, "ada@example.com", "owner")
    await notifications.test_channel(actor=teller, name="ops")
    async with notifications.runtime.database.writing(owner.tenant_id) as session:
        held = [record.kind async for record in PERSONAL_DATA.export(session, ADA)]
        counts = await PERSONAL_DATA.erase(session, ADA, keep_out=False)
    assert "notification" in held
    assert counts["notification"] == 1
    (receipt,) = (await notifications.list_deliveries(actor=owner, page=PageRequest())).items
    assert "ada@example.com" not in receipt.text


async def test_receipts_that_are_too_old_go(notifications: LocalNotifications, owner: Actor) -> None:
    await notifications.add_channel(actor=owner, name="ops", kind=ChannelKind.EMAIL, target="ops@example.com")
    await notifications.test_channel(actor=owner, name="ops")
    later = datetime.now(UTC) + timedelta(minutes=1)
    async with notifications.runtime.database.writing(owner.tenant_id) as session:
        assert await RECEIPTS.count(session, later - timedelta(hours=1)) == 0
        assert await RECEIPTS.count(session, later) == 1
        assert await RECEIPTS.remove(session, later, 10) == 1
        assert await RECEIPTS.remove(session, later, 10) == 0
