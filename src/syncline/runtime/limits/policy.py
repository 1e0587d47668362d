"""What may be done how often, as it is written in a setting: `300/15min`, or `30/h burst 15`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_FORM = re.compile(r"(\d{1,9})\s*/\s*(\d{0,5})\s*(s|min|h|d)(?:\s+burst\s+(\d{1,9}))?")

SLOTS = 30
"""How finely a window is counted: what was done leaves it by a thirtieth of the period at a time."""


class Counts(StrEnum):
    """Whom a policy counts: each caller (a key, a person), each tenant, or each network address."""

    CALLER = "caller"
    TENANT = "tenant"
    ADDRESS = "address"


class WhenLost(StrEnum):
    """What happens while the shared counts cannot be reached."""

    OPEN = "open"
    """Each process counts by itself, so that work goes on: at most as many times the limit as there are processes."""
    CLOSED = "closed"
    """Nobody passes: guessing at passwords must not become free by putting Redis out."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Without `burst` never more than `count` in any stretch of `per` (a sliding window). With it a token bucket:
    `burst` at once, and `count` more in each `per`."""

    count: int
    per: timedelta
    burst: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1 or self.per <= timedelta() or (self.burst is not None and self.burst < 1):
            raise ValueError("a limit's numbers are 1 or more")

    @property
    def most(self) -> int:
        """What an unused limit allows at once."""
        return self.count if self.burst is None else self.burst

    @property
    def seconds(self) -> float:
        return self.per.total_seconds()

    def __str__(self) -> str:
        whole = int(self.seconds)
        unit = next(name for name in ("d", "h", "min", "s") if whole % _UNITS[name] == 0)
        many = whole // _UNITS[unit]
        burst = "" if self.burst is None else f" burst {self.burst}"
        return f"{self.count}/{many if many > 1 else ''}{unit}{burst}"


@dataclass(frozen=True, slots=True)
class Policy:
    """One limit. `rate` None is no limit at all."""

    name: str
    rate: Rate | None
    counts: Counts = Counts.CALLER
    when_lost: WhenLost = WhenLost.OPEN
    what: str = ""


def parse_rate(text: str) -> Rate | None:
    """`300/15min`, `30/h burst 15`, or `off`. Raises `ValueError` with the form."""
    if text.strip() == "off":
        return None
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"“{text}” is no limit; write it like 300/15min, 30/h burst 15, or off")
    count, many, unit, burst = found.groups()
    return Rate(int(count), timedelta(seconds=int(many or 1) * _UNITS[unit]), int(burst) if burst else None)


_QUARTER = timedelta(minutes=15)
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)

ANONYMOUS = "general:anonymous"
SIGNED_IN = "general:signed-in"

POLICIES: tuple[Policy, ...] = (
    Policy(ANONYMOUS, Rate(300, _QUARTER), Counts.ADDRESS, what="everything without a limit of its own, no valid key"),
    Policy(SIGNED_IN, Rate(6_000, _QUARTER), what="everything without a limit of its own, with a key or signed in"),
    Policy("sign-in", Rate(30, _QUARTER), Counts.ADDRESS, WhenLost.CLOSED, what="signing in, registering, resetting"),
    Policy("webhooks", Rate(150, _QUARTER), what="signed webhooks of a shop; beyond it processing waits, none is lost"),
    Policy("full-sync:execute", Rate(30, _HOUR, 15), what="starting a full sync"),
    Policy("event-keys:generate", Rate(1_000, _MINUTE, 50), what="making an event key"),
    Policy("event-keys:generate-batch", Rate(60, _MINUTE), what="making up to 1,000 event keys in one request"),
    Policy("database:optimize", Rate(5, _HOUR, 2), what="optimising the database"),
    Policy("migrations:run", Rate(3, _HOUR, 1), what="running migrations"),
    Policy("migrations:rollback", Rate(3, _HOUR, 1), what="undoing migrations"),
    Policy("outreach-webhooks", Rate(6_000, _MINUTE), Counts.ADDRESS, what="webhooks of lemlist and Smartlead"),
    Policy("status", Rate(100, _MINUTE, 20), what="asking for status and statistics of outreach"),
)
"""The limits there are, with their defaults. A route names one with `limited(...)`."""


def with_settings(told: Mapping[str, str], policies: Iterable[Policy] = POLICIES) -> dict[str, Policy]:
    """The policies by name, with what the operator set. Raises `ValueError` for a name there is not, or a bad rate."""
    found = {policy.name: policy for policy in policies}
    for name, text in told.items():
        if name not in found:
            raise ValueError(f"there is no limit “{name}”; the limits are {', '.join(found)}")
        found[name] = replace(found[name], rate=parse_rate(text))
    return found
