from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from syncline.main import examination


class Verdict(StrEnum):
    """`warn`: works, with something to look at. `fail`: does not do what it should. `skip`: was not looked at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Group(StrEnum):
    COMPONENTS = "components"
    ENDPOINTS = "endpoints"
    INTEGRITY = "integrity"
    STORES = "stores"
    SCHEDULES = "schedules"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, what was found, and a sentence of what to do where that is not well."""

    group: Group
    what: str
    verdict: Verdict
    found: str
    advice: str = ""


_OF_DOCTOR = {
    examination.Verdict.GOOD: Verdict.OK,
    examination.Verdict.NOTE: Verdict.WARN,
    examination.Verdict.BAD: Verdict.FAIL,
}


def from_examination(found: examination.Finding) -> Finding:
    verdict = _OF_DOCTOR[found.verdict]
    advice = "" if verdict is Verdict.OK else found.advice
    return Finding(Group.COMPONENTS, found.what, verdict, found.found, advice)


def graded(value: timedelta, *, warn: timedelta, fail: timedelta) -> Verdict:
    """By how large it is."""
    if value >= fail:
        return Verdict.FAIL
    return Verdict.WARN if value >= warn else Verdict.OK


def is_well(findings: Sequence[Finding], *, strict: bool = False) -> bool:
    """`strict`: warnings count too."""
    bad = {Verdict.FAIL, Verdict.WARN} if strict else {Verdict.FAIL}
    return not any(one.verdict in bad for one in findings)


def span(length: timedelta) -> str:
    """`45 s`, `12 min`, `3 h`, `5 days`."""
    seconds = max(0.0, length.total_seconds())
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5_400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"
