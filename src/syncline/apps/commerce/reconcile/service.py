"""Store against mirror: how many, which, and, when asked, whether every value is the same. Differences are mended and
the comparison is made again; what then still differs is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from uuid import UUID

from syncline.apps.commerce.contract import KindCount, Reconciliation
from syncline.apps.commerce.metrics import DIFFERENCES
from syncline.apps.commerce.mirror import repository as mirror
from syncline.apps.commerce.mirror.kind import Link, Parent
from syncline.apps.commerce.mirror.kinds import KINDS, Kind
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.redaction import list_redacted
from syncline.apps.commerce.reconcile import repository
from syncline.apps.commerce.reconcile.compare import Difference, compare
from syncline.apps.commerce.reconcile.reading import InStore, read_stream
from syncline.apps.commerce.reconcile.repair import Repair
from syncline.apps.commerce.stores.connection import client_of
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.stores.scopes import readable_streams
from syncline.connectors.shopify import streams
from syncline.connectors.shopify.client import ShopifyClient
from syncline.kernel.errors import InvalidInput
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import Session

LOOSE_ENDS = 5_000
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
    progress: Callable[[str, int], None] | None = None
    repaired: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def streams(self) -> list[str]:
        """In the order they are read in: products before what hangs on them."""
        return [name for name in streams.STREAMS if any(kind.stream == name for kind in self.kinds)]

    def tell(self, stream: str, records: int) -> None:
        if self.progress is not None:
            self.progress(stream, records)

    async def by_counts(self) -> list[KindCount]:
        """What the store counts against what the mirror holds; and each record's own count of its children."""
        in_store: dict[str, int | None] = {}
        for stream in self.streams:
            self.tell(stream, 0)
            in_store |= await streams.count(self.client, streams.STREAMS[stream])
        async with self.runtime.database.reading(self.tenant_id) as session:
            held = {kind.name: await mirror.count_kind(session, self.row.store.id, kind) for kind in self.kinds}
            wrong = {
                parent.kind: await mirror.find_parents_with_wrong_count(
                    session, self.row.store.id, kind, parent, limit=50
                )
                for kind in self.kinds
                for parent in kind.parents
                if parent.counted_in is not None
            }
        self.notes += [
            f"{len(numbers)} records of kind {name} say they have more or fewer children than the mirror holds."
            for name, numbers in wrong.items()
            if numbers
        ]
        return [
            KindCount(
                kind=name,
                in_store=in_store.get(name),
                in_mirror=count,
                stale=[str(number) for number in wrong.get(name, ())],
                stale_count=len(wrong.get(name, ())),
            )
            for name, count in held.items()
        ]

    async def by_records(self, depth: Depth, *, mend: bool) -> list[KindCount]:
        """Record by record, mending and looking again until both sides agree or the rounds are used up."""
        counts: list[KindCount] = []
        for stream in self.streams:
            counts += await self._stream_by_records(stream, depth, mend=mend)
        return counts

    async def _stream_by_records(self, stream: str, depth: Depth, *, mend: bool) -> list[KindCount]:
        repair = Repair(self.runtime.database, self.tenant_id, self.client, self.row.store)
        found, differences = await self._differences(stream, depth)
        rounds = 0
        while mend and rounds < ROUNDS and not all(one.is_none for one in differences):
            roots = {name: side.roots for name, side in found.items()}
            self.repaired += await repair.mend(stream, differences, roots)
            rounds += 1
            found, differences = await self._differences(stream, depth)
        return [one.count() for one in differences]

    async def _differences(self, stream: str, depth: Depth) -> tuple[dict[str, InStore], list[Difference]]:
        found = await read_stream(
            self.client, stream, keys_only=depth is not Depth.CONTENT, told=partial(self.tell, stream)
        )
        kinds = [kind for kind in self.kinds if kind.stream == stream]
        for kind in kinds:
            await self._overlook_redacted(kind, found[kind.name])
        return found, [compare(kind.name, found[kind.name].contents, await self._mirrored(kind)) for kind in kinds]

    async def _overlook_redacted(self, kind: Kind, side: InStore) -> None:
        """Of a record that was emptied of a person only the key is compared: the store may hold him yet."""
        if not kind.personal:
            return
        async with self.runtime.database.reading(self.tenant_id) as session:
            numbers = await list_redacted(session, self.row.store.id, kind)
        side.contents.update({(number,): None for number in numbers if (number,) in side.contents})

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


