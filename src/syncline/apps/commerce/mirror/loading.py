"""Lines from the store into the mirror, one bounded chunk at a time.

For each chunk: the hash of every raw line against the stored one (equal: done), a full decode of what differs, the
hash of its
content against the stored one, COPY of what is left into a temporary table, one merge that refuses older versions. The
caller's transaction holds it all, together with the cursor it writes itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import xxhash
from psycopg import sql

from syncline.apps.commerce.mirror.kinds import KINDS, Content, Kind, content_hash, signed64
from syncline.apps.commerce.mirror.lines import Key, array_texts, key_of
from syncline.apps.commerce.mirror.parts import Collected, collect, write_parts
from syncline.connectors.shopify.records import MARKERS, Node, decode, kind_of
from syncline.kernel import clock
from syncline.kernel.errors import Skippable
from syncline.runtime.db.copy import copy_rows
from syncline.runtime.db.session import WriteSession


@dataclass(slots=True)
class Loaded:
    """What came of one chunk. `keys` holds every distinct key the chunk named, by kind; `unreadable` a sentence for
    every line that is no record we know. Such a line is missing from the mirror, and the reconciliation will say so."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    markers: int = 0
    unreadable: list[str] = field(default_factory=list)
    keys: dict[str, list[Key]] = field(default_factory=dict)


class _Line(NamedTuple):
    raw: bytes
    hash: int


# What the mirror holds of a key: line hash, content hash, whether it is a tombstone.
_Known = tuple[int, int, bool]


def _by_kind(stream: str, lines: Iterable[bytes], loaded: Loaded) -> dict[str, dict[Key, _Line]]:
    """The lines by kind and key. A key named twice keeps the later line: a file that repeats itself is not wrong, and
    the merge's version check has the last word."""
    groups: dict[str, dict[Key, _Line]] = {}
    for raw in lines:
        loaded.read += 1
        try:
            kind = kind_of(raw, stream)
            key = key_of(raw, "own" if kind in MARKERS else KINDS[kind].key_from)
        except Skippable as error:
            loaded.unreadable.append(str(error))
            continue
        group = groups.setdefault(kind, {})
        if key in group:
            loaded.duplicates += 1
        group[key] = _Line(raw, signed64(xxhash.xxh3_64_intdigest(raw)))
    return groups


async def _known(session: WriteSession, store_id: UUID, kind: Kind, keys: Sequence[Key]) -> dict[Key, _Known]:
    driver = await session.driver()
    names = sql.SQL(", ").join(sql.SQL("k.{}").format(sql.Identifier(name)) for name in kind.key)
    same = sql.SQL(" and ").join(sql.SQL("m.{0} = k.{0}").format(sql.Identifier(name)) for name in kind.key)
    # `offset 0` keeps it a look-up by key per row, whatever the planner believes of the table's size.
    query = sql.SQL(
        "select {names}, found.* from unnest({wanted}) as k({keys}), lateral ("
        " select m.line_hash, m.content_hash, m.deleted_at is not null from {table} m"
        " where m.store_id = %s and m.tenant_id = %s and {same} offset 0) as found"
    ).format(
        names=names,
        wanted=sql.SQL(", ").join(sql.SQL("%s::bigint[]") for _ in kind.key),
        keys=sql.SQL(", ").join(map(sql.Identifier, kind.key)),
        table=sql.Identifier("commerce", kind.table.name),
        same=same,
    )
    cursor = await driver.execute(query, [*array_texts(keys), store_id, session.tenant_id])
    width = len(kind.key)
    return {row[:width]: row[width:] for row in await cursor.fetchall()}


def _merge(kind: Kind) -> sql.Composed:
    columns = [*kind.columns, "source_updated_at", "line_hash", "content_hash"]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    sets = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in columns if name not in kind.key
    )
    return sql.SQL(
        "insert into {table} as m (store_id, tenant_id, {names}, synced_at)"
        " select %(store)s, %(tenant)s, {names}, %(now)s from incoming_{kind}"
        " on conflict (store_id, {key}) do update set {sets}, synced_at = excluded.synced_at, deleted_at = null"
        " where (m.source_updated_at is null or excluded.source_updated_at is null"
        "        or excluded.source_updated_at >= m.source_updated_at)"
        "   and (m.deleted_at is null or %(read_from)s > m.deleted_at or excluded.source_updated_at > m.deleted_at)"
        " returning (m.xmax = 0), {key_of_row}"
    ).format(
        table=sql.Identifier("commerce", kind.table.name),
        names=names,
        kind=sql.SQL(kind.name),
        key=sql.SQL(", ").join(map(sql.Identifier, kind.key)),
        key_of_row=sql.SQL(", ").join(sql.Identifier("m", name) for name in kind.key),
        sets=sets,
    )


