"""The comparison of source, store and Mixpanel: agrees when it may, names what differs, and mends it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.outreach.conftest import UNTIL, Place

from syncline.apps.outreach.personal_data import PERSONAL_DATA
from syncline.apps.outreach.reconcile import service as reconciling
from syncline.apps.outreach.reconcile.service import windows
from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync_contract import SyncStatus
from syncline.connectors.mixpanel import streams
from syncline.runtime.privacy.subject import Subject
from syncline.sandbox.outreach.timelines import Kind


async def compare(place: Place, *, repair: bool = False, read_back: bool = True, **told: Any) -> Run:
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        run = await service.start_comparison(
            session, place.runtime, told, actor=place.actor, repair=repair, read_back=read_back
        )
    await place.work()
    return await place.look(run)


def report_of(run: Run) -> dict[str, Any]:
    assert run.report is not None, run.sentence
    return dict(run.report)


async def change(place: Place, query: Any) -> None:
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await (await session.driver()).execute(query)


@given(
    st.dictionaries(st.dates(date(2024, 1, 1), date(2026, 12, 31)), st.integers(1, 5_000), min_size=1),
    st.integers(1, 40),
)
def test_days_are_exported_each_once_in_few_stretches_of_like_size(days: dict[date, int], most: int) -> None:
    found = windows(days, most)
    within = [[day for day in days if first <= day <= last] for first, last in found]
    assert sorted(day for stretch in within for day in stretch) == sorted(days)
    assert len(found) <= most
    assert max(sum(days[day] for day in stretch) for stretch in within) <= sum(days.values()) / most + max(
        days.values()
    )


@given(
    st.dictionaries(st.dates(date(2024, 1, 1), date(2026, 12, 31)), st.integers(1, 5_000), min_size=1),
    st.integers(1, 40),
    st.integers(0, 20_000),
)
def test_no_export_but_the_last_is_asked_for_less_than_enough(days: dict[date, int], most: int, enough: int) -> None:
    found = windows(days, most, enough)
    counts = [sum(count for day, count in days.items() if first <= day <= last) for first, last in found]
    assert sum(counts) == sum(days.values())
    assert len(found) <= most
    assert all(count >= enough for count in counts[:-1])


async def test_a_shops_comparison_is_one_export_of_our_events_alone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports: list[tuple[Run, Sequence[str]]] = []
    await place.sync()

    async def count_marks(*asked: Any, events: Sequence[str]) -> dict[Any, int]:
        exports.append((await latest(place), events))
        return await streams.count_marks(*asked, events=events)

    monkeypatch.setattr(reconciling, "count_marks", count_marks)
    assert report_of(await compare(place))["agreed"] is True
    ((run, events),) = exports
    assert run.sentence is not None
    assert run.sentence.startswith("Reading Mixpanel's export, part 1 of 1.")
    assert list(events) == [
        name for (name,) in await place.rows("SELECT DISTINCT event FROM outreach.receipt ORDER BY 1")
    ]
    assert (await latest(place)).sentence is None


async def test_a_comparison_that_is_cancelled_asks_for_no_more_exports(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports: list[tuple[Any, ...]] = []
    await place.sync()

    async def count_marks(*asked: Any, events: Sequence[str]) -> dict[Any, int]:
        exports.append(asked)
        async with place.runtime.database.writing(place.actor.tenant_id) as session:
            await service.cancel(session, place.runtime.queue, (await latest(place)).id)
        return await streams.count_marks(*asked, events=events)

    monkeypatch.setattr(reconciling, "ENOUGH_EVENTS", 1)
    monkeypatch.setattr(reconciling, "count_marks", count_marks)
    run = await compare(place)
    assert (run.status, run.report, len(exports)) == (SyncStatus.CANCELLED, None, 1)


async def latest(place: Place) -> Run:
    async with place.runtime.database.reading(place.actor.tenant_id) as session:
        (run,) = await service.list_runs(session, limit=1)
    return run


async def test_after_a_sync_all_three_agree_on_every_day_and_in_mixpanels_raw_export(place: Place) -> None:
    await place.sync()
    report = report_of(await compare(place))
    assert report["agreed"] is True
    totals = {name: report["totals"][name] for name in ("source", "stored", "delivered", "raw_at_mixpanel")}
    assert set(totals.values()) == {place.at_source}
    assert report["differences"] == []
    assert sum(row["source"] for row in report["days"]) == place.at_source
    assert await place.stored() == place.at_source


async def test_what_is_missing_here_is_named_stored_and_delivered(place: Place) -> None:
    await place.sync()
    await change(place, "DELETE FROM outreach.event_source WHERE ctid = (SELECT min(ctid) FROM outreach.event_source)")
    report = report_of(await compare(place, repair=True))
    (difference,) = report["differences"]
    assert (report["agreed"], difference["what"], report["repaired"]["stored"]) == (False, "not stored", 1)
    assert report_of(await compare(place))["agreed"] is True
    assert place.at_mixpanel["raw"] == place.at_source


async def test_what_mixpanel_said_it_took_and_did_not_keep_is_found_by_reading_back_and_sent_again(
    place: Place,
) -> None:
    place.town.mixpanel.faults.add_all("lost=1")
    await place.sync()
    assert report_of(await compare(place, read_back=False))["agreed"] is True
    report = report_of(await compare(place, repair=True))
    assert report["agreed"] is False
    assert report["repaired"]["sent_again"] > 0
    assert report["differences"][0]["what"] == "not at Mixpanel"
    assert place.at_mixpanel == {"raw": place.at_source, "distinct": place.at_source}
    assert report_of(await compare(place))["agreed"] is True


async def test_what_somebody_else_sent_twice_is_named(place: Place) -> None:
    await place.sync()
    await change(
        place, "UPDATE outreach.receipt SET state = 'waiting' WHERE ctid = (SELECT min(ctid) FROM outreach.receipt)"
    )
    await place.sync(syncMode="delta_since_last")
    report = report_of(await compare(place))
    assert [one["what"] for one in report["differences"]] == ["twice at Mixpanel"]
    assert report["agreed"] is False


async def test_what_the_tool_has_no_more_is_named_and_stays(place: Place) -> None:
    await place.sync(platforms="lemlist")
    store: Any = place.town.lemlist.store
    store._db.execute("delete from event where id = (select max(id) from event where campaign is not null)")
    report = report_of(await compare(place, platforms="lemlist", repair=True))
    assert [one["what"] for one in report["differences"]] == ["not at the source"]
    assert report["totals"]["extra"] == 1
    assert await place.stored() == place.at_source + 1 - place.town.smartlead.store.counts()["first"]


async def test_a_range_compares_that_range_alone(place: Place) -> None:
    await place.sync()
    ((day, count),) = await place.rows(
        "SELECT (occurred_at AT TIME ZONE 'UTC')::date, count(*) FROM outreach.event_source"
        " GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
    )
    report = report_of(await compare(place, startDate=str(day), endDate=str(day)))
    assert [(row["day"], row["source"], row["raw_at_mixpanel"]) for row in report["days"]] == [(str(day), count, count)]
    assert report["agreed"] is True


async def test_of_one_tool_alone_only_its_events_are_looked_for_at_mixpanel(place: Place) -> None:
    await place.sync()
    report = report_of(await compare(place, platforms="lemlist"))
    assert report["agreed"] is True
    assert report["totals"]["raw_at_mixpanel"] == report["totals"]["source"] < place.at_source


async def test_what_a_reset_took_away_is_not_looked_for_at_mixpanel(place: Place) -> None:
    await place.sync()
    store = place.town.lemlist.store
    store.remove_lead(next(event.lead for event, _ in store.all_events() if event.campaign), with_past=True)
    assert (await place.sync(syncMode="namespace_reset")).removed > 0
    report = report_of(await compare(place))
    assert report["agreed"] is True
    assert report["totals"]["raw_at_mixpanel"] == place.at_source < place.at_mixpanel["raw"]


@pytest.mark.parametrize("asked", [{}, {"startDate": "2026-11-01", "endDate": "2026-11-01"}])
async def test_a_moment_that_the_tool_tells_otherwise_by_now_is_looked_for_where_it_was_told(
    place: Place, asked: dict[str, Any]
) -> None:
    """Of several opens Smartlead may show the last: the event is the same, and Mixpanel has it with the first."""
    smartlead = place.town.smartlead
    smartlead.switches.times = "last"
    mail = next(one for one in smartlead.store.mails(1) if one.opens)
    await place.sync()
    smartlead.store.happen(Kind.OPENED, round(UNTIL.timestamp() * 1000), mail=mail.id)
    report = report_of(await compare(place, **asked))
    assert report["agreed"] is True
    assert report["totals"]["raw_at_mixpanel"] == report["totals"]["source"] > 0


async def test_of_somebody_forgotten_nothing_is_left_and_nothing_is_told_any_more(place: Place) -> None:
    await place.sync(enableMixpanelTracking=False)
    ((email,),) = await place.rows("SELECT email FROM outreach.event_source LIMIT 1")
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        counts = await PERSONAL_DATA.erase(session, Subject(emails=frozenset({email})), keep_out=True)
    assert counts["outreach_person"] == 1
    await place.sync()
    for table in ("event_source", "receipt", "person", "staged_event"):
        rows = await place.rows(f"SELECT t::text FROM outreach.{table} t")
        assert not [row for row in rows if email in row[0]]
    assert place.at_mixpanel["raw"] == place.at_source - counts["receipt"]
    assert report_of(await compare(place))["agreed"] is True
