"""The body of `execute`, field by field: either a `SyncRequest`, or every wrong field with what to do. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, TypeVar

from syncline.apps.outreach.sync_contract import ASKABLE, Platform, SyncMode, SyncRefused, SyncRequest
from syncline.kernel.errors import FieldError

E = TypeVar("E", bound=StrEnum)

NAMESPACE = re.compile(r"[a-z][a-z0-9_-]{0,62}")
MOST_NAMESPACES = 50
_LONGEST_URL = 2_000
_DAY_LENGTH = 10
FIELDS = frozenset({
    "platforms", "syncMode", "startDate", "endDate", "namespaces", "batchSize", "enableProgressTracking",
    "enableMixpanelTracking", "enableAttioSync", "webhookUrl", "parallelWorkers", "dateRange", "rateLimitOverride",
})  # fmt: skip


def parse(body: Mapping[str, Any], *, now: datetime) -> SyncRequest:
    """Raises `SyncRefused` with all that is wrong."""
    look = _Look(body, now)
    for name in sorted(set(map(str, body)) - FIELDS):
        look.wrong(name[:60], f"There is no such field; the fields are {', '.join(sorted(FIELDS))}.")
    mode = look.one_of("syncMode", SyncMode.DELTA, ASKABLE)
    since, until = look.range(mode)
    request = SyncRequest(
        platforms=look.platforms(),
        mode=mode,
        namespaces=look.namespaces(),
        since=since,
        until=until,
        batch_size=look.whole("batchSize", 50, 1, 1_000),
        tracks_progress=look.flag("enableProgressTracking", default=True),
        to_mixpanel=look.flag("enableMixpanelTracking", default=True),
        to_attio=look.flag("enableAttioSync", default=False),
        webhook_url=look.url("webhookUrl"),
        workers=look.whole("parallelWorkers", 4, 1, 16),
        **look.pace(),
    )
    if look.found:
        raise SyncRefused(_sentence(look.found), fields=look.found)
    return request


def _sentence(found: Sequence[FieldError]) -> str:
    others = len(found) - 1
    more = f" ({others} more {'fields are' if others > 1 else 'field is'} wrong; see `fields`.)" if others else ""
    return f"{found[0].field}: {found[0].message}{more}"


@dataclass(slots=True)
class _Look:
    body: Mapping[str, Any]
    now: datetime
    found: list[FieldError] = field(default_factory=list)

    def wrong(self, name: str, message: str) -> None:
        self.found.append(FieldError(name, message))

    def whole(self, name: str, default: int, least: int, most: int, *, within: Mapping[str, Any] | None = None) -> int:
        told = (self.body if within is None else within).get(name.rpartition(".")[2])
        if told is None:
            return default
        if isinstance(told, bool) or not isinstance(told, int) or not least <= told <= most:
            self.wrong(name, f"Give a whole number from {least:,} to {most:,}.")
            return default
        return told

    def flag(self, name: str, *, default: bool) -> bool:
        told = self.body.get(name)
        if told is None:
            return default
        if not isinstance(told, bool):
            self.wrong(name, "Give true or false.")
            return default
        return told

    def one_of(self, name: str, default: E, known: Sequence[E]) -> E:
        told = self.body.get(name)
        if told is None:
            return default
        if isinstance(told, str) and told in known:
            return type(default)(told)
        self.wrong(name, f"{_quoted(told)} is none of {', '.join(known)}.")
        return default

    def listed(self, name: str) -> list[str] | None:
        """`"a,b"` and `["a", "b"]`, each once; None when left out."""
        told = self.body.get(name)
        if told is None:
            return None
        if isinstance(told, str):
            told = told.split(",")
        if not isinstance(told, list) or not all(isinstance(one, str) for one in told):
            self.wrong(name, "Give names, separated by commas or in a list.")
            return None
        return list(dict.fromkeys(one.strip() for one in told))

    def platforms(self) -> tuple[Platform, ...]:
        names = self.listed("platforms")
        if names is None:
            return tuple(Platform)
        unknown = [name for name in names if name not in list(Platform)]
        if unknown or not names:
            self.wrong("platforms", f"{_quoted(unknown[0] if unknown else '')} is none of {', '.join(Platform)}.")
            return tuple(Platform)
        return tuple(Platform(name) for name in names)

    def namespaces(self) -> tuple[str, ...]:
        names = self.listed("namespaces")
        if names is None:
            return ()
        if not names:
            self.wrong("namespaces", "The list is empty; leave it out for all there are.")
        for name in names:
            if not NAMESPACE.fullmatch(name):
                self.wrong(
                    "namespaces",
                    f"{_quoted(name)} is no name: begin with a letter, then use a-z, 0-9, _ and -, at most 63.",
                )
                break
        if len(names) > MOST_NAMESPACES:
            self.wrong("namespaces", f"At most {MOST_NAMESPACES} at once.")
        return tuple(names)

    def range(self, mode: SyncMode) -> tuple[datetime | None, datetime | None]:
        since, until = self.moment("startDate"), self.moment("endDate", is_end=True)
        if mode is not SyncMode.RANGE:
            for name in ("startDate", "endDate"):
                if self.body.get(name) is not None:
                    self.wrong(name, f"Only syncMode date_range takes it; leave it out with {mode}.")
            return None, None
        for name in ("startDate", "endDate"):
            if self.body.get(name) is None:
                self.wrong(name, "A range needs both ends; give a day like 2024-01-31. Both are inclusive.")
        if since is None or until is None:
            return since, until
        if until < since:
            self.wrong("endDate", "It lies before startDate; one day is startDate and endDate the same.")
        if since > self.now:
            self.wrong("startDate", "The range lies in the future; nothing has happened there yet.")
        elif until.date() > self.now.date():
            self.wrong("endDate", "It lies in the future; the last possible day is today (UTC).")
        return since, until

    def moment(self, name: str, *, is_end: bool = False) -> datetime | None:
        """A bare day begins at 00:00 UTC, or with `is_end` ends with its last microsecond."""
        told = self.body.get(name)
        if told is None:
            return None
        message = "Give a day like 2024-01-31, or a moment like 2024-01-31T12:00:00Z."
        if not isinstance(told, str) or not 10 <= len(told) <= 40:
            self.wrong(name, message)
            return None
        try:
            if len(told) == _DAY_LENGTH:
                edge = time.max if is_end else time.min
                return datetime.combine(date.fromisoformat(told), edge, UTC)
            moment = datetime.fromisoformat(told)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.wrong(name, message)
            return None

    def url(self, name: str) -> str | None:
        told = self.body.get(name)
        if told is None:
            return None
        if not isinstance(told, str) or not told.startswith(("https://", "http://")) or len(told) > _LONGEST_URL:
            self.wrong(name, f"Give an address that begins with https://, of at most {_LONGEST_URL:,} characters.")
            return None
        if any(ord(letter) <= 32 or ord(letter) == 127 for letter in told):
            self.wrong(name, "Leave blanks and control characters out of the address.")
            return None
        return told

    def pace(self) -> dict[str, Any]:
        dates, rates = self.object("dateRange", {"chunkSize", "delay"}), self.object(
            "rateLimitOverride", {"requestsPerSecond", "burstSize"}
        )  # fmt: skip
        rate = rates.get("requestsPerSecond")
        is_number = isinstance(rate, int | float) and not isinstance(rate, bool)
        if rate is not None and not (is_number and 0.01 <= rate <= 100):
            self.wrong("rateLimitOverride.requestsPerSecond", "Give a number from 0.01 to 100.")
            rate = None
        chunk = self.whole("dateRange.chunkSize", 0, 1, 3_660, within=dates)
        return {
            "chunk_days": chunk or None,
            "delay_ms": self.whole("dateRange.delay", 0, 0, 60_000, within=dates),
            "requests_per_second": None if rate is None else float(rate),
            "burst": self.whole("rateLimitOverride.burstSize", 1, 1, 100, within=rates),
        }

    def object(self, name: str, known: set[str]) -> Mapping[str, Any]:
        told = self.body.get(name)
        if told is None:
            return {}
        if not isinstance(told, dict):
            self.wrong(name, f"Give an object with {' and '.join(sorted(known))}.")
            return {}
        for inner in sorted(set(map(str, told)) - known):
            self.wrong(f"{name}.{inner[:60]}", f"There is no such field; there is {' and '.join(sorted(known))}.")
        return told


def _quoted(told: object) -> str:
    """What was sent, so that its sender knows it again; short, and without what could break a line."""
    text = told if isinstance(told, str) else repr(told)
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:60])
    return f"“{shown}{'…' if len(text) > 60 else ''}”"
