"""Rows of one kind into the mirror: COPY into a temporary table, and one merge that refuses older versions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias
from uuid import UUID

from psycopg import sql

from syncline.apps.commerce.mirror.kinds import Content, Kind
from syncline.apps.commerce.mirror.parts import Collected, collect, write_parts
from syncline.apps.commerce.mirror.redaction import empty_redacted
from syncline.kernel import clock
from syncline.runtime.db.copy import copy_rows, create_staging
from syncline.runtime.db.session import WriteSession

VERSIONS = ("source_updated_at", "line_hash", "content_hash")


@dataclass(slots=True)
class Rows:
    """Rows of one kind, each key once: the kind's content, version, line hash, content hash; and what is in the lists
    inside the records. `same` counts those whose content is the stored one."""

    kind: Kind
    contents: list[Content] = field(default_factory=list)
    parts: Collected = field(default_factory=dict)
    same: int = 0

    def add(self, node: Any, content: Content) -> None:
        self.contents.append(content)
        collect(self.kind, node, self.parts)


Notice: TypeAlias = Callable[[WriteSession, UUID, Rows], Awaitable[None]]
"""Looks at rows before they are merged, in the same transaction."""


async def merge(session: WriteSession, store_id: UUID, rows: Rows, *, read_from: datetime) -> tuple[int, int]:
    """How many rows were new, and how many stored ones were written again."""
    kind = rows.kind
    if kind.personal:
        rows.contents, rows.parts = await empty_redacted(session, store_id, kind, rows.contents, rows.parts)
    driver = await session.driver()
    columns = [*kind.columns, *VERSIONS]
    staged = await create_staging(session, kind.relation, columns, name=_staged(kind))
    await copy_rows(session, staged, columns, rows.contents)
    values = {"store": store_id, "tenant": session.tenant_id, "now": clock.now(), "read_from": read_from}
    cursor = await driver.execute(_merge(kind), values)
    if kind.parts:
        written = await cursor.fetchall()
        await write_parts(session, store_id, kind, rows.parts, written)
        inserted = sum(is_new for is_new, _ in written)
        updated = len(written) - inserted
    else:
        inserted, updated = await cursor.fetchone() or (0, 0)
    return inserted, updated


def _staged(kind: Kind) -> str:
    return f"incoming_{kind.name}"


@lru_cache(maxsize=64)
def _merge(kind: Kind) -> sql.Composed:
    columns = [*kind.columns, *VERSIONS]
    sets = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in columns if name not in kind.key
    )
    # xmax is zero in a row that was inserted. Each one comes back only where it has parts to write.
    told = "is_new, number" if kind.parts else "count(*) filter (where is_new), count(*) filter (where not is_new)"
    return sql.SQL(
        "with written as (insert into {table} as m (store_id, tenant_id, {names}, synced_at)"
        " select %(store)s, %(tenant)s, {names}, %(now)s from pg_temp.{incoming}"
        " on conflict (store_id, {key}) do update set {sets}, synced_at = excluded.synced_at, deleted_at = null"
        " where (m.source_updated_at is null or excluded.source_updated_at is null"
        "        or excluded.source_updated_at >= m.source_updated_at)"
        "   and (m.deleted_at is null or %(read_from)s > m.deleted_at or excluded.source_updated_at > m.deleted_at)"
        " returning (m.xmax = 0) as is_new, m.{number} as number)"
        " select {told} from written"
    ).format(
        table=sql.Identifier("commerce", kind.table.name),
        names=sql.SQL(", ").join(map(sql.Identifier, columns)),
        incoming=sql.Identifier(_staged(kind)),
        key=sql.SQL(", ").join(map(sql.Identifier, kind.key)),
        sets=sets,
        number=sql.Identifier(kind.key[0]),
        told=sql.SQL(told),
    )
