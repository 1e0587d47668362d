"""What the line of deliveries says while it stands still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncline.kernel import clock
from syncline.main.cli.outreach_following import waited_for

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REFUSED = "Mixpanel does not accept this service account."
OUT = "no answer to what was sent 12 s ago; it is looked for in Mixpanel's export"


@pytest.mark.parametrize(
    ("sent", "sentence", "tried", "said"),
    [
        (None, None, None, ""),
        (1, None, None, ""),
        (12, None, None, OUT),
        (12, REFUSED, 60, OUT),  # that was before this run
        (None, REFUSED, 5, REFUSED),
        (12, REFUSED, 5, REFUSED),
    ],
)
def test_what_is_waited_for_is_said(sent: int | None, sentence: str | None, tried: int | None, said: str) -> None:
    told: dict[str, Any] = {"sending_since": ago(sent), "sentence": sentence, "tried_at": ago(tried)}
    with clock.frozen(NOW):
        assert waited_for(told, NOW - timedelta(seconds=30)) == said


def ago(seconds: int | None) -> datetime | None:
    return None if seconds is None else NOW - timedelta(seconds=seconds)
