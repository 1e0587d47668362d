"""When a schedule comes round: intervals, and cron in a time zone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterBadDateError

from syncline.apps.commerce.schedule_contract import BadTiming
from syncline.runtime.jobs.cron import is_cron, next_time

_INTERVAL = re.compile(r"every\s+(\d{1,4})\s*([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_FIELDS = 5
_MOST_COUNTED = 1_000
_LATE = timedelta(minutes=3)
"""Ticks come every minute; what starts within three was not late."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Either `interval` or `cron` is set. `text` is how it is kept and shown."""

    text: str
    zone: ZoneInfo
    interval: timedelta | None = None
    cron: str = ""

    def next_after(self, moment: datetime, *, anchor: datetime | None = None) -> datetime:
        """The first time after `moment`, in UTC. Intervals count from `anchor`, so that lateness does not add up."""
        if self.interval is None:
            return _next_cron(self.cron, self.zone, moment)
        start = anchor or moment
        return start + self.interval * max(1, (moment - start) // self.interval + 1)

    def count_missed(self, due: datetime, now: datetime) -> int:
        """How many times came round after `due` and up to `now`; counts no further than a thousand."""
        if self.interval is not None:
            return min(_MOST_COUNTED, max(0, (now - due) // self.interval))
        missed, at = 0, due
        while missed < _MOST_COUNTED and (at := self.next_after(at)) <= now:
            missed += 1
        return missed


def parse_timing(text: str, zone: str) -> Timing:
    """Raises `BadTiming` with what to write instead."""
    place = _zone(zone)
    words = " ".join(text.split())
    if words.startswith("every"):
        return Timing(*_interval(words, place))
    if len(words.split()) != _FIELDS or not is_cron(words):
        raise BadTiming(
            f"{text!r} is not a time. Write an interval like “every 15m”, “every 1h” or “every 1d”, or five fields of "
            "cron (minute, hour, day, month, weekday) like “0 3 * * 0” for Sundays at three."
        )
    try:
        next_time(words, datetime(2026, 1, 1, tzinfo=UTC))
    except CroniterBadDateError as error:
        raise BadTiming(f"{text!r} never comes round: there is no such day in any year.") from error
    return Timing(words, place, cron=words)


def late_sentence(timing: Timing, due: datetime, now: datetime) -> str | None:
    """What to say of a start that comes late."""
    if now - due < _LATE:
        return None
    missed = timing.count_missed(due, now)
    late = f"Was due at {due:%Y-%m-%d %H:%M} UTC and started late: no worker ran, or a pull was still running."
    if missed == 0:
        return late
    more = " or more" if missed == _MOST_COUNTED else ""
    return f"{late} {missed:,}{more} later {'time' if missed == 1 else 'times'} made up by this one."


def _interval(words: str, zone: ZoneInfo) -> tuple[str, ZoneInfo, timedelta]:
    found = _INTERVAL.fullmatch(words)
    if found is None or int(found[1]) == 0:
        raise BadTiming(
            f"{words!r} is not an interval. Write a whole number and m, h or d: every 15m, every 1h, every 1d."
        )
    return f"every {int(found[1])}{found[2]}", zone, timedelta(**{_UNITS[found[2]]: int(found[1])})


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadTiming(
            f"{name!r} is not a time zone. Use a name of the IANA list, like Europe/Berlin, America/New_York or UTC."
        ) from error


def _next_cron(cron: str, zone: ZoneInfo, moment: datetime) -> datetime:
    """Where clocks go forward, a time that is left out comes when they have. Where they go back, a fixed hour comes
    once, the first time; a cron of every hour counts both, for both have passed."""
    found = next_time(cron, moment.astimezone(zone))
    while _is_second_of_two(found, zone) and not cron.split()[1].startswith("*"):
        found = next_time(cron, found)
    return found.astimezone(UTC)


def _is_second_of_two(moment: datetime, zone: ZoneInfo) -> bool:
    return moment.astimezone(UTC).astimezone(zone).fold == 1
