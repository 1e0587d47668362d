"""Lines from the store into the mirror, one bounded chunk at a time, in four steps.

`sort_lines` finds the key of every line; `look_up` leaves those whose hash is not the stored one; `prepare` decodes
these and hashes what is kept of them; `store` copies the rows into a temporary table and merges them, refusing older
versions. Only the last one writes, in the caller's transaction, together with the cursor the caller writes itself; so
the first three can be done for the next chunk while the database is busy with this one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from struct import unpack
from typing import TypeAlias
from uuid import UUID

import xxhash
from psycopg import sql

from syncline.apps.commerce.mirror.kind import Kind, content_hash
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.mirror.lines import Chunk, Key, keys_of_texts, refuse_nul, sort_lines
from syncline.apps.commerce.mirror.merging import Notice, Rows, merge
from syncline.connectors.shopify.records import MARKERS, Node, decode
from syncline.kernel.errors import Skippable
from syncline.runtime.db.session import Session, WriteSession

_SLICE = 200
"""Lines that are decoded before whoever else waits for the event loop has a turn: about 3 ms."""


@dataclass(slots=True)
class Loaded:
    """What came of one chunk. `seen` holds every distinct key the chunk named, by kind, as array texts of the numbers
    that make it; `unreadable` a sentence for every line that is no record we know. Such a line is missing from the
    mirror, and the reconciliation will say so. `markers` are lines of which nothing is kept."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    markers: int = 0
    unreadable: list[str] = field(default_factory=list)
    seen: dict[str, list[str]] = field(default_factory=dict)

    @property
    def keys(self) -> dict[str, list[Key]]:
        return {kind: keys_of_texts(texts) for kind, texts in self.seen.items()}


Fresh: TypeAlias = tuple[bytes, int, int | None]
"""A line that is not the one last read, its hash, and the hash of what the mirror holds of its record: None for nothing
or a tombstone."""


@dataclass(slots=True)
class Prepared:
    """A chunk that has only to be written. `loaded` says all that is known before that."""

    loaded: Loaded
    rows: list[Rows] = field(default_factory=list)


async def look_up(session: Session, store_id: UUID, chunk: Chunk) -> dict[str, list[Fresh]]:
    """The lines of each kind that have to be looked at."""
    return {
        name: await _fresh(session, store_id, KINDS[name], chunk.texts[name], list(group.values()))
        for name, group in chunk.groups.items()
        if name not in MARKERS
    }


async def _fresh(
    session: Session, store_id: UUID, kind: Kind, keys: Sequence[str], lines: Sequence[bytes]
) -> list[Fresh]:
    hashes = unpack(f">{len(lines)}q", b"".join(map(xxhash.xxh3_64_digest, lines)))
    values = [store_id, *keys, "{" + ",".join(map(str, hashes)) + "}", session.tenant_id]
    driver = await session.driver()
    cursor = await driver.execute(differing(kind), values, binary=True)
    return [(lines[place - 1], hashes[place - 1], content) for place, content in await cursor.fetchall()]


@lru_cache(maxsize=64)
def differing(kind: Kind) -> sql.Composed:
    """Which of the keys have another line hash than the one given, are tombstones or are not there."""
    names = sql.SQL(", ").join(map(sql.Identifier, kind.key))
    # `offset 0` keeps it a look-up per row, and the store that is no constant keeps it one by the whole key: of a store
    # that came after the last ANALYZE the planner thinks that it has no rows, so that any index that begins with the
    # store would do. One chunk then took 10 s instead of 15 ms.
    return sql.SQL(
        "with this as materialized (select %s::uuid as store_id)"
        " select k.place, case when not found.is_gone then found.content_hash end"
        " from this, unnest({wanted}, %s::bigint[]) with ordinality as k({names}, line_hash, place) left join lateral ("
        " select m.line_hash, m.content_hash, m.deleted_at is not null as is_gone from {table} m"
        " where m.store_id = this.store_id and m.tenant_id = %s and {same} offset 0) as found on true"
        " where found.is_gone is not false or found.line_hash <> k.line_hash"
    ).format(
        wanted=sql.SQL(", ").join(sql.SQL("%s::bigint[]") for _ in kind.key),
        names=names,
        table=sql.Identifier("commerce", kind.table.name),
        same=sql.SQL(" and ").join(sql.SQL("m.{0} = k.{0}").format(sql.Identifier(name)) for name in kind.key),
    )


