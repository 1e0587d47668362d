"""What an app implements so that people's data in it is found, handed out and erased."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.subject import Subject

Counts = Mapping[str, int]
"""How many of what: by the names of `Holding`."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of personal data that an app holds: `holds` says what it is, `erasure` what is left of it. From these
    the reference page is made, so each is a sentence for a person."""

    name: str
    holds: str
    erasure: str


@dataclass(frozen=True, slots=True)
class Record:
    """One thing held of a person. `kind` is the name of a `Holding`; values are what JSON can carry, or what has a
    text: moments, ids, amounts."""

    kind: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long a kind of data is kept, unless a tenant says otherwise. None keeps it for ever.

    `count` says how many are older than a moment; `remove` removes (or empties) at most `limit` of them in the caller's
    transaction and answers how many, so that it is called until that is 0. Both may be called again at any time.
    """

    name: str
    about: str
    days: int | None
    count: Callable[[Session, datetime], Awaitable[int]]
    remove: Callable[[WriteSession, datetime, int], Awaitable[int]]
    least_days: int = 1
    """What is younger is needed for the work itself."""


class PersonalData(Protocol):
    """Every method sees the rows of the session's tenant, and must reach no others of it by an id or an address."""

    @property
    def holdings(self) -> Sequence[Holding]:
        """All kinds of personal data in this app's tables."""
        ...

    @property
    def rules(self) -> Sequence[RetentionRule]: ...

    async def identify(self, session: Session, subject: Subject) -> Subject:
        """`subject` with what this app knows of him besides. Raises `NotFound` for a place that is named and not
        there; that nobody is found is no error."""
        ...

    async def objections(self, session: Session, subject: Subject) -> Sequence[str]:
        """Why he cannot be erased now, each a sentence that says what to do."""
        ...

    def export(self, session: Session, subject: Subject) -> AsyncIterator[Record]:
        """All that is held of him, one kind after the other. No secrets: a hash or a seed helps nobody but a thief."""
        ...

    async def erase(self, session: WriteSession, subject: Subject, *, keep_out: bool) -> Counts:
        """Take him out of every row, in the caller's transaction; safe to repeat. `keep_out`: what comes again from
        outside (a pull of the store) must be emptied of him too, for good."""
        ...
