"""The declaration of a connector: what it can read and write, under which names, versions and limits. No logic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from syncline.runtime.connect.errors import UnknownVersion


@dataclass(frozen=True, slots=True)
class Auth:
    """How calls are signed. `secret_fields` are the fields of the config that may never be shown."""

    scheme: str
    secret_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """A version of the vendor's interface; on `ends` the vendor stops serving it (None: not announced)."""

    name: str
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """Something that can be read.

    `kinds` are the records it yields; `key` names each one; `cursor` is what an incremental read filters by; `paging`
    says how a page follows the last, `cost` what one takes of the vendor's limit; `scopes` are the permissions needed.
    """

    name: str
    kinds: tuple[str, ...]
    key: Mapping[str, str]
    cursor: str
    paging: str
    cost: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be written. `idempotent_by` is the key by which a repeat does no harm, or says what the caller
    does instead (`read back` after `OutcomeUnknown`)."""

    name: str
    idempotent_by: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A limit of the vendor, in its own unit; `per_second` by plan, `burst` likewise where there is a bucket."""

    unit: str
    per_second: Mapping[str, float]
    burst: Mapping[str, float] = field(default_factory=dict)
    per_call: float | None = None


@dataclass(frozen=True, slots=True)
class Connector:
    """All that the rest of Syncline may know of a vendor without calling it."""

    name: str
    config: type[object]
    auth: Auth
    streams: Sequence[Stream]
    actions: Sequence[Action]
    api_versions: Sequence[ApiVersion]
    rate_limits: Sequence[RateLimit]

    def stream(self, name: str) -> Stream:
        """Raises `KeyError` for a name that is not declared."""
        return {stream.name: stream for stream in self.streams}[name]

    def version(self, name: str) -> ApiVersion:
        """Raises `UnknownVersion`, with the versions there are."""
        for version in self.api_versions:
            if version.name == name:
                return version
        known = ", ".join(v.name for v in self.api_versions)
        raise UnknownVersion(f"{self.name} {name} is not a version Syncline speaks; use one of {known}.")