@dataclass(frozen=True, slots=True)
class Written:
    """Which records a run of pulls has to look at again: by when the mirror wrote them."""

    by_this_run: datetime
    since_last_run: datetime | None
    """None after a complete reading, which answers for every record."""


async def look_again_at_loose_ends(
    runtime: Runtime, tenant_id: TenantId, row: StoreRow, names: Sequence[str], written: Written
) -> int:
    """The streams of a run are read at different moments: what one of them brought may hang on something, or name
    something, that the other never saw, because it was made after or deleted before. Only the store can say which, so
    it is asked for each. Returns how many records the mirror had missed beside them."""
    found: dict[str, list[Difference]] = {}
    async with runtime.database.reading(tenant_id) as session:
        for kind in (one for one in KINDS.values() if one.stream in names):
            keys = await _loose_ends(session, row.store.id, kind, set(names) - {kind.stream}, written)
            if keys:
                found.setdefault(kind.stream, []).append(Difference(kind.name, 0, len(keys), extra=keys))
    if not found:
        return 0
    async with client_of(runtime, row) as client:
        repair = Repair(runtime.database, tenant_id, client, row.store)
        for stream, differences in found.items():
            await repair.mend(stream, differences, {}, leave_rootless=True)
        return repair.found


async def _loose_ends(session: Session, store_id: UUID, kind: Kind, others: set[str], written: Written) -> list[Key]:
    """What is named, and was not yet there a run ago, may have been deleted since without ever being seen: for that the
    records of the last run are looked at too."""
    since: dict[Parent | Link, datetime | None] = {
        **dict.fromkeys(kind.parents, written.by_this_run),
        **dict.fromkeys(kind.links, written.since_last_run),
    }
    keys: dict[Key, None] = {}
    for end in (one for one in since if KINDS[one.kind].stream in others):
        found = await mirror.find_loose_ends(session, store_id, kind, end, written_since=since[end], limit=LOOSE_ENDS)
        keys |= dict.fromkeys(found)
    return list(keys)


async def reconcile_after_pull(
    runtime: Runtime,
    tenant_id: TenantId,
    row: StoreRow,
    run_id: UUID,
    *,
    names: Sequence[str],
    incomplete: bool,
    repaired: int = 0,
) -> Reconciliation:
    """Counts of the streams a run read; when they do not agree, or a stream came short, record by record, mended."""
    kinds = [kind for kind in KINDS.values() if kind.stream in names]
    async with client_of(runtime, row) as client:
        comparison = Comparison(runtime, tenant_id, row, client, kinds, repaired=repaired)
        counts = await comparison.by_counts()
        if not incomplete and all(count.agrees for count in counts):
            return await comparison.store(Depth.COUNTS, counts, run_id)
        counts = await comparison.by_records(Depth.IDS, mend=True)
        return await comparison.store(Depth.IDS, counts, run_id)


async def reconcile_store(
    runtime: Runtime,
    tenant_id: TenantId,
    row: StoreRow,
    *,
    depth: Depth,
    mend: bool,
    progress: Callable[[str, int], None] | None = None,
) -> Reconciliation:
    """The reconciliation a person asks for: of all that the store's token may read."""
    readable = readable_streams(row.store.scopes)
    kinds = [kind for kind in KINDS.values() if kind.stream in readable]
    async with client_of(runtime, row) as client:
        comparison = Comparison(runtime, tenant_id, row, client, kinds, progress)
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
