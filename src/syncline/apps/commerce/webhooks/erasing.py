"""Webhooks that name a person: found by his records and addresses, and emptied of what they carried."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from syncline.runtime.db.session import Session, WriteSession

# As `escape` any bytes are a text, also what is no UTF-8. A waiting one is applied within moments, and emptied of who
# was erased as it is written.
_NAMING = """
    SELECT e.id, e.topic, e.received_at, e.kind, e.number FROM commerce.webhook_event e
    JOIN commerce.webhook_body b ON b.event_id = e.id
    WHERE e.tenant_id = :tenant AND e.state <> 'waiting' AND (
        EXISTS (SELECT FROM unnest(CAST(:stores AS uuid[]), CAST(:kinds AS text[]), CAST(:numbers AS bigint[]))
            AS his (store_id, kind, number)
            WHERE his.store_id = e.store_id AND his.kind = e.kind AND his.number = e.number)
        OR EXISTS (SELECT FROM unnest(CAST(:terms AS text[])) AS term
            WHERE strpos(lower(encode(b.body, 'escape')), lower(term)) > 0))
"""
_LIST = text(f"{_NAMING} ORDER BY e.id")
_ERASE = text(f"""
    DELETE FROM commerce.webhook_body WHERE tenant_id = :tenant AND event_id IN (SELECT id FROM ({_NAMING}) AS naming)
""")  # noqa: S608 - our own words


def _values(
    session: Session, terms: Collection[str], records: Mapping[str, Collection[tuple[UUID, int]]]
) -> dict[str, Any]:
    keys = [(store_id, kind, number) for kind, of in records.items() for store_id, number in of]
    return {
        "tenant": session.tenant_id,
        "terms": [term for term in terms if term],
        "stores": [one[0] for one in keys],
        "kinds": [one[1] for one in keys],
        "numbers": [one[2] for one in keys],
    }


async def read_naming(
    session: Session, *, terms: Collection[str], records: Mapping[str, Collection[tuple[UUID, int]]]
) -> AsyncIterator[dict[str, Any]]:
    """`records` are his, by kind: store and number."""
    for row in (await session.execute(_LIST, _values(session, terms, records))).mappings():
        yield dict(row)


async def erase_naming(
    session: WriteSession, *, terms: Collection[str], records: Mapping[str, Collection[tuple[UUID, int]]]
) -> int:
    """That they came stays, without what they said. Answers how many."""
    result = await session.execute(_ERASE, _values(session, terms, records))
    return int(result.rowcount)  # type: ignore[attr-defined]
