"""What is said of a store: of its last pull, its last comparison, its schedules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncline.apps.commerce.contract import (
    KindCount,
    PullMode,
    PullRun,
    Reconciliation,
    RunStatus,
    Store,
    StoreOverview,
)
from syncline.apps.commerce.integrity_contract import IntegrityFinding
from syncline.apps.commerce.schedule_contract import Schedule, ScheduledAction, ScheduledRun
from syncline.kernel.ids import new_id
from syncline.main.verification.finding import Finding, Group, Verdict, is_well, span
from syncline.main.verification.stores import of_integrity, of_pull, of_reconciliation, of_schedules

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STORE = Store(new_id(), "demo", "demo.myshopify.com", None, "2026-10", "Demo", "EUR", "Basic", (), NOW)
EMPTY = StoreOverview(STORE, {}, {}, None, None, None)


def run(status: RunStatus, ended: timedelta | None, error: str | None = None) -> PullRun:
    finished = None if ended is None else NOW - ended
    return PullRun(
        new_id(), "demo", PullMode.FULL, status, "me", NOW - timedelta(hours=9), None, finished, error, (), None
    )


@pytest.mark.parametrize(
    ("last", "verdict", "found"),
    [
        (None, Verdict.WARN, "never pulled"),
        (run(RunStatus.RUNNING, None), Verdict.OK, "runs since 9 h"),
        (run(RunStatus.COMPLETED, timedelta(hours=3)), Verdict.OK, "completed 3 h ago"),
        (run(RunStatus.COMPLETED, timedelta(days=3)), Verdict.WARN, "completed 3 days ago"),
        (run(RunStatus.CANCELLED, timedelta(hours=3)), Verdict.WARN, "cancelled 3 h ago"),
        (run(RunStatus.FAILED, timedelta(hours=3), "No token."), Verdict.FAIL, "failed 3 h ago: No token."),
    ],
)
def test_the_last_pull(last: PullRun | None, verdict: Verdict, found: str) -> None:
    told = of_pull(replace(EMPTY, last_pull=last), NOW)
    assert (told.group, told.verdict) == (Group.STORES, verdict)
    assert found in told.found
    assert bool(told.advice) == (verdict is not Verdict.OK)


def reconciled(kind: KindCount) -> Reconciliation:
    return Reconciliation(new_id(), "demo", "counts", kind.agrees, 0, (kind,), NOW - timedelta(minutes=5))


def test_the_last_reconciliation() -> None:
    assert of_reconciliation("demo", None, NOW).verdict is Verdict.WARN
    agreed = of_reconciliation("demo", reconciled(KindCount("product", 7, 7)), NOW)
    assert (agreed.verdict, agreed.found) == (Verdict.OK, "7 records agree; by counts, 5 min ago")
    differs = of_reconciliation("demo", reconciled(KindCount("product", 7, 6)), NOW)
    assert (differs.verdict, differs.advice) == (Verdict.FAIL, "Run: syncline reconcile demo")
    assert "product" in differs.found


def schedule(next_in: timedelta | None, *, failures: int = 0) -> Schedule:
    last = ScheduledRun(NOW, "failed", None, "No token.") if failures else None
    due = None if next_in is None else NOW + next_in
    action = ScheduledAction.PULL
    return Schedule(new_id(), "demo", action, "every 1h", "UTC", due is not None, due, last, failures, "me", NOW)


@pytest.mark.parametrize(
    ("one", "is_pulling", "verdict", "found"),
    [
        (schedule(timedelta(minutes=30)), False, Verdict.OK, "next in 30 min"),
        (schedule(-timedelta(minutes=1)), False, Verdict.OK, "is due now"),
        (schedule(-timedelta(minutes=30)), False, Verdict.FAIL, "30 min overdue"),
        (schedule(-timedelta(minutes=30)), True, Verdict.WARN, "waits for a pull"),
        (schedule(None), False, Verdict.SKIP, "paused"),
        (schedule(timedelta(minutes=30), failures=1), False, Verdict.WARN, "failed 1 times"),
        (schedule(timedelta(minutes=30), failures=3), False, Verdict.FAIL, "failed 3 times"),
    ],
)
def test_schedules(one: Schedule, is_pulling: bool, verdict: Verdict, found: str) -> None:
    (told,) = of_schedules("demo", [one], NOW, is_pulling=is_pulling)
    assert told.verdict is verdict
    assert found in told.found


def test_no_schedules_are_well() -> None:
    assert [one.verdict for one in of_schedules("demo", [], NOW, is_pulling=False)] == [Verdict.OK]


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        (IntegrityFinding("r", 0, (), "mend", is_grave=True), Verdict.OK),
        (IntegrityFinding("r", 4, ("1", "2", "3", "4"), "mend", is_grave=True), Verdict.FAIL),
        (IntegrityFinding("r", 1, ("1",), "mend", is_grave=False), Verdict.WARN),
        (IntegrityFinding("r", 0, (), "", is_grave=False, left_out="busy"), Verdict.SKIP),
    ],
)
def test_rules(rule: IntegrityFinding, verdict: Verdict) -> None:
    (told,) = of_integrity("demo", [rule])
    assert (told.what, told.verdict) == ("demo: r", verdict)


def test_warnings_count_only_when_strict() -> None:
    warned = [Finding(Group.STORES, "x", one, "") for one in (Verdict.OK, Verdict.WARN, Verdict.SKIP)]
    assert (is_well(warned), is_well(warned, strict=True)) == (True, False)
    assert not is_well([Finding(Group.STORES, "x", Verdict.FAIL, "")])


def test_spans_are_read_at_a_glance() -> None:
    lengths: dict[Any, str] = {45: "45 s", 720: "12 min", 10_800: "3 h", 432_000: "5 days", -3: "0 s"}
    assert {seconds: span(timedelta(seconds=seconds)) for seconds in lengths} == lengths
