"""What nobody has decided by its date expires by itself, and can no longer be approved."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from syncline.apps.commerce.contract import BatchNotFound, ChangeNotReviewable, ChangeQuery, ChangeStatus
from syncline.apps.commerce.decisions.jobs import EXPIRE_JOB, expire, find_due
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.audit.trail import EntryQuery, list_entries
from syncline.runtime.jobs import JobContext

HOUR = timedelta(hours=1)


def context(table: Any, tenant: TenantId | None = None) -> JobContext:
    return JobContext(runtime=table.commerce.runtime, job_id=1, attempt=1, tenant=tenant)


async def tick(table: Any) -> int:
    """What comes round each minute, and the jobs it makes for this tenant; how many these are."""
    await find_due(context(table), {})
    mine = [one for one in table.pulled.queue.waiting if one.tenant == table.actor.tenant_id]
    table.pulled.queue.waiting = []
    for one in mine:
        await expire(context(table, one.tenant), one.payload)
    assert {one.job for one in mine} <= {EXPIRE_JOB}
    return len(mine)


async def set_expiry(table: Any, at: datetime | None, **query: Any) -> int:
    moved: int = await table.commerce.set_expiry(actor=table.actor, query=ChangeQuery(**query), at=at)
    return moved


async def test_what_is_past_its_date_expires_with_a_sentence(table: Any) -> None:
    batch, other = await table.stage(2), await table.stage(1)
    now = clock.now()
    assert await set_expiry(table, now + HOUR, batch_id=batch) == 2
    first, second = await table.changes(batch_id=batch)
    await table.approve(ids=(first.id,))
    assert await tick(table) == 0
    with clock.frozen(now + HOUR):
        assert await tick(table) == 1
        assert await tick(table) == 0
    decided, late = await table.changes(batch_id=batch)
    assert (decided.status, late.status, late.reviewer) == (ChangeStatus.APPROVED, ChangeStatus.EXPIRED, None)
    assert late.id == second.id
    assert late.sentence == f"Nobody decided by {now + HOUR:%Y-%m-%d %H:%M} UTC; stage it anew if it is wanted."
    assert [change.status for change in await table.changes(batch_id=other)] == [ChangeStatus.PENDING]
    assert await table.counted() == await table.looked_at()


async def test_its_date_counts_and_not_whether_the_job_has_come(table: Any) -> None:
    batch = await table.stage(2)
    now = clock.now()
    await set_expiry(table, now + HOUR, batch_id=batch)
    with clock.frozen(now + HOUR):
        with pytest.raises(ChangeNotReviewable, match="a date that is over"):
            await table.approve(batch_id=batch)
        assert await set_expiry(table, now + 3 * HOUR, batch_id=batch) == 2
        assert await table.approve(batch_id=batch) == 2


async def test_later_never_and_sooner(table: Any) -> None:
    batch = await table.stage(3)
    one, two, three = await table.changes(batch_id=batch)
    now = clock.now()
    await set_expiry(table, now + 2 * HOUR, batch_id=batch)
    await set_expiry(table, None, ids=(one.id,))
    await set_expiry(table, now + HOUR, ids=(two.id,))
    assert [change.id for change in await table.changes(search="expires:none")] == [one.id]
    with clock.frozen(now + HOUR):
        assert await tick(table) == 1
    assert [change.id for change in await table.changes(search="status:expired")] == [two.id]
    with clock.frozen(now + 2 * HOUR):
        assert await tick(table) == 1
    assert [change.id for change in await table.changes(search="status:expired")] == [two.id, three.id]
    with clock.frozen(now + 20 * HOUR):
        assert await tick(table) == 0


async def test_the_rule_of_the_tenant_dates_what_is_staged_from_now_on(table: Any, stranger: Actor) -> None:
    before = await table.stage(1)
    rule = await table.commerce.set_review_rule(actor=table.actor, expire_after_days=14)
    assert (rule.expire_after_days, rule.four_eyes) == (14, False)
    assert (await table.commerce.get_review_rule(actor=stranger)).expire_after_days is None
    now = clock.now()
    with clock.frozen(now):
        batch = await table.stage(2)
    assert {change.expires_at for change in await table.changes(batch_id=batch)} == {now + timedelta(days=14)}
    assert [change.expires_at for change in await table.changes(batch_id=before)] == [None]
    with clock.frozen(now + timedelta(days=14)):
        assert await tick(table) == 1
    assert {change.status for change in await table.changes(batch_id=batch)} == {ChangeStatus.EXPIRED}
    assert (await table.commerce.set_review_rule(actor=table.actor, four_eyes=True)).expire_after_days == 14
    rule = await table.commerce.set_review_rule(actor=table.actor, expire_after_days=0)
    assert (rule.expire_after_days, rule.four_eyes) == (None, True)
    with pytest.raises(InvalidInput, match="between 1 and 365"):
        await table.commerce.set_review_rule(actor=table.actor, expire_after_days=366)


async def test_people_who_decide_and_a_date_that_comes_share_the_changes(table: Any) -> None:
    batch = await table.stage(300)
    now = clock.now()
    await set_expiry(table, now + HOUR, batch_id=batch)
    ahead = [table.approve(by=f"approver {number}", batch_id=batch) for number in range(3)]
    payload = {"batch_id": str(batch)}
    moved = await asyncio.gather(
        *ahead,
        *(expire(context(table, table.actor.tenant_id), payload) for _ in range(2)),
        set_expiry(table, now + 2 * HOUR, batch_id=batch),
        return_exceptions=True,
    )
    assert {type(one) for one in moved} <= {int, type(None), ChangeNotReviewable}
    with clock.frozen(now + 2 * HOUR):
        await tick(table)
    statuses = [change.status for change in await table.changes(batch_id=batch)]
    approved = sum(one for one in moved[:3] if isinstance(one, int))
    assert (statuses.count(ChangeStatus.APPROVED), statuses.count(ChangeStatus.EXPIRED)) == (approved, 300 - approved)


async def test_the_trail_tells_that_it_expired(table: Any) -> None:
    batch = await table.stage(2)
    now = clock.now()
    await set_expiry(table, now + HOUR, batch_id=batch)
    with clock.frozen(now + HOUR):
        await tick(table)
    async with table.database.reading(table.actor.tenant_id) as session:
        (entry,) = (await list_entries(session, EntryQuery(action="changes.expire"), PageRequest())).items
    assert (entry.subject, entry.after) == (f"batch {batch}", {"status": "expired", "changes": 2})


async def test_a_date_that_cannot_be(table: Any, stranger: Actor) -> None:
    batch = await table.stage(1)
    now = clock.now()
    for wrong, sentence in (
        (now - HOUR, "between now and a year"),
        (now + timedelta(days=400), "between now and a year"),
        ((now + HOUR).replace(tzinfo=None), "with its offset"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            await set_expiry(table, wrong, batch_id=batch)
    with pytest.raises(BatchNotFound):
        await table.commerce.set_expiry(actor=stranger, query=ChangeQuery(batch_id=batch), at=now + HOUR)
    await table.approve(batch_id=batch)
    with pytest.raises(ChangeNotReviewable, match="1 approved"):
        await set_expiry(table, now + HOUR, batch_id=batch)
