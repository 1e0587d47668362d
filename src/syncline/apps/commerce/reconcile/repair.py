"""Mend what a comparison found: read the named records again with all that hangs on them, load what is there, bury what
is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.inbound.noticing import notice_for
from syncline.apps.commerce.mirror.kinds import INVENTORY_LEVEL, KINDS, LOCATION, kinds_of
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.loading import load_lines, load_nodes
from syncline.apps.commerce.mirror.positions import place
from syncline.apps.commerce.mirror.repository import find_roots
from syncline.apps.commerce.mirror.tombstones import bury_all_orphans, bury_by_key, distrust, empty_links
from syncline.apps.commerce.reconcile.compare import Difference
from syncline.connectors.shopify import actions, ids
from syncline.connectors.shopify.catalog_nodes import LocationNode
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.pages import locations_of
from syncline.connectors.shopify.reads import read_families
from syncline.connectors.shopify.streams import INVENTORY
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database

SLICE = 200


def _slices(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + SLICE] for start in range(0, len(numbers), SLICE))


def keys_of(found: Difference) -> list[Key]:
    return [*found.missing, *found.extra, *found.stale]


class Repair:
    """One stream of one store. Each slice is its own transaction: a crash in between mends the rest next time."""

    def __init__(self, database: Database, tenant_id: TenantId, client: ShopifyClient, store: Store) -> None:
        self.database = database
        self.tenant_id = tenant_id
        self.client = client
        self.store_id = store.id
        self.notice = notice_for(store, run_id=new_id(), what="comparison")
        self.found = 0
        """Records that the mirror did not know at all."""

    async def mend(
        self,
        stream: str,
        found: Iterable[Difference],
        roots: Mapping[str, Mapping[Key, int]],
        *,
        leave_rootless: bool = False,
    ) -> int:
        """How many records were mended. `roots` names, by kind, what the store's records were read with. A record of
        which neither side knows it is gone, unless it is to be left because nobody has asked the store yet."""
        differing = {one.kind: keys_of(one) for one in found if not one.is_none}
        if not differing:
            return 0
        if stream == INVENTORY.name:
            mended = await self._places(differing.get(LOCATION.name, []))
            mended += await self._levels(differing.get(INVENTORY_LEVEL.name, []))
        else:
            grouped = await self._by_root(differing, roots)
            if leave_rootless:
                grouped.pop(None, None)
            mended = await self._families(stream, grouped)
        async with self.database.writing(self.tenant_id) as session:
            await bury_all_orphans(session, self.store_id, moment=self.client.store_now())
            await empty_links(session, self.store_id)
        return mended

    async def _by_root(
        self, differing: Mapping[str, Sequence[Key]], roots: Mapping[str, Mapping[Key, int]]
    ) -> dict[int | None, dict[str, set[Key]]]:
        """The keys by the record they must be read with; None where neither side knows one, and it is simply gone."""
        grouped: dict[int | None, dict[str, set[Key]]] = {}
        for name, keys in differing.items():
            async with self.database.reading(self.tenant_id) as session:
                held = await find_roots(session, self.store_id, KINDS[name], keys)
            for key in keys:
                root = roots.get(name, {}).get(key, held.get(key))
                grouped.setdefault(root, {}).setdefault(name, set()).add(key)
        return grouped

    async def _families(self, stream: str, grouped: dict[int | None, dict[str, set[Key]]]) -> int:
        mended = await self._bury(grouped.pop(None, {}))
        for numbers in _slices(sorted(number for number in grouped if number is not None)):
            read_from = self.client.store_now()
            lines = [line for family in (await read_families(self.client, stream, numbers)).values() for line in family]
            async with self.database.writing(self.tenant_id) as session:
                for name, keys in _merged(grouped[number] for number in numbers).items():
                    await distrust(session, self.store_id, KINDS[name], sorted(keys))
                loaded = await load_lines(
                    session, self.store_id, stream, lines, read_from=read_from, notice=self.notice
                )
                self.found += loaded.inserted
                for kind in (one for one in kinds_of(stream) if one.is_placed):
                    await place(session, self.store_id, kind, loaded.keys.get(kind.name, []))
                for name, keys in _merged(grouped[number] for number in numbers).items():
                    gone = sorted(keys - set(loaded.keys.get(name, [])))
                    await bury_by_key(session, self.store_id, KINDS[name], gone, moment=read_from)
                    mended += len(keys)
        return mended

    async def _bury(self, gone: Mapping[str, set[Key]]) -> int:
        moment = self.client.store_now()
        async with self.database.writing(self.tenant_id) as session:
            return sum(
                [
                    await bury_by_key(session, self.store_id, KINDS[name], sorted(keys), moment=moment)
                    for name, keys in gone.items()
                ]
            )

    async def _places(self, keys: Sequence[Key]) -> int:
        if not keys:
            return 0
        read_from = self.client.store_now()
        known = {ids.number_of(node["id"]): node async for node in locations_of(self.client)}
        there = [msgspec.convert(known[key[0]], LocationNode) for key in keys if key[0] in known]
        gone = [key for key in keys if key[0] not in known]
        async with self.database.writing(self.tenant_id) as session:
            mended = await load_nodes(session, self.store_id, LOCATION, there, read_from=read_from)
            return mended + await bury_by_key(session, self.store_id, LOCATION, gone, moment=read_from)

    async def _levels(self, keys: Sequence[Key]) -> int:
        mended = 0
        for start in range(0, len(keys), SLICE):
            part = keys[start : start + SLICE]
            read_from = self.client.store_now()
            now = await actions.read_levels(self.client, [(key[0], key[1]) for key in part])
            there = [node for node in now.values() if node is not None]
            gone = [key for key in part if now.get((key[0], key[1])) is None]
            async with self.database.writing(self.tenant_id) as session:
                mended += await load_nodes(session, self.store_id, INVENTORY_LEVEL, there, read_from=read_from)
                mended += await bury_by_key(session, self.store_id, INVENTORY_LEVEL, gone, moment=read_from)
        return mended


def _merged(parts: Iterable[Mapping[str, set[Key]]]) -> dict[str, set[Key]]:
    merged: dict[str, set[Key]] = {}
    for part in parts:
        for name, keys in part.items():
            merged.setdefault(name, set()).update(keys)
    return merged
