"""Against the double: what is ingested is known, and nothing is sent twice unasked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from syncline.connectors.mixpanel.actions import MOST_BYTES, batches, import_events
from syncline.connectors.mixpanel.client import MixpanelClient, MixpanelConfig
from syncline.connectors.mixpanel.errors import TooLarge
from syncline.connectors.mixpanel.streams import read_days
from syncline.kernel.errors import Fatal
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.connect.testing import FAST_RETRY, fresh_registry
from syncline.sandbox.mixpanel.app import Mixpanel, create_app
from syncline.sandbox.server import running

DAY = date(2026, 11, 2)
TIME = int(datetime(2026, 11, 2, 12, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def double() -> Mixpanel:
    return Mixpanel()


@pytest.fixture
async def client(double: Mixpanel) -> AsyncIterator[MixpanelClient]:
    project = double.project
    async with running(create_app(double)) as url:
        config = MixpanelConfig(project.id, project.username, project.password, url, f"{url}/api/2.0")
        async with MixpanelClient(config, registry=fresh_registry(), retry=FAST_RETRY) as client:
            yield client


def events(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"event": "email_sent", "properties": {"time": TIME, "distinct_id": "a@x", "$insert_id": f"i-{n}", **more}}
        for n in range(count)
    ]


async def test_what_was_refused_is_named_under_either_name(double: Mixpanel, client: MixpanelClient) -> None:
    bad = [*events(2), {"event": "email_sent", "properties": {"time": None, "distinct_id": "a", "$insert_id": "bad"}}]
    for name in ("$insert_id", "insert_id"):
        double.switches.failed_id = name
        told = await import_events(client, bad)
        assert (told.count, [(one.index, one.insert_id, one.field) for one in told.failed]) == (
            2,
            [(2, "bad", "properties.time")],
        )


@pytest.mark.parametrize("fault", ["drop_after=1", "http_502=1", "http_503=1", "truncate=1", "html=1"])
async def test_a_lost_answer_is_not_sent_again_and_read_back(
    double: Mixpanel, client: MixpanelClient, fault: str
) -> None:
    double.faults.add_all(f"{fault}@/import")
    with pytest.raises(OutcomeUnknown):
        await import_events(client, events(5))
    assert double.counters.requests == 1
    arrived = {one["properties"]["$insert_id"] async for day in read_days(client, DAY, DAY) for one in day.records}
    missing = [one for one in events(5) if one["properties"]["$insert_id"] not in arrived]
    await import_events(client, missing)
    assert double.records.counts() == {"raw": 5, "distinct": 5, "compacted": 5}


async def test_429_was_not_taken_and_is_sent_again(double: Mixpanel, client: MixpanelClient) -> None:
    double.faults.add_all("throttle=2@/import")
    assert (await import_events(client, events(5))).count == 5
    assert double.records.counts()["raw"] == 5


async def test_a_batch_that_is_too_large_is_taken_in_no_part(double: Mixpanel, client: MixpanelClient) -> None:
    double.switches.max_bytes = 2_000
    with pytest.raises(TooLarge):
        await import_events(client, events(50))
    assert double.records.counts()["raw"] == 0
    told = await import_events(client, [*events(3), {"event": "", "properties": {}}])
    assert (told.count, [one.index for one in told.failed]) == (3, [3])


def test_batches_stay_below_both_limits_and_keep_the_order() -> None:
    large = events(4_500) + events(30, subject="x" * 200_000)
    cut = list(batches(large))
    assert [one for batch in cut for one in batch] == large
    assert all(len(batch) <= 2_000 for batch in cut)
    assert len(cut) > 3 + 30 * 200_000 // MOST_BYTES - 1


async def test_a_wrong_password_is_fatal_at_once(double: Mixpanel, client: MixpanelClient) -> None:
    double.faults.add_all("unauthorized")
    with pytest.raises(Fatal, match="service account"):
        await import_events(client, events(1))
    assert double.counters.requests == 1
