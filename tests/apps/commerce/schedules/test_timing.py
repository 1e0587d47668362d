"""Times that come round: intervals, cron, and the two nights a year when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncline.apps.commerce.schedule_contract import BadTiming
from syncline.apps.commerce.schedules.timing import late_sentence, parse_timing

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def times(text: str, zone: str, after: datetime, count: int = 3) -> list[str]:
    timing, at, found = parse_timing(text, zone), after, []
    for _ in range(count):
        at = timing.next_after(at)
        found.append(f"{at:%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("text", "kept", "interval"),
    [
        ("every 15m", "every 15m", timedelta(minutes=15)),
        ("every  1 h", "every 1h", timedelta(hours=1)),
        ("every 01d", "every 1d", timedelta(days=1)),
    ],
)
def test_intervals(text: str, kept: str, interval: timedelta) -> None:
    timing = parse_timing(text, "UTC")
    assert (timing.text, timing.interval) == (kept, interval)
    assert timing.next_after(NOON) == NOON + interval


def test_an_interval_keeps_its_rhythm_however_late_it_started() -> None:
    timing = parse_timing("every 1h", "UTC")
    assert timing.next_after(NOON + timedelta(minutes=7), anchor=NOON) == NOON + timedelta(hours=1)
    assert timing.next_after(NOON + timedelta(hours=5, minutes=7), anchor=NOON) == NOON + timedelta(hours=6)
    assert timing.next_after(NOON + timedelta(hours=5), anchor=NOON) == NOON + timedelta(hours=6)


def test_an_interval_counts_on_when_the_clock_was_set_back() -> None:
    assert parse_timing("every 1h", "UTC").next_after(NOON - timedelta(hours=3), anchor=NOON) > NOON


def test_cron_is_read_in_its_zone() -> None:
    assert times("0 3 * * 0", "UTC", NOON) == ["11-29 03:00", "12-06 03:00", "12-13 03:00"]
    assert times("0 3 * * 0", "Europe/Berlin", NOON) == ["11-29 02:00", "12-06 02:00", "12-13 02:00"]
    assert times("0 3 * * SUN", "Asia/Kolkata", NOON, 1) == ["11-28 21:30"]


def test_a_time_that_clocks_leave_out_comes_when_they_have_gone_forward() -> None:
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert times("30 2 * * *", "Europe/Berlin", spring) == ["03-29 01:00", "03-30 00:30", "03-31 00:30"]


def test_a_time_that_clocks_show_twice_comes_once() -> None:
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert times("30 2 * * *", "Europe/Berlin", autumn) == ["10-25 00:30", "10-26 01:30", "10-27 01:30"]


def test_every_hour_is_every_hour_in_that_night_too() -> None:
    autumn = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    assert times("0 * * * *", "Europe/Berlin", autumn) == ["10-25 00:00", "10-25 01:00", "10-25 02:00"]


@pytest.mark.parametrize(
    "text",
    ["", "hourly", "@daily", "* * * * * *", "61 * * * *", "0 3 * *", "every", "every 0m", "every 1.5h", "every 1w"],
)
def test_what_is_no_time_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(BadTiming, match="every 1h"):
        parse_timing(text, "UTC")


def test_a_day_that_never_comes_is_refused() -> None:
    with pytest.raises(BadTiming, match="never comes round"):
        parse_timing("0 0 31 2 *", "UTC")


@pytest.mark.parametrize("zone", ["", "Mars", "../../etc/passwd", "/etc/passwd", "Europe/Berlin\0"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(BadTiming, match="Europe/Berlin"):
        parse_timing("every 1h", zone)


def test_times_missed_are_counted() -> None:
    hourly, daily = parse_timing("every 1h", "UTC"), parse_timing("0 12 * * *", "UTC")
    assert hourly.count_missed(NOON, NOON + timedelta(hours=5, minutes=10)) == 5
    assert daily.count_missed(NOON, NOON + timedelta(days=2, hours=1)) == 2
    assert daily.count_missed(NOON, NOON + timedelta(minutes=1)) == 0
    assert parse_timing("* * * * *", "UTC").count_missed(NOON, NOON + timedelta(days=30)) == 1_000


def test_lateness_is_told_and_promptness_is_not() -> None:
    hourly = parse_timing("every 1h", "UTC")
    assert late_sentence(hourly, NOON, NOON + timedelta(minutes=1)) is None
    assert "2026-11-22 12:00 UTC" in str(late_sentence(hourly, NOON, NOON + timedelta(minutes=20)))
    assert "1 later time made up" in str(late_sentence(hourly, NOON, NOON + timedelta(minutes=70)))
    assert "5 later times made up" in str(late_sentence(hourly, NOON, NOON + timedelta(hours=5)))
    minutely = parse_timing("* * * * *", "UTC")
    assert "1,000 or more later times" in str(late_sentence(minutely, NOON, NOON + timedelta(days=3)))
