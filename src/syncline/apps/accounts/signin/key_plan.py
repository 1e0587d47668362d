"""Which signing key signs, which are published, and when a new one is due. Pure.

A new key is published before it signs, so that whoever keeps a copy of the list knows it by then; an old one is
published as long as a token signed with it can be good. So a change of keys signs nobody out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class KeyTimes:
    kid: str
    signs_from: datetime


@dataclass(frozen=True, slots=True)
class KeyPlan:
    signer: str | None
    published: frozenset[str]
    new_signs_from: datetime | None
    """When a key that has to be made now begins to sign; None when none has to be made."""


def plan_keys(
    keys: Sequence[KeyTimes], *, now: datetime, lifetime: timedelta, lead: timedelta, token_lifetime: timedelta
) -> KeyPlan:
    ordered = sorted(keys, key=lambda key: (key.signs_from, key.kid))
    signing = [key for key in ordered if key.signs_from <= now]
    # A token lives from its signing on; twice that leaves room for clocks that differ.
    last_needed = now - 2 * token_lifetime
    replaced = pairwise(ordered)
    done = {key.kid for key, successor in replaced if successor.signs_from <= last_needed}
    return KeyPlan(
        signer=signing[-1].kid if signing else None,
        published=frozenset(key.kid for key in ordered) - done,
        new_signs_from=_when_next(ordered, bool(signing), now=now, lifetime=lifetime, lead=lead),
    )


def _when_next(
    ordered: Sequence[KeyTimes], someone_signs: bool, *, now: datetime, lifetime: timedelta, lead: timedelta
) -> datetime | None:
    if not someone_signs:
        return now
    due = ordered[-1].signs_from + lifetime - lead
    return now + lead if due <= now else None
