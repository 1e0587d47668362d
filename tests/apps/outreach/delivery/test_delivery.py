"""Mixpanel exactly once: what is refused, lost, answered too late, throttled, or cut off in the middle."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from tests.apps.outreach.conftest import Place

from syncline.apps.outreach.connections import opening
from syncline.apps.outreach.delivery import repository, service
from syncline.connectors.mixpanel.actions import import_events
from syncline.kernel.errors import Fatal, Retriable
from syncline.kernel.ids import new_id
from syncline.runtime.jobs import JobContext
from syncline.sandbox.mixpanel.app import Project


def context(place: Place) -> JobContext:
    return JobContext(place.runtime, 1, 1, place.actor.tenant_id)


async def stored_only(place: Place) -> int:
    """Events wait for Mixpanel; how many."""
    await place.sync(enableMixpanelTracking=False)
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await repository.release_held(session, ())
    return place.at_source


async def states(place: Place) -> dict[str, int]:
    return dict(await place.rows("SELECT state, count(*) FROM outreach.receipt GROUP BY state"))


@pytest.fixture(autouse=True)
def _one_sender(place: Place) -> None:
    settings: Any = place.runtime.settings["outreach"]
    settings.delivery_senders = 1


@pytest.mark.parametrize("fault", ["drop_after=1", "http_502=1", "slow=1s"])
async def test_a_batch_whose_answer_is_lost_is_read_back_and_sent_again_only_if_it_is_not_there(
    place: Place, fault: str
) -> None:
    count = await stored_only(place)
    place.town.mixpanel.faults.add_all(f"{fault}@/import")
    await _until_done(place)
    assert place.at_mixpanel == {"raw": count, "distinct": count}
    assert await states(place) == {"delivered": count}


async def _until_done(place: Place) -> None:
    """As the queue would: tried again after what passes."""
    for _ in range(4):
        try:
            await service.deliver(context(place))
        except Retriable:
            continue
        return


async def test_killed_after_sending_and_before_writing_it_down_sends_nothing_twice(place: Place) -> None:
    count = await stored_only(place)
    batch = await _take(place, 150)
    async with place.runtime.database.reading(place.actor.tenant_id) as session:
        outgoing = await repository.list_outgoing(session, batch)
    async with opening.mixpanel(place.runtime, place.actor.tenant_id) as client:
        await import_events(client, [one.record() for one in outgoing])
    # Here the worker dies.
    assert await _sending_since(place) is not None
    await service.deliver(context(place))
    assert place.at_mixpanel == {"raw": count, "distinct": count}
    assert await _sending_since(place) is None


async def _sending_since(place: Place) -> datetime | None:
    async with place.runtime.database.reading(place.actor.tenant_id) as session:
        return (await repository.standing(session)).sending_since


async def test_killed_after_marking_and_before_sending_sends_all(place: Place) -> None:
    count = await stored_only(place)
    await _take(place, 150)
    await service.deliver(context(place))
    assert place.at_mixpanel == {"raw": count, "distinct": count}


async def test_killed_when_a_part_had_arrived_sends_the_rest_alone(place: Place) -> None:
    count = await stored_only(place)
    batch = await _take(place, 100)
    async with place.runtime.database.reading(place.actor.tenant_id) as session:
        outgoing = await repository.list_outgoing(session, batch)
    async with opening.mixpanel(place.runtime, place.actor.tenant_id) as client:
        await import_events(client, [one.record() for one in outgoing[::2]])
    await service.deliver(context(place))
    assert place.at_mixpanel == {"raw": count, "distinct": count}


async def _take(place: Place, limit: int) -> Any:
    batch = new_id()
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await repository.take(session, batch, limit)
    return batch


async def test_what_mixpanel_refuses_is_recorded_with_its_reason_and_the_others_arrive(place: Place) -> None:
    count = await stored_only(place)
    place.town.mixpanel.faults.add_all("partial=1")
    await service.deliver(context(place))
    assert await states(place) == {"delivered": count - 1, "refused": 1}
    ((sentence,),) = await place.rows("SELECT sentence FROM outreach.receipt WHERE state = 'refused'")
    assert ":" in sentence
    assert place.at_mixpanel["raw"] == count - 1


async def test_throttling_is_waited_out_and_costs_no_event(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncline.runtime.connect.retry.RetryPolicy.wait_seconds", lambda *_: 0.0)
    count = await stored_only(place)
    place.town.mixpanel.faults.add_all("throttle=3@/import")
    await service.deliver(context(place))
    assert place.at_mixpanel == {"raw": count, "distinct": count}


async def test_a_batch_that_is_too_large_goes_in_smaller_ones(place: Place) -> None:
    count = await stored_only(place)
    place.town.mixpanel.switches.max_bytes = 40_000
    await service.deliver(context(place))
    assert place.at_mixpanel == {"raw": count, "distinct": count}
    assert await states(place) == {"delivered": count}


async def test_a_wrong_password_leaves_everything_waiting_and_says_what_to_do(place: Place) -> None:
    count = await stored_only(place)
    place.town.mixpanel.project = Project(password="another")
    with pytest.raises(Fatal, match="service account"):
        await service.deliver(context(place))
    assert await states(place) == {"waiting": count}


async def test_another_tenants_events_do_not_go_to_our_project(place: Place, other_tenant_id: Any) -> None:
    await stored_only(place)
    async with place.runtime.database.writing(other_tenant_id) as session:
        assert await repository.take(session, new_id(), 10) == 0


async def test_what_waits_and_what_is_under_way_are_both_still_to_be_told(place: Place) -> None:
    async def is_something_open() -> bool:
        async with place.runtime.database.reading(place.actor.tenant_id) as session:
            return await repository.has_waiting(session)

    assert not await is_something_open()
    count = await stored_only(place)
    assert await is_something_open()
    batch_id = new_id()
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        assert await repository.take(session, batch_id, count + 1) == count
    assert await is_something_open()
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await repository.settle_rest(session, batch_id, repository.DELIVERED)
    assert not await is_something_open()
