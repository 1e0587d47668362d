"""When a token that expires is renewed. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

AHEAD, ON_USE = 2 / 3, 5 / 6
"""Parts of its life: from the first a job renews it, from the second whoever is about to use it does. Of an hour's
token that is after 40 and after 50 minutes."""

AGAIN = timedelta(minutes=1)
"""After a renewal that failed in passing."""

LEASE = timedelta(seconds=45)
"""Longer than a renewal may take, which is 20 seconds at Shopify and a transaction here."""


def renew_at(issued_at: datetime, expires_at: datetime | None) -> datetime | None:
    """When the job renews it; None for a token that lasts."""
    return None if expires_at is None else issued_at + (expires_at - issued_at) * AHEAD


def is_due_on_use(issued_at: datetime, expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and now >= issued_at + (expires_at - issued_at) * ON_USE


def is_over(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and now >= expires_at
