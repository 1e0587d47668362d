"""People to Attio: each once, as his latest event tells, and one that is refused stops nobody."""

from __future__ import annotations

from typing import Any

from tests.apps.outreach.conftest import Place


async def in_attio(place: Place) -> list[Any]:
    return await place.rows("SELECT email FROM outreach.person WHERE record_id IS NOT NULL ORDER BY email")


async def test_whoever_was_written_to_is_in_attio_once_and_a_second_sync_tells_nothing_new(place: Place) -> None:
    await place.connect("attio")
    await place.sync(enableAttioSync=True)
    people = await place.rows("SELECT DISTINCT email FROM outreach.person ORDER BY email")
    assert await in_attio(place) == people
    asked = place.town.attio.counters.requests
    await place.sync(enableAttioSync=True)
    assert place.town.attio.counters.requests - asked <= 2
    assert await place.rows("SELECT count(*) FROM outreach.person WHERE is_changed") == [(0,)]


async def test_without_asking_for_it_nobody_goes_to_attio(place: Place) -> None:
    await place.connect("attio")
    asked = place.town.attio.counters.requests
    await place.sync()
    assert place.town.attio.counters.requests == asked
    assert await in_attio(place) == []
