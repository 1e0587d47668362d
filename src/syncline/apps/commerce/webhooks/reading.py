"""Records of which webhooks told only a part, read from their store: many at once, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text

from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.inbound.noticing import notice_for
from syncline.apps.commerce.mirror.kinds import INVENTORY_LEVEL, KINDS, kinds_of
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.loading import load_lines, load_nodes
from syncline.apps.commerce.mirror.positions import place
from syncline.apps.commerce.mirror.tombstones import bury_by_key
from syncline.apps.commerce.webhooks.mirroring import bury, children_of
from syncline.connectors.shopify import actions
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.reads import read_families
from syncline.connectors.shopify.streams import INVENTORY
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session, WriteSession

AT_ONCE: Final = 200
_ROOTS: Final[Mapping[str, str]] = {
    "products": "product",
    "orders": "order",
    "customers": "customer",
    "collections": "collection",
    "inventory_items": "inventory_item",
}
"""Streams whose root is a record of the mirror: what the store does not answer to is gone."""

_DUE = text("""
    SELECT number, second, asked_at FROM commerce.webhook_reading
    WHERE tenant_id = :tenant AND store_id = :store AND stream = :stream AND due_at <= :now
    ORDER BY due_at, number, second LIMIT :limit
""")
_STREAMS = text("""
    SELECT stream FROM commerce.webhook_reading
    WHERE tenant_id = :tenant AND store_id = :store AND due_at <= :now GROUP BY stream ORDER BY min(due_at), stream
""")
# What was asked for again while it was read is read again.
_DONE = text("""
    DELETE FROM commerce.webhook_reading r
    USING unnest(CAST(:numbers AS bigint[]), CAST(:seconds AS bigint[]), CAST(:asked AS timestamptz[]))
        AS t (number, second, asked_at)
    WHERE r.tenant_id = :tenant AND r.store_id = :store AND r.stream = :stream
      AND r.number = t.number AND r.second = t.second AND r.asked_at <= t.asked_at
""")
_LATER = text("""
    UPDATE commerce.webhook_reading SET attempts = attempts + 1, reason = :reason, due_at = :due
    WHERE tenant_id = :tenant AND store_id = :store AND stream = :stream AND due_at <= :now
""")
_NEXT = text("SELECT min(due_at) FROM commerce.webhook_reading WHERE tenant_id = :tenant AND store_id = :store")


@dataclass(frozen=True, slots=True)
class Wanted:
    number: int
    second: int
    asked_at: datetime


async def due_streams(session: Session, store_id: UUID) -> Sequence[str]:
    values = {"tenant": session.tenant_id, "store": store_id, "now": clock.now()}
    return (await session.scalars(_STREAMS, values)).all()


async def next_due(session: Session, store_id: UUID) -> datetime | None:
    moment: datetime | None = await session.scalar(_NEXT, {"tenant": session.tenant_id, "store": store_id})
    return moment


async def put_off(session: WriteSession, store_id: UUID, stream: str, reason: str, wait: timedelta) -> None:
    """The store cannot be asked now; why is kept with what waits."""
    now = clock.now()
    values = {"tenant": session.tenant, "store": store_id, "stream": stream, "now": now, "due": now + wait}
    await session.execute(_LATER, {**values, "reason": reason[:2_000]})


class StoreReader:
    """Reads what waits of one store. What it wrote is committed with what it took off the list."""

    def __init__(self, database: Database, tenant_id: TenantId, client: ShopifyClient, store: Store) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._client = client
        self._store = store
        self._notice = notice_for(store, run_id=new_id(), what="webhook")

    async def read(self, stream: str) -> int:
        """One slice of a stream; answers how many records, 0 when none is due. Raises the connector's outcomes."""
        async with self._database.reading(self._tenant_id) as session:
            values = {"tenant": session.tenant_id, "store": self._store.id, "stream": stream, "now": clock.now()}
            rows = await session.execute(_DUE, {**values, "limit": AT_ONCE})
            wanted = [Wanted(*row) for row in rows]
        if not wanted:
            return 0
        if stream == INVENTORY.name:
            await self._levels(stream, wanted)
        else:
            await self._families(stream, wanted)
        return len(wanted)

    async def _families(self, stream: str, wanted: Sequence[Wanted]) -> None:
        read_from = self._client.store_now()
        families = await read_families(self._client, stream, [one.number for one in wanted])
        lines = [line for family in families.values() for line in family]
        gone = [number for number, family in families.items() if not family]
        async with self._database.writing(self._tenant_id) as session:
            loaded = await load_lines(session, self._store.id, stream, lines, read_from=read_from, notice=self._notice)
            for kind in (one for one in kinds_of(stream) if one.is_placed):
                await place(session, self._store.id, kind, loaded.keys.get(kind.name, []))
            await self._bury_unnamed(session, stream, set(families) - set(gone), loaded.keys, read_from)
            if stream in _ROOTS and gone:
                await bury(session, self._store.id, {_ROOTS[stream]: [(one,) for one in gone]}, moment=read_from)
            await self._done(session, stream, wanted)

    async def _bury_unnamed(
        self,
        session: WriteSession,
        stream: str,
        owners: set[int],
        named: Mapping[str, Sequence[Key]],
        moment: datetime,
    ) -> None:
        """A record comes with all that hangs on it, so what it came without is gone."""
        for kind in kinds_of(stream):
            root = next((one for one in kind.parents if (one.seen_as or one.kind) in _whole(stream)), None)
            if root is None or root.only is not None:
                continue
            there = await children_of(session, self._store.id, kind, root.column, sorted(owners))
            gone = sorted(set(there) - set(named.get(kind.name, ())))
            await bury_by_key(session, self._store.id, kind, gone, moment=moment)

    async def _levels(self, stream: str, wanted: Sequence[Wanted]) -> None:
        read_from = self._client.store_now()
        found = await actions.read_levels(self._client, [(one.number, one.second) for one in wanted])
        there = [node for node in found.values() if node is not None]
        gone = [key for key, node in found.items() if node is None]
        async with self._database.writing(self._tenant_id) as session:
            await load_nodes(session, self._store.id, INVENTORY_LEVEL, there, read_from=read_from)
            await bury_by_key(session, self._store.id, INVENTORY_LEVEL, gone, moment=read_from)
            await self._done(session, stream, wanted)

    async def _done(self, session: WriteSession, stream: str, wanted: Sequence[Wanted]) -> None:
        values = {
            "tenant": session.tenant,
            "store": self._store.id,
            "stream": stream,
            "numbers": [one.number for one in wanted],
            "seconds": [one.second for one in wanted],
            "asked": [one.asked_at for one in wanted],
        }
        await session.execute(_DONE, values)


def _whole(stream: str) -> frozenset[str]:
    """The kinds of line by which the roots of a stream are seen."""
    own = {kind.name for kind in kinds_of(stream) if not kind.parents}
    return frozenset({*own, *(f"{name}_ref" for name in KINDS)})
