"""What a comparison that differs says can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest
from rich.console import Console

from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync_contract import SyncStatus
from syncline.main.cli.outreach_report import report_view

REPAIR = "`--repair` stores what is missing"
WAIT = "What waits is sent by itself"
GONE = "until `syncline outreach sync namespace_reset`"


@dataclass
class Compared:
    """As much of a run as its report is shown from."""

    report: dict[str, Any]
    status: SyncStatus = SyncStatus.COMPLETED
    sentence: str | None = None


def shown(differences: tuple[str, ...] = (), **totals: int) -> str:
    counts = {"source": 9, "stored": 9, "delivered": 9, "forgotten": 0, "waiting": 0, "refused": 0}
    counts |= {"missing": 0, "extra": 0, **totals}
    found = [{"event_key": f"{number:032x}", "what": what} for number, what in enumerate(differences)]
    report = {"agreed": False, "read_back": True, "days": [], "totals": counts, "differences": found, "repaired": None}
    console = Console(width=200)
    with console.capture() as captured:
        console.print(report_view(cast("Run", Compared(report))))
    return captured.get()


@pytest.mark.parametrize(
    ("differences", "totals", "hints"),
    [
        (("not stored",), {"missing": 1}, {REPAIR}),
        (("refused by Mixpanel: too old",), {"refused": 1}, {REPAIR}),
        (("not at Mixpanel",), {}, {REPAIR}),
        (("not at the source",), {"extra": 1}, {GONE}),
        ((), {"waiting": 4}, {WAIT}),
        (("not at the source", "not stored"), {"extra": 1, "missing": 1, "waiting": 1}, {REPAIR, GONE, WAIT}),
    ],
)
def test_only_what_helps_is_offered(differences: tuple[str, ...], totals: dict[str, int], hints: set[str]) -> None:
    said = shown(differences, **totals)
    assert {hint for hint in (REPAIR, WAIT, GONE) if hint in said} == hints
