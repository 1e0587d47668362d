"""Reading Attio's people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from syncline.connectors.attio.client import AttioClient
from syncline.connectors.attio.errors import ERRORS, UNREADABLE
from syncline.runtime.connect.connector import Stream

PAGE = 500
_PATH = "/v2/objects/people/records/query"

PEOPLE: Final = Stream(
    name="people",
    kinds=("Person",),
    key={"Person": "id.record_id"},
    cursor="none",
    paging="offset, oldest first",
    cost="1 read a page of 500",
    scopes=("record_permission:read", "object_configuration:read"),
)
STREAMS: Final = {PEOPLE.name: PEOPLE}


@dataclass(frozen=True, slots=True)
class Page:
    records: list[dict[str, Any]]
    cursor: str | None


async def read_people(client: AttioClient, *, cursor: str | None = None) -> AsyncIterator[Page]:
    """Everybody. Raises connector outcomes."""
    offset = int(cursor or 0)
    sorts = [{"attribute": "created_at", "direction": "asc"}]
    while True:
        asked: dict[str, Any] = {"limit": PAGE, "offset": offset, "sorts": sorts}
        rows = _rows(await client.query("people", _PATH, asked))
        offset += len(rows)
        is_last = len(rows) < PAGE
        yield Page(rows, None if is_last else str(offset))
        if is_last:
            return


async def find_person(client: AttioClient, address: str) -> dict[str, Any] | None:
    """Whoever has this address."""
    rows = _rows(await client.query("find_person", _PATH, {"filter": {"email_addresses": address}, "limit": 1}))
    return rows[0] if rows else None


def _rows(body: Any) -> list[dict[str, Any]]:
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise ERRORS.outcome(UNREADABLE, detail="no data")
    return rows
