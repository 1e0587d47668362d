"""The made-up world: the same for a seed, of any size, and like people."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.sandbox.outreach.ids import word_id, word_number
from syncline.sandbox.outreach.store import Store, Wanted
from syncline.sandbox.outreach.timelines import DAY, HOUR, LATE_FROM, MINUTE, Kind, World

NOW = round(datetime(2026, 11, 2, 12, tzinfo=UTC).timestamp() * 1000)
WORLD = World(seed=1, campaigns=7, now_ms=NOW)


@given(st.integers(0, 2**40 - 1))
def test_an_id_is_read_back(number: int) -> None:
    assert word_number("act", word_id("act", number)) == number


@pytest.mark.parametrize(
    "text", ["", "act_", "lea_x6esGLhoPa2SMHCZ7", "act_x6esGLhoPa2SMHCZ!", "act_x6esGLhoPa2SMHCZ7"]
)
def test_what_is_no_id_of_ours_is_no_number(text: str) -> None:
    assert word_number("act", text) is None


def test_the_same_seed_tells_the_same_story_and_another_does_not() -> None:
    assert list(WORLD.stream(500)) == list(World(seed=1, campaigns=7, now_ms=NOW).stream(500))
    assert list(WORLD.stream(500)) != list(World(seed=2, campaigns=7, now_ms=NOW).stream(500))


@pytest.mark.parametrize("events", [0, 1, 999, 5_000])
def test_there_are_exactly_as_many_events_as_asked_for(events: int) -> None:
    store = Store(WORLD)
    store.fill(events)
    assert store.counts()["events"] == events == len(store.events(Wanted()))


def test_mails_go_out_on_weekdays_between_nine_and_five() -> None:
    campaign = WORLD.campaign(3)
    sent = [
        one.at_ms + campaign.zone * MINUTE
        for index in range(300)
        for one in WORLD.timeline(campaign, index)
        if one.kind is Kind.SENT
    ]
    assert {(at // DAY + 3) % 7 for at in sent} == {0, 1, 2, 3, 4}
    assert all(9 * HOUR <= at % DAY <= 17 * HOUR for at in sent)


def test_nobody_hears_from_us_after_an_answer_and_some_open_months_later() -> None:
    late = 0
    ended = {Kind.REPLIED, Kind.BOUNCED, Kind.UNSUBSCRIBED}
    for campaign in (WORLD.campaign(number) for number in range(1, 8)):
        for index in range(300):
            told = WORLD.timeline(campaign, index)
            sent = {one.step: one.at_ms for one in told if one.kind is Kind.SENT}
            last = [one.step for one in told if one.kind in ended]
            assert last in ([], [max(sent, default=-1)])
            late += sum(one.at_ms - sent[one.step] > LATE_FROM for one in told if one.kind is Kind.OPENED)
            opened = {one.step for one in told if one.kind is Kind.OPENED}
            assert {one.step for one in told if one.kind is Kind.CLICKED} <= opened
    assert late > 20


def test_addresses_hold_what_careless_keys_merge() -> None:
    emails = [WORLD.lead(2, index).email for index in range(200)]
    bare = Counter(email.replace(".", "") for email in emails)
    assert len(set(emails)) == len(emails)
    assert any(count > 1 for count in bare.values())
    assert any(email != email.lower() for email in emails)
    assert set(emails) & {WORLD.lead(1, index).email for index in range(200)}


def test_a_reply_may_be_marked_on_several_mails_and_happened_once() -> None:
    store = Store(WORLD)
    store.fill(20_000)
    replies = store.counts()["by_kind"]["replied"]
    marked = sum(store.count_mails(number, [("reply_ms is not null", None)]) for number in store.campaigns)
    assert marked > replies > 0


def test_some_events_share_their_millisecond() -> None:
    store = Store(WORLD)
    store.fill(20_000)
    times = Counter(event.at_ms for event in store.events(Wanted()))
    assert max(times.values()) > 1


def test_memory_does_not_grow_with_the_number_of_events() -> None:
    store = Store(WORLD)
    tracemalloc.start()
    try:
        store.fill(5_000)
        tracemalloc.reset_peak()
        small = tracemalloc.get_traced_memory()[1]
        store.fill(20_000)
        large = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert large < small + 8_000_000


def test_what_happens_later_is_written_into_the_mail() -> None:
    store = Store(WORLD)
    store.fill(500)
    sent = store.happen(Kind.SENT, NOW, campaign=2)
    assert sent.mail is not None
    opened = store.happen(Kind.OPENED, NOW + 5, mail=sent.mail)
    again = store.happen(Kind.OPENED, NOW + 9, mail=sent.mail)
    assert (opened.is_first, again.is_first, sent.campaign) == (True, False, 2)
    mail = store.mail(sent.mail)
    assert mail is not None
    assert (mail.opens, mail.open_first, mail.open_last) == (2, NOW + 5, NOW + 9)
    with pytest.raises(ValueError, match="no mail 99999"):
        store.happen(Kind.OPENED, NOW, mail=99_999)
