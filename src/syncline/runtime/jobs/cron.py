"""Cron expressions, by the library that PgQueuer reads them with too."""

from __future__ import annotations

from datetime import datetime

from croniter import croniter


def is_cron(text: str) -> bool:
    return bool(croniter.is_valid(text))


def next_time(cron: str, after: datetime) -> datetime:
    """The first moment after `after` that `cron` names, in the time zone of `after`."""
    moment: datetime = croniter(cron, after).get_next(datetime)
    return moment
