"""What to do with an approved change, seeing what the store says now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from syncline.apps.commerce.fields import AnyValue, same_value

State = Mapping[str, AnyValue]


class Verdict(StrEnum):
    """write: nothing moved since it was staged. already: the store has the wanted values. conflict: something moved."""

    WRITE = "write"
    ALREADY = "already"
    CONFLICT = "conflict"


def same_state(one: State, other: State) -> bool:
    """Whether the fields of `one` mean the same in `other`."""
    return all(same_value(name, value, other.get(name)) for name, value in one.items())


def judge(before: State, after: State, now: State) -> Verdict:
    """`already` first: a value that is as wanted needs no write, whoever put it there."""
    if same_state(after, now):
        return Verdict.ALREADY
    return Verdict.WRITE if same_state(before, now) else Verdict.CONFLICT


class Outcome(StrEnum):
    """What a read-back says of a write whose answer never came."""

    ARRIVED = "arrived"
    LOST = "lost"
    MOVED = "moved"


def judge_read_back(sent_over: State, after: State, now: State) -> Outcome:
    """`sent_over` is what was read just before the write."""
    if same_state(after, now):
        return Outcome.ARRIVED
    return Outcome.LOST if same_state(sent_over, now) else Outcome.MOVED
