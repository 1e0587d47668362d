"""Pieces of a stream on their way into the mirror: while the database stores one, the next is read and prepared."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from syncline.apps.commerce.mirror.lines import Chunk, Digits, sort_lines
from syncline.apps.commerce.mirror.loading import Loaded, Prepared, look_up, prepare, store
from syncline.apps.commerce.mirror.merging import Notice
from syncline.kernel.tenant import TenantId
from syncline.runtime.connect.paging import one_ahead
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines and where to go on after them."""

    lines: list[bytes]
    cursor: str


@dataclass(frozen=True, slots=True)
class Ready:
    """What is left to do for a piece: only to write it, or all where it had to wait for the piece before."""

    content: Prepared | Chunk
    cursor: str

    async def store(
        self, session: WriteSession, store_id: UUID, *, read_from: datetime, notice: Notice | None = None
    ) -> Loaded:
        prepared = self.content
        if isinstance(prepared, Chunk):
            prepared = await prepare(prepared, await look_up(session, store_id, prepared))
        return await store(session, store_id, prepared, read_from=read_from, notice=notice)


async def ready_ahead(
    database: Database, tenant_id: TenantId, store_id: UUID, stream: str, pieces: AsyncGenerator[Piece, None]
) -> AsyncGenerator[Ready, None]:
    """Each piece, prepared while the caller stores the one before: those two are all that is held. Closes `pieces`.

    A piece that names a record of the one before is not looked up yet: that one may not be committed, and what it
    wrote has to be found. The caller's own transaction does it.
    """
    async with aclosing(one_ahead(_ready(database, tenant_id, store_id, stream, pieces))) as ahead:
        async for ready in ahead:
            yield ready


async def _ready(
    database: Database, tenant_id: TenantId, store_id: UUID, stream: str, pieces: AsyncGenerator[Piece, None]
) -> AsyncGenerator[Ready, None]:
    named: Mapping[str, frozenset[Digits]] = {}
    async with aclosing(pieces):
        async for piece in pieces:
            chunk = sort_lines(piece.lines, stream)
            repeats, named = chunk.names_any(named), chunk.keys()
            yield Ready(chunk if repeats else await _prepared(database, tenant_id, store_id, chunk), piece.cursor)


async def _prepared(database: Database, tenant_id: TenantId, store_id: UUID, chunk: Chunk) -> Prepared:
    async with database.reading(tenant_id) as session:
        fresh = await look_up(session, store_id, chunk)
    return await prepare(chunk, fresh)