async def _write(
    session: WriteSession,
    store_id: UUID,
    kind: Kind,
    rows: Sequence[Content],
    parts: Collected,
    *,
    read_from: datetime,
) -> int:
    """COPY and merge; returns how many rows were new. The temporary table is the transaction's own."""
    driver = await session.driver()
    columns = [*kind.columns, "source_updated_at", "line_hash", "content_hash"]
    shape = sql.SQL(
        "create temporary table if not exists {temp} on commit drop as select {names} from {table} with no data"
    ).format(
        temp=sql.Identifier(f"incoming_{kind.name}"),
        names=sql.SQL(", ").join(map(sql.Identifier, columns)),
        table=sql.Identifier("commerce", kind.table.name),
    )
    await driver.execute(shape)
    await copy_rows(session, f"incoming_{kind.name}", columns, rows)
    values = {
        "store": store_id,
        "tenant": session.tenant_id,
        "now": clock.now(),
        "read_from": read_from,
    }
    cursor = await driver.execute(_merge(kind), values)
    written = await cursor.fetchall()
    inserted = sum(bool(is_new) for is_new, *_ in written)
    await driver.execute(sql.SQL("truncate {}").format(sql.Identifier(f"incoming_{kind.name}")))
    if kind.parts:
        await write_parts(session, store_id, kind, parts, written)
    return inserted


async def _load_kind(
    session: WriteSession, store_id: UUID, kind: Kind, group: dict[Key, _Line], loaded: Loaded, *, read_from: datetime
) -> None:
    known = await _known(session, store_id, kind, list(group))
    rows: list[Content] = []
    parts: Collected = {}
    changed = same = 0
    for key, line in group.items():
        before = known.get(key)
        if before is not None and before[0] == line.hash and not before[2]:
            continue
        try:
            node = decode(line.raw, kind.name)
        except Skippable as error:
            loaded.unreadable.append(str(error))
            continue
        content = kind.content(node)
        digest = content_hash(content)
        if before is not None and before[1] == digest and not before[2]:
            same += 1
        elif before is not None:
            changed += 1
        rows.append((*content, kind.version(node), line.hash, digest))
        collect(kind, node, parts)
    inserted = await _write(session, store_id, kind, rows, parts, read_from=read_from) if rows else 0
    loaded.inserted += inserted
    loaded.updated += changed
    loaded.unchanged += len(group) - inserted - changed
    loaded.keys[kind.name] = list(group)


async def load_lines(
    session: WriteSession, store_id: UUID, stream: str, lines: Iterable[bytes], *, read_from: datetime
) -> Loaded:
    """Load one chunk. `read_from` is the store's own time at which the reading began: what was deleted before it and is
    named by it is alive again; what was deleted after it stays deleted."""
    loaded = Loaded()
    for name, group in _by_kind(stream, lines, loaded).items():
        if name in MARKERS:
            loaded.keys[name] = list(group)
            loaded.markers += len(group)
            continue
        await _load_kind(session, store_id, KINDS[name], group, loaded, read_from=read_from)
    return loaded


async def load_nodes(
    session: WriteSession, store_id: UUID, kind: Kind, nodes: Sequence[Node], *, read_from: datetime
) -> int:
    """Load records that were read one by one; returns how many. Their lines are not known, so the next pull looks at
    them."""
    rows: list[Content] = []
    parts: Collected = {}
    for node in nodes:
        content = kind.content(node)
        rows.append((*content, kind.version(node), 0, content_hash(content)))
        collect(kind, node, parts)
    if rows:
        await _write(session, store_id, kind, rows, parts, read_from=read_from)
    return len(rows)


async def refresh_statistics(session: WriteSession) -> None:
    """Have the planner look at the mirror's tables again."""
    driver = await session.driver()
    await driver.execute("select commerce.analyze_mirror()")
