"""Stores and their schedules: how old what we know is, whether it agreed, what is late. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from syncline.apps.commerce.contract import Reconciliation, RunStatus, StoreOverview
from syncline.apps.commerce.integrity_contract import IntegrityFinding
from syncline.apps.commerce.schedule_contract import Schedule
from syncline.main.verification.finding import Finding, Group, Verdict, span

_OLD = timedelta(days=2)
_LATE = timedelta(minutes=5)
_FAILURES_WRONG = 3


def of_pull(overview: StoreOverview, now: datetime) -> Finding:
    name, run = overview.store.name, overview.last_pull
    what, pull = f"{name}: last pull", f"Run: syncline pull {name}"
    if run is None:
        return Finding(Group.STORES, what, Verdict.WARN, "it was never pulled", pull)
    if not run.status.is_final:
        return Finding(Group.STORES, what, Verdict.OK, f"runs since {span(now - run.created_at)}")
    ended = run.finished_at or run.created_at
    found = f"{run.status.value} {span(now - ended)} ago"
    if run.status is RunStatus.FAILED:
        return Finding(Group.STORES, what, Verdict.FAIL, f"{found}: {run.error}", f"Mend what it names. {pull}")
    if now - ended > _OLD or run.status is not RunStatus.COMPLETED:
        again = f"{pull}, or have it run by itself: syncline schedule add {name} --every 1h"
        return Finding(Group.STORES, what, Verdict.WARN, found, again)
    return Finding(Group.STORES, what, Verdict.OK, found)


def of_reconciliation(name: str, found: Reconciliation | None, now: datetime, *, when: str = "last") -> Finding:
    what = f"{name}: {when} reconciliation"
    if found is None:
        return Finding(Group.STORES, what, Verdict.WARN, "there is none yet", f"Run: syncline reconcile {name}")
    told = f"by {found.method}, {span(now - found.created_at)} ago"
    if not found.agreed:
        differing = ", ".join(kind.kind for kind in found.kinds if not kind.agrees)
        advice = f"Run: syncline reconcile {name}"
        return Finding(Group.STORES, what, Verdict.FAIL, f"differs in {differing}; {told}", advice)
    return Finding(
        Group.STORES, what, Verdict.OK, f"{sum(kind.in_mirror for kind in found.kinds):,} records agree; {told}"
    )


def of_schedules(name: str, schedules: Sequence[Schedule], now: datetime, *, is_pulling: bool) -> list[Finding]:
    if not schedules:
        return [Finding(Group.SCHEDULES, name, Verdict.OK, "none")]
    return [_of_schedule(one, now, is_pulling=is_pulling) for one in schedules]


def _of_schedule(one: Schedule, now: datetime, *, is_pulling: bool) -> Finding:
    what = f"{one.store}: {one.action.value.replace('_', ' ')}, {one.timing}"
    if one.next_run_at is None:
        return Finding(Group.SCHEDULES, what, Verdict.SKIP, "paused", f"Resume it: syncline schedule resume {one.id}")
    late = now - one.next_run_at
    if late > _LATE and is_pulling:
        return Finding(
            Group.SCHEDULES, what, Verdict.WARN, f"waits for a pull, for {span(late)}", "Wait, or cancel it."
        )
    if late > _LATE:
        return Finding(
            Group.SCHEDULES, what, Verdict.FAIL, f"is {span(late)} overdue", "No worker ticks: start syncline serve."
        )
    if one.failures:
        sentence = one.last_run.sentence if one.last_run is not None else None
        verdict = Verdict.FAIL if one.failures >= _FAILURES_WRONG else Verdict.WARN
        return Finding(
            Group.SCHEDULES, what, verdict, f"failed {one.failures} times in a row", sentence or "See its log."
        )
    return Finding(Group.SCHEDULES, what, Verdict.OK, f"next in {span(-late)}" if late < timedelta(0) else "is due now")


def of_integrity(name: str, rules: Sequence[IntegrityFinding]) -> list[Finding]:
    return [_of_rule(name, rule) for rule in rules]


def _of_rule(name: str, rule: IntegrityFinding) -> Finding:
    what = f"{name}: {rule.rule}"
    if rule.left_out is not None:
        return Finding(Group.INTEGRITY, what, Verdict.SKIP, rule.left_out)
    if not rule.count:
        return Finding(Group.INTEGRITY, what, Verdict.OK, "holds")
    found = f"not of {rule.count:,}: {', '.join(rule.examples[:3])}{' …' if rule.count > 3 else ''}"
    return Finding(Group.INTEGRITY, what, Verdict.FAIL if rule.is_grave else Verdict.WARN, found, rule.advice)
