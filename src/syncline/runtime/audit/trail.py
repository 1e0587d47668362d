"""Records entries, and reads them again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from syncline.kernel import clock
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.entry import ChainEnd, Entry, StoredEntry, beginning, canonical, hash_of, parse
from syncline.runtime.audit.origin import current_origin
from syncline.runtime.audit.particulars import ADDRESS, NAME, set_apart, told
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.observe.correlation import correlation_id

_LONGEST_TEXT = 500
_PAGE = 1_000

# One statement takes the next number and locks the tenant's chain until the transaction ends; other tenants' are other
# rows. The hash it gives back is still that of the entry before.
_NEXT = text("""
    INSERT INTO audit.chain (tenant_id, number, hash) VALUES (:tenant_id, 1, :beginning)
    ON CONFLICT (tenant_id) DO UPDATE SET number = chain.number + 1
    RETURNING number, hash
""")
_ADD = text("""
    WITH added AS (
        INSERT INTO audit.entry
            (tenant_id, number, at, actor, action, subject, outcome, correlation_id, content, previous, hash)
        VALUES
            (:tenant_id, :number, :at, :actor, :action, :subject, :outcome, :correlation_id, :content, :previous, :hash)
    )
    UPDATE audit.chain SET hash = :hash WHERE tenant_id = :tenant_id
""")
_COLUMNS = "number, at, actor, action, subject, outcome, correlation_id, content, previous, hash"
_ROWS = text(f"""
    SELECT {_COLUMNS} FROM audit.entry WHERE tenant_id = :tenant_id AND number > :after ORDER BY number LIMIT :limit
""")  # noqa: S608 - our own words
_END = text("SELECT number, hash FROM audit.chain WHERE tenant_id = :tenant_id")
_FILTER = """
    tenant_id = :tenant_id
    AND (CAST(:actor AS text) IS NULL OR actor = :actor OR actor IN (
        SELECT ref FROM audit.particular WHERE tenant_id = :tenant_id AND value = :actor AND kind = 'name'
    ))
    AND (CAST(:action AS text) IS NULL OR strpos(action, :action) > 0)
    AND (CAST(:subject AS text) IS NULL OR strpos(subject, :subject) > 0)
    AND (CAST(:correlation_id AS text) IS NULL OR correlation_id = :correlation_id)
    AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)
    AND (CAST(:until AS timestamptz) IS NULL OR at < :until)
"""
_FOUND = text(f"""
    SELECT content FROM audit.entry WHERE {_FILTER} ORDER BY number DESC LIMIT :limit OFFSET :offset
""")  # noqa: S608
_COUNT = text(f"SELECT count(*) FROM audit.entry WHERE {_FILTER}")  # noqa: S608
_FOUND_FROM = text(f"""
    SELECT number, content FROM audit.entry WHERE {_FILTER} AND number > :after ORDER BY number LIMIT :limit
""")  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryQuery:
    """What to look for; None looks for all. `action` and `subject` may be a part; `until` is not included."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    correlation_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def values(self) -> dict[str, Any]:
        return {
            "actor": self.actor,
            "action": self.action,
            "subject": self.subject,
            "correlation_id": self.correlation_id,
            "since": self.since,
            "until": self.until,
        }


async def record(
    session: WriteSession,
    *,
    actor: Actor,
    action: str,
    subject: str = "",
    outcome: str = "done",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> int:
    """Adds an entry in this transaction: it is there exactly if the change is. Answers its number.

    Call it last, when the work is done: other transactions of the same tenant that record wait until this one ends.
    Raises `LookupError` in a session of no tenant.
    """
    tenant_id, here = session.tenant, current_origin()
    number, previous = (await session.execute(_NEXT, {"tenant_id": tenant_id, "beginning": beginning(tenant_id)})).one()
    who, address = await _who(session, actor, here.address)
    entry = Entry(
        number=number,
        at=clock.now(),
        actor=who,
        role=actor.role,
        method=actor.method,
        user_id=actor.user_id,
        action=_short(action),
        subject=_short(subject),
        outcome=_short(outcome),
        address=address,
        correlation_id=correlation_id(),
        before=before,
        after=after,
        details=details or {},
    )
    await session.execute(_ADD, {"tenant_id": tenant_id, **_row(entry, bytes(previous))})
    here.entries += 1
    return int(number)


async def _who(session: WriteSession, actor: Actor, address: str | None) -> tuple[str, str | None]:
    """Name and address as the chain holds them: of a person by reference, for he may have to be forgotten."""
    name = _short(actor.name)
    if actor.user_id is None:
        return name, address
    there = None if address is None else await set_apart(session, actor.user_id, ADDRESS, _short(address))
    return await set_apart(session, actor.user_id, NAME, name), there


def _row(entry: Entry, previous: bytes) -> dict[str, Any]:
    content = canonical(entry)
    return {
        "number": entry.number,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "outcome": entry.outcome,
        "correlation_id": entry.correlation_id,
        "content": content,
        "previous": previous,
        "hash": hash_of(previous, content),
    }


def _short(words: str) -> str:
    """What a column can hold: no NUL, no half characters, and not a book."""
    return words.replace("\0", "").encode("utf-8", "replace").decode()[:_LONGEST_TEXT]


async def list_entries(session: Session, query: EntryQuery, page: PageRequest) -> Page[Entry]:
    """The latest first."""
    values = {"tenant_id": session.tenant, **query.values()}
    rows = await session.scalars(_FOUND, {**values, "limit": page.limit, "offset": page.offset})
    total = await session.scalar(_COUNT, values)
    return Page(items=await told(session, map(parse, rows)), total=int(total or 0), page=page.page, limit=page.limit)


async def read_entries(session: Session, query: EntryQuery) -> AsyncIterator[Entry]:
    """All that match, the oldest first, in pages: for exports of any length."""
    values, after = {"tenant_id": session.tenant, **query.values(), "limit": _PAGE}, 0
    while rows := (await session.execute(_FOUND_FROM, {**values, "after": after})).all():
        after = rows[-1].number
        for entry in await told(session, [parse(content) for _, content in rows]):
            yield entry


async def read_stored(session: Session) -> AsyncIterator[StoredEntry]:
    """The rows as they are, the oldest first, for verification."""
    after = -(2**63)
    while rows := await _rows(session, after):
        for row in rows:
            after = row.number
            values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
            yield StoredEntry(**{**values, "previous": bytes(row.previous), "hash": bytes(row.hash)})


async def _rows(session: Session, after: int) -> Sequence[Row[Any]]:
    return (await session.execute(_ROWS, {"tenant_id": session.tenant, "after": after, "limit": _PAGE})).all()


async def chain_end(session: Session) -> ChainEnd | None:
    """None while nothing was recorded."""
    row = (await session.execute(_END, {"tenant_id": session.tenant})).one_or_none()
    return None if row is None else ChainEnd(row.number, bytes(row.hash))
