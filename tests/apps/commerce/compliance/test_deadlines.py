"""When somebody is reminded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncline.apps.commerce.compliance.deadlines import next_reminder, reminder_due, sentence_of

DUE = datetime(2026, 12, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("before", "reminded_before", "is_due"),
    [
        (10 * DAY, None, False),
        (7 * DAY, None, True),
        (6 * DAY, 7 * DAY, False),
        (DAY, 6 * DAY, True),
        (DAY / 2, DAY, False),
        (timedelta(0), DAY / 2, True),
        (-DAY, timedelta(0), False),
        (-5 * DAY, None, True),
    ],
)
def test_once_at_each_moment(before: timedelta, reminded_before: timedelta | None, is_due: bool) -> None:
    reminded = None if reminded_before is None else DUE - reminded_before
    assert reminder_due(DUE, reminded, DUE - before) is is_due


def test_the_next_is_the_nearest_to_come() -> None:
    assert next_reminder(DUE, DUE - 10 * DAY) == DUE - 7 * DAY
    assert next_reminder(DUE, DUE - 7 * DAY) == DUE - DAY
    assert next_reminder(DUE, DUE) is None


def test_it_says_how_long_is_left() -> None:
    assert "in 7 days" in sentence_of(DUE, DUE - 7 * DAY)
    assert "in 1 day," in sentence_of(DUE, DUE - DAY)
    assert "was due on 22 December 2026" in sentence_of(DUE, DUE + DAY)
