"""Store against mirror: how many, which, and, when asked, whether every value is the same. Differences are mended and
the comparison is made again; what then still differs is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from syncline.apps.commerce.contract import KindCount, Reconciliation
from syncline.apps.commerce.metrics import DIFFERENCES
from syncline.apps.commerce.mirror import repository as mirror
from syncline.apps.commerce.mirror.kinds import INVENTORY_LEVEL, KINDS, LOCATION, PRODUCT, VARIANT, Kind
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.reconcile import repository
from syncline.apps.commerce.reconcile.compare import Difference, compare
from syncline.apps.commerce.reconcile.reading import contents_of_stream, ids_of_kind
from syncline.apps.commerce.reconcile.repair import repair
from syncline.apps.commerce.stores.connection import client_of
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.connectors.shopify import streams
from syncline.connectors.shopify.client import ShopifyClient
from syncline.kernel.errors import InvalidInput
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime

ROUNDS = 3
"""A store that is edited while it is compared may differ once or twice without anything being wrong."""


class Depth(StrEnum):
    """counts: how many. ids: which. content: every value of every record, read anew by pages."""

    COUNTS = "counts"
    IDS = "ids"
    CONTENT = "content"


@dataclass(slots=True)
class Comparison:
    """One reconciliation in the making."""

    runtime: Runtime
    tenant_id: TenantId
    row: StoreRow
    client: ShopifyClient
    kinds: Sequence[Kind]
    repaired: int = 0
    notes: list[str] = field(default_factory=list)

    async def by_counts(self) -> list[KindCount]:
        """What the store counts against what the mirror holds; and each product's own count of variants."""
        in_store: dict[str, int | None] = {}
        for stream in sorted({kind.stream for kind in self.kinds}):
            in_store |= await streams.count(self.client, streams.STREAMS[stream])
        async with self.runtime.database.reading(self.tenant_id) as session:
            counts = [
                KindCount(
                    kind=kind.name,
                    in_store=in_store.get(kind.name),
                    in_mirror=await mirror.count_kind(session, self.row.store.id, kind),
                )
                for kind in self.kinds
            ]
            wrong = await mirror.find_products_with_wrong_variant_count(session, self.row.store.id, limit=50)
        if wrong and VARIANT in self.kinds:
            self.notes.append(f"{len(wrong)} products say they have more or fewer variants than the mirror holds.")
            counts = [
                KindCount(
                    kind=count.kind,
                    in_store=count.in_store,
                    in_mirror=count.in_mirror,
                    stale=[str(number) for number in wrong] if count.kind == PRODUCT.name else (),
                    stale_count=len(wrong) if count.kind == PRODUCT.name else 0,
                )
                for count in counts
            ]
        return counts

    async def by_records(self, depth: Depth, *, mend: bool) -> list[KindCount]:
        """Record by record, mending and looking again until both sides agree or the rounds are used up."""
        differences = await self._differences(depth)
        rounds = 0
        while mend and rounds < ROUNDS and not all(one.is_none for one in differences):
            for one in differences:
                self.repaired += await repair(
                    self.runtime.database, self.tenant_id, self.client, self.row.store.id, KINDS[one.kind], one
                )
            rounds += 1
            differences = await self._differences(depth)
        return [one.count() for one in differences]

    async def _differences(self, depth: Depth) -> list[Difference]:
        found: list[Difference] = []
        for stream in sorted({kind.stream for kind in self.kinds}, reverse=True):
            kinds = [kind for kind in self.kinds if kind.stream == stream]
            # Stock levels have neither a count nor a list of ids at Shopify: they are always read.
            if depth is Depth.CONTENT or INVENTORY_LEVEL in kinds:
                contents = await contents_of_stream(self.client, stream)
            else:
                contents = {kind.name: await ids_of_kind(self.client, kind) for kind in kinds}
            found += [compare(kind.name, contents.get(kind.name, {}), await self._mirrored(kind)) for kind in kinds]
        return found

    async def _mirrored(self, kind: Kind) -> dict[Key, int]:
        held: dict[Key, int] = {}
        async with self.runtime.database.reading(self.tenant_id) as session:
            async for page in mirror.list_contents(session, self.row.store.id, kind):
                held.update(page)
        return held

    async def store(self, depth: Depth, kinds: Sequence[KindCount], run_id: UUID | None) -> Reconciliation:
        async with self.runtime.database.writing(self.tenant_id) as session:
            made = await repository.add(
                session,
                store_id=self.row.store.id,
                run_id=run_id,
                method=depth.value,
                repaired=self.repaired,
                kinds=kinds,
                notes=self.notes,
            )
            found = await repository.find_reconciliation(session, made)
        DIFFERENCES.labels(agreed="yes" if found is not None and found.agreed else "no").inc()
        if found is None:
            msg = "the reconciliation was written a moment ago"
            raise LookupError(msg)
        return found


ALL = (PRODUCT, VARIANT, LOCATION, INVENTORY_LEVEL)


async def reconcile_after_pull(
    runtime: Runtime, tenant_id: TenantId, row: StoreRow, run_id: UUID, *, names: Sequence[str], incomplete: bool
) -> Reconciliation:
    """Counts of the streams a run read; when they do not agree, or a stream came short, record by record, mended."""
    kinds = [kind for kind in ALL if kind.stream in names]
    async with client_of(runtime, row) as client:
        comparison = Comparison(runtime, tenant_id, row, client, kinds)
        counts = await comparison.by_counts()
        if not incomplete and all(count.agrees for count in counts):
            return await comparison.store(Depth.COUNTS, counts, run_id)
        counts = await comparison.by_records(Depth.IDS, mend=True)
        return await comparison.store(Depth.IDS, counts, run_id)


async def reconcile_store(
    runtime: Runtime, tenant_id: TenantId, row: StoreRow, *, depth: Depth, mend: bool
) -> Reconciliation:
    """The reconciliation a person asks for."""
    async with client_of(runtime, row) as client:
        comparison = Comparison(runtime, tenant_id, row, client, ALL)
        if depth is Depth.COUNTS:
            counts = await comparison.by_counts()
            if not mend or all(count.agrees for count in counts):
                return await comparison.store(depth, counts, None)
            depth = Depth.IDS
        counts = await comparison.by_records(depth, mend=mend)
        return await comparison.store(depth, counts, None)


def depth_of(word: str) -> Depth:
    try:
        return Depth(word)
    except ValueError as error:
        raise InvalidInput(f"There is no depth {word!r}; use counts, ids or content.") from error
