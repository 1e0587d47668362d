"""When somebody is reminded of a request. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

BEFORE: Final = (timedelta(days=7), timedelta(days=1), timedelta(0))
"""How long before the day it is due."""


def reminder_due(due_at: datetime, reminded_at: datetime | None, now: datetime) -> bool:
    """Whether a moment to remind has passed since somebody was reminded last."""
    passed = [due_at - before for before in BEFORE if due_at - before <= now]
    return bool(passed) and (reminded_at is None or reminded_at < passed[-1])


def next_reminder(due_at: datetime, now: datetime) -> datetime | None:
    return next((due_at - before for before in BEFORE if due_at - before > now), None)


def sentence_of(due_at: datetime, now: datetime) -> str:
    left = due_at - now
    if left <= timedelta(0):
        return f"It was due on {due_at:%d %B %Y} and is not completed."
    days = max(1, round(left / timedelta(days=1)))
    return f"It is due on {due_at:%d %B %Y}, in {days} day{'s' if days > 1 else ''}, and is not completed."
