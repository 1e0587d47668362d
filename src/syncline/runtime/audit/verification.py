"""Whether a tenant's trail is as it was written: what was changed, removed or put in, by its number.

Each entry carries the hash of the one before. To change one unseen, all that follow and the end of the chain would have
to be made anew; against that helps an end that was noted elsewhere (`expected`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from syncline.kernel.tenant import TenantId
from syncline.runtime.audit import trail
from syncline.runtime.audit.entry import ChainEnd, StoredEntry, beginning, hash_of, parse
from syncline.runtime.audit.particulars import Particulars, agree, list_all
from syncline.runtime.db.session import Session


class Tampering(StrEnum):
    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"


@dataclass(frozen=True, slots=True)
class Finding:
    """`last` is other than `first` only for a stretch that was removed."""

    what: Tampering
    first: int
    last: int

    @property
    def sentence(self) -> str:
        if self.first == self.last:
            return f"Entry {self.first} was {self.what.value}."
        return f"Entries {self.first} to {self.last} were {self.what.value}."


@dataclass(frozen=True, slots=True)
class Verification:
    entries: int
    end: ChainEnd | None
    findings: tuple[Finding, ...]

    @property
    def is_whole(self) -> bool:
        return not self.findings


@dataclass(slots=True)
class Verifier:
    """Is shown the rows in the order of their numbers, and then the end of the chain."""

    tenant_id: TenantId
    expected: ChainEnd | None = None
    particulars: Particulars = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    _number: int = 0
    _hash: bytes = b""
    _entries: int = 0

    def __post_init__(self) -> None:
        self._hash = beginning(self.tenant_id)

    def see(self, row: StoredEntry) -> None:
        self._entries += 1
        if row.number < 1:
            self._found(Tampering.INSERTED, row.number)
            return
        follows = row.number == self._number + 1
        if not follows:
            self._found(Tampering.REMOVED, self._number + 1, row.number - 1)
        if not _is_itself(row, self.particulars):
            self._found(Tampering.CHANGED, row.number)
        elif follows and row.previous != self._hash:
            # It is as it was written, so the one before is not what it was written after. Number 1 has none before.
            self._found(Tampering.CHANGED, self._number or row.number)
        if self.expected is not None and row.number == self.expected.number and row.hash != self.expected.hash:
            self._found(Tampering.CHANGED, row.number)
        self._number, self._hash = row.number, row.hash

    def finish(self, end: ChainEnd | None) -> Verification:
        known = max(end.number if end else 0, self.expected.number if self.expected else 0)
        if known > self._number:
            self._found(Tampering.REMOVED, self._number + 1, known)
        elif end is None or end.number < self._number:
            for number in range((end.number if end else 0) + 1, self._number + 1):
                self._found(Tampering.INSERTED, number)
        elif end.hash != self._hash and self._number:
            self._found(Tampering.CHANGED, self._number)
        return Verification(self._entries, end, tuple(self.findings))

    def _found(self, what: Tampering, first: int, last: int | None = None) -> None:
        finding = Finding(what, first, first if last is None else last)
        if finding not in self.findings:
            self.findings.append(finding)


def _is_itself(row: StoredEntry, particulars: Particulars) -> bool:
    """Whether the hash is that of the text, the columns say what the text says, and so does what it refers to."""
    if hash_of(row.previous, row.content) != row.hash:
        return False
    try:
        entry = parse(row.content)
    except ValueError:
        return False
    told = (entry.number, entry.at, entry.actor, entry.action, entry.subject, entry.outcome, entry.correlation_id)
    return agree(entry, particulars) and told == (
        row.number,
        row.at,
        row.actor,
        row.action,
        row.subject,
        row.outcome,
        row.correlation_id,
    )


async def verify(session: Session, expected: ChainEnd | None = None) -> Verification:
    """Reads the whole trail of the session's tenant, page by page. Use a session of one moment (`reading_still`):
    entries that are added meanwhile would look put in."""
    verifier = Verifier(session.tenant, expected, await list_all(session))
    async for row in trail.read_stored(session):
        verifier.see(row)
    return verifier.finish(await trail.chain_end(session))
