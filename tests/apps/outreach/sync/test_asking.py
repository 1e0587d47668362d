"""What a day means, however it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncline.apps.outreach.sync.asking import parse

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("day", ["2024-01-01", "2024-W01-1"])
def test_a_day_ends_with_its_last_microsecond(day: str) -> None:
    request = parse({"syncMode": "date_range", "startDate": day, "endDate": day}, now=NOW)
    assert (request.since, request.until) == (DAY, DAY + timedelta(days=1, microseconds=-1))