async def prepare(chunk: Chunk, fresh: Mapping[str, Sequence[Fresh]]) -> Prepared:
    """Decode what has to be looked at. Needs no database, and lets others have the event loop now and then."""
    loaded = Loaded(chunk.read, duplicates=chunk.duplicates, unreadable=list(chunk.unreadable), seen=chunk.texts)
    prepared = Prepared(loaded)
    for name, group in chunk.groups.items():
        if name in MARKERS:
            loaded.markers += len(group)
            continue
        rows = Rows(KINDS[name])
        before = len(loaded.unreadable)
        lines = fresh[name]
        for start in range(0, len(lines), _SLICE):
            _decode_slice(lines[start : start + _SLICE], rows, loaded.unreadable)
            await asyncio.sleep(0)
        # What is written after all is taken from these again.
        loaded.unchanged += len(group) - (len(loaded.unreadable) - before)
        if rows.contents:
            prepared.rows.append(rows)
    return prepared


def _decode_slice(lines: Sequence[Fresh], rows: Rows, unreadable: list[str]) -> None:
    kind = rows.kind
    for line, line_hash, stored in lines:
        try:
            refuse_nul(line)
            node = decode(line, kind.name)
        except Skippable as error:
            unreadable.append(str(error))
            continue
        content = kind.content(node)
        digest = content_hash(content)
        if stored == digest:
            rows.same += 1
        rows.add(node, (*content, kind.version(node), line_hash, digest))


async def store(
    session: WriteSession, store_id: UUID, prepared: Prepared, *, read_from: datetime, notice: Notice | None = None
) -> Loaded:
    """Write a prepared chunk. `read_from` is the store's own time at which the reading began: what was deleted before
    it and is named by it is alive again; what was deleted after it stays deleted."""
    loaded = prepared.loaded
    for rows in prepared.rows:
        if notice is not None:
            await notice(session, store_id, rows)
        inserted, rewritten = await merge(session, store_id, rows, read_from=read_from)
        # A row whose content is what it was is written for its new line hash only.
        updated = max(0, rewritten - rows.same)
        loaded.inserted += inserted
        loaded.updated += updated
        loaded.unchanged -= inserted + updated
    return loaded


async def load_lines(
    session: WriteSession,
    store_id: UUID,
    stream: str,
    lines: Iterable[bytes],
    *,
    read_from: datetime,
    notice: Notice | None = None,
) -> Loaded:
    """All four steps in one transaction, for lines of one stream."""
    chunk = sort_lines(lines, stream)
    prepared = await prepare(chunk, await look_up(session, store_id, chunk))
    return await store(session, store_id, prepared, read_from=read_from, notice=notice)


async def load_nodes(
    session: WriteSession, store_id: UUID, kind: Kind, nodes: Sequence[Node], *, read_from: datetime
) -> int:
    """Load records that were read one by one; returns how many. Their lines are not known, so the next pull looks at
    them."""
    rows = Rows(kind)
    for node in nodes:
        content = kind.content(node)
        rows.add(node, (*content, kind.version(node), 0, content_hash(content)))
    if rows.contents:
        await merge(session, store_id, rows, read_from=read_from)
    return len(rows.contents)


async def refresh_statistics(session: WriteSession) -> None:
    """Have the planner look at the mirror's tables again."""
    driver = await session.driver()
    await driver.execute("select commerce.analyze_mirror()")
