"""What an entry says of a person: his name and his network address, apart from the chain of hashes.

In the chain stands a reference: a hash of the value with a salt, which is kept beside the value and nowhere else. So a
value that was changed is found by verification, and one that is forgotten, its salt with it, cannot be guessed from the
reference by trying names. `docs/adr/0008-names-in-the-trail.md` has the reasons.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from syncline.kernel import clock
from syncline.runtime.audit.entry import Entry
from syncline.runtime.db.session import Session, WriteSession

ERASED = "an erased person"
NAME, ADDRESS = "name", "address"
_REFERENCE = re.compile(r"person:[0-9a-f]{64}")
_SALT_BYTES = 32

_FIND = text("""
    SELECT ref FROM audit.particular
    WHERE tenant_id = :tenant_id AND user_id = :user_id AND kind = :kind AND value = :value
""")
_ADD = text("""
    INSERT INTO audit.particular (tenant_id, ref, user_id, kind, value, salt)
    VALUES (:tenant_id, :ref, :user_id, :kind, :value, :salt)
""")
_NAMED = text("""
    SELECT ref, user_id, kind, value, salt FROM audit.particular
    WHERE tenant_id = :tenant_id AND ref = ANY(CAST(:refs AS text[]))
""")
_ALL = text("SELECT ref, user_id, kind, value, salt FROM audit.particular WHERE tenant_id = :tenant_id")
_FORGET = text("""
    UPDATE audit.particular SET value = NULL, salt = NULL, erased_at = :at
    WHERE tenant_id = :tenant_id AND user_id = ANY(CAST(:user_ids AS uuid[])) AND value IS NOT NULL
""")
_OF = text("""
    SELECT kind, value FROM audit.particular
    WHERE tenant_id = :tenant_id AND user_id = ANY(CAST(:user_ids AS uuid[])) AND value IS NOT NULL ORDER BY kind, value
""")


@dataclass(frozen=True, slots=True)
class Particular:
    """`value` and `salt` are None when the person was erased."""

    ref: str
    user_id: UUID
    kind: str
    value: str | None
    salt: bytes | None

    @property
    def is_itself(self) -> bool:
        """Whether it says what was written; of what is forgotten nobody can tell, and it says nothing."""
        if self.value is None or self.salt is None:
            return True
        return reference(self.salt, self.user_id, self.kind, self.value) == self.ref


Particulars = Mapping[str, Particular]
"""By their references."""


def reference(salt: bytes, user_id: UUID, kind: str, value: str) -> str:
    return f"person:{hashlib.sha256(salt + user_id.bytes + f'{kind}:{value}'.encode()).hexdigest()}"


def references(entry: Entry) -> list[tuple[str, str]]:
    """What the entry says by reference, and the kind of each. Only of people: a key may be called what it likes, and
    entries from before there were references hold names."""
    if entry.user_id is None:
        return []
    said = ((entry.actor, NAME), (entry.address, ADDRESS))
    return [(words, kind) for words, kind in said if words is not None and _REFERENCE.fullmatch(words)]


async def set_apart(session: WriteSession, user_id: UUID, kind: str, value: str) -> str:
    """The reference to `value`, which is kept once for each person. The caller holds the tenant's chain, so that two
    never make one at the same time."""
    about = {"tenant_id": session.tenant, "user_id": user_id, "kind": kind, "value": value}
    known = await session.scalar(_FIND, about)
    if known is not None:
        return str(known)
    salt = secrets.token_bytes(_SALT_BYTES)
    ref = reference(salt, user_id, kind, value)
    await session.execute(_ADD, {**about, "ref": ref, "salt": salt})
    return ref


async def forget(session: WriteSession, user_ids: Collection[UUID]) -> int:
    """For ever: what is left is who did what by his id, which no other table knows any more. How many values."""
    values = {"tenant_id": session.tenant, "user_ids": list(user_ids), "at": clock.now()}
    return (await session.execute(_FORGET, values)).rowcount  # type: ignore[attr-defined,no-any-return]


async def list_of(session: Session, user_ids: Collection[UUID]) -> list[tuple[str, str]]:
    """Kind and value of all that is kept of these people."""
    rows = await session.execute(_OF, {"tenant_id": session.tenant, "user_ids": list(user_ids)})
    return [(row.kind, row.value) for row in rows.all()]


async def list_all(session: Session) -> Particulars:
    rows = await session.execute(_ALL, {"tenant_id": session.tenant})
    return {row.ref: _particular(row) for row in rows.all()}


async def told(session: Session, entries: Iterable[Entry]) -> list[Entry]:
    """The entries with what their references stand for."""
    found = list(entries)
    refs = sorted({words for one in found for words, _ in references(one)})
    if not refs:
        return found
    rows = await session.execute(_NAMED, {"tenant_id": session.tenant, "refs": refs})
    known = {row.ref: _particular(row) for row in rows.all()}
    return [_told(one, known) for one in found]


def _told(entry: Entry, known: Particulars) -> Entry:
    values = {kind: known[ref].value if ref in known else None for ref, kind in references(entry)}
    actor = (values[NAME] or ERASED) if NAME in values else entry.actor
    return replace(entry, actor=actor, address=values.get(ADDRESS, entry.address))


def agree(entry: Entry, known: Particulars) -> bool:
    """Whether all that the entry refers to is there, and is what was written of this person."""
    for ref, kind in references(entry):
        one = known.get(ref)
        if one is None or (one.user_id, one.kind) != (entry.user_id, kind) or not one.is_itself:
            return False
    return True


def _particular(row: Row[Any]) -> Particular:
    return Particular(row.ref, row.user_id, row.kind, row.value, None if row.salt is None else bytes(row.salt))
