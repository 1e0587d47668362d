"""What webhooks missed: records that the store changed in a span of time, against the mirror. What differs is read
again and written, and for each it is said why no webhook told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from syncline.apps.commerce.metrics import MISSED
from syncline.apps.commerce.mirror import repository as mirror
from syncline.apps.commerce.mirror.kinds import KINDS, kinds_of
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.redaction import list_redacted
from syncline.apps.commerce.pull.repository import find_state
from syncline.apps.commerce.reconcile.compare import Difference, compare
from syncline.apps.commerce.reconcile.reading import InStore, read_stream
from syncline.apps.commerce.reconcile.repair import Repair
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.connection import client_of
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.stores.scopes import readable_streams
from syncline.apps.commerce.webhook_management_contract import CatchUp, Miss, MissedKind
from syncline.apps.commerce.webhook_watch import misses, repository
from syncline.apps.commerce.webhook_watch.reasons import CHANGED, GONE, MISSING, reason_of
from syncline.apps.commerce.webhook_watch.service import tell
from syncline.apps.commerce.webhook_watch.topics import KINDS as TOPICS_OF
from syncline.connectors.shopify import streams
from syncline.connectors.shopify.client import ShopifyClient
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.audit.trail import record
from syncline.runtime.db.session import Session, WriteSession

BY_HAND, ON_SCHEDULE, AFTER_GAP = "by hand", "schedule", "gap"
OVERLAP: Final = timedelta(minutes=5)
DEFAULT_SPAN: Final = timedelta(days=1)
LEVELS: Final = "inventory"

Record = tuple[str, int]
"""Kind and number, as webhooks name records."""


@dataclass(slots=True)
class _Search:
    """One look, stream after stream."""

    runtime: Runtime
    tenant_id: TenantId
    row: StoreRow
    client: ShopifyClient
    since: datetime
    until: datetime
    compared: Counter[str] = field(default_factory=Counter)
    missed: dict[Record, str] = field(default_factory=dict)
    stream_of: dict[str, str] = field(default_factory=dict)
    repaired: int = 0

    async def stream(self, name: str) -> None:
        found = await read_stream(self.client, name, keys_only=False, since=self.since, until=self.until)
        roots = sorted({root for side in found.values() for root in side.roots.values()})
        kind = "inventory_level" if name == LEVELS else next(iter(found))
        self.compared[_root_kind(name)] += len(found[kind].contents) if name == LEVELS else len(roots)
        differences = [
            compare(one, side.contents, await self._mirrored(one, side, roots)) for one, side in found.items()
        ]
        for one in differences:
            await self._note(name, one, found[one.kind])
        roots_of = {one: side.roots for one, side in found.items()}
        await self._mend(name, differences, roots_of)

    async def _mirrored(self, kind: str, side: InStore, roots: Sequence[int]) -> Mapping[Key, int]:
        async with self.runtime.database.reading(self.tenant_id) as session:
            if KINDS[kind].personal:
                # What was emptied of a person stays so: only that it is there is compared.
                emptied = await list_redacted(session, self.row.store.id, KINDS[kind])
                side.contents.update({(one,): None for one in emptied if (one,) in side.contents})
            if KINDS[kind].stream == LEVELS:  # of a place only those levels were read that moved
                return await mirror.find_contents(session, self.row.store.id, KINDS[kind], list(side.contents))
            return await mirror.find_contents_of_roots(session, self.row.store.id, KINDS[kind], roots)

    async def _note(self, stream: str, found: Difference, side: InStore) -> None:
        """Children count as their record: a webhook is about a product, not about its variant."""
        root_kind = _root_kind(stream)
        async with self.runtime.database.reading(self.tenant_id) as session:
            held = await mirror.find_roots(session, self.row.store.id, KINDS[found.kind], found.extra)
        for keys, what in ((found.missing, MISSING), (found.stale, CHANGED), (found.extra, CHANGED)):
            for key in keys:
                number = key[0] if stream == LEVELS else side.roots.get(key) or held.get(key) or key[0]
                is_root = found.kind == root_kind
                self._miss((root_kind, number), what if is_root else CHANGED, stream)

    def _miss(self, one: Record, what: str, stream: str) -> None:
        self.stream_of.setdefault(one[0], stream)
        if self.missed.get(one) != MISSING:
            self.missed[one] = what

    async def _mend(
        self, stream: str, differences: Iterable[Difference], roots: Mapping[str, Mapping[Key, int]]
    ) -> None:
        repair = Repair(self.runtime.database, self.tenant_id, self.client, self.row.store)
        self.repaired += await repair.mend(stream, differences, roots)

    async def deletions(self, readable: Sequence[str]) -> None:
        """Records that the store deleted and the mirror still holds."""
        gone: dict[str, list[Key]] = {}
        async for page in streams.read_deletions(self.client, self.since):
            for one in page:
                if datetime.fromisoformat(one.at) <= self.until and KINDS[one.kind].stream in readable:
                    gone.setdefault(one.kind, []).append((one.id,))
        for kind, keys in gone.items():
            async with self.runtime.database.reading(self.tenant_id) as session:
                numbers = [key[0] for key in keys]
                held = await misses.list_live(session, self.row.store.id, KINDS[kind], numbers)
            stream = KINDS[kind].stream
            for number in held:
                self._miss((kind, number), GONE, stream)
            difference = Difference(kind, 0, len(held), extra=[(number,) for number in held])
            await self._mend(stream, [difference], {kind: {}})


def _root_kind(stream: str) -> str:
    kinds = {"media": "product", "metafields": "product", "refund_lines": "order", LEVELS: "inventory_level"}
    return kinds.get(stream, kinds_of(stream)[0].name)


async def catch_up(
    runtime: Runtime, tenant_id: TenantId, row: StoreRow, *, cause: str, since: datetime | None = None, actor: Actor
) -> CatchUp:
    """Compares, mends, and writes down what was missed. Safe to repeat, also after it stopped half-way: what was mended
    agrees the next time. Raises `InvalidInput` for a store that was never pulled."""
    store, settings = row.store, runtime.settings_of("commerce", CommerceSettings)
    async with runtime.database.reading(tenant_id) as session:
        watch = await repository.find_watch(session, store.id)
        readable = [name for name in readable_streams(store.scopes) if name in TOPICS_OF]
        pulled = [name for name in readable if (await find_state(session, store.id, name)).high_water is not None]
    if not pulled:
        raise InvalidInput(
            f"{store.name} was never pulled, so nothing can have been missed: `syncline pull {store.name}`."
        )
    start = since or _start(watch)
    async with client_of(runtime, row) as client:
        search = _Search(runtime, tenant_id, row, client, start, client.store_now() - settings.webhook_grace)
        for name in pulled:
            await search.stream(name)
        await search.deletions(pulled)
    async with runtime.database.writing(tenant_id) as session:
        found = await _explained(session, search, watch)
        made = _result(search, found, cause)
        await misses.add(session, store.id, made)
        if watch is not None:
            settled = {"gap_since": None, "gap_reason": None} if _covers(watch, start) else {}
            await repository.change_watch(session, store.id, caught_up_at=search.until, **settled)
        if found:
            await _announce(session, row, made, actor)
    return made


def _covers(watch: repository.Watch, start: datetime) -> bool:
    return watch.gap_since is None or start <= watch.gap_since


def _start(watch: repository.Watch | None) -> datetime:
    if watch is None:
        return clock.now() - DEFAULT_SPAN
    known = [one for one in (watch.gap_since, watch.caught_up_at) if one is not None]
    return (min(known) if known else min(watch.registered_at, clock.now() - DEFAULT_SPAN)) - OVERLAP


async def _explained(session: Session, search: _Search, watch: repository.Watch | None) -> list[Miss]:
    store_id = search.row.store.id
    subscribed = {one.topic: one for one in await repository.list_subscriptions(session, store_id)}
    events = await misses.latest_events(session, store_id, list(search.missed), since=search.since)
    found = []
    for (kind, number), what in sorted(search.missed.items()):
        topics = TOPICS_OF.get(search.stream_of[kind], ())
        if what == GONE:
            topics = tuple(f"{topic.partition('/')[0]}/delete" for topic in topics)
        subscription = next((subscribed[topic] for topic in topics if topic in subscribed), None)
        event = events.get((kind, number))
        gap = None if watch is None else watch.gap_since
        reason = reason_of(subscription, event, since=search.since, gap_since=gap)
        found.append(Miss(kind, number, what, reason, event.id if event else None))
    return found


def _result(search: _Search, found: Sequence[Miss], cause: str) -> CatchUp:
    reasons: dict[str, Counter[str]] = {}
    for one in found:
        reasons.setdefault(one.kind, Counter())[one.reason.value] += 1
        MISSED.labels(one.kind, one.reason.value).inc()
    kinds = [
        MissedKind(kind, count, sum(reasons.get(kind, Counter()).values()), dict(reasons.get(kind, Counter())))
        for kind, count in sorted((search.compared + Counter(dict.fromkeys(reasons, 0))).items())
    ]
    kinds += [
        MissedKind(kind, 0, sum(one.values()), dict(one)) for kind, one in reasons.items() if not search.compared[kind]
    ]
    return CatchUp(
        id=new_id(),
        store=search.row.store.name,
        cause=cause,
        since=search.since,
        until=search.until,
        compared=sum(search.compared.values()),
        missed=len(found),
        repaired=search.repaired,
        kinds=kinds,
        sentence=_sentence(found, sum(search.compared.values())),
        ended_at=clock.now(),
        misses=found[: misses.MOST_NAMED],
    )


WORDS: Final = {
    "never_subscribed": "were never subscribed to",
    "subscription_gone": "changed while Shopify had dropped the subscription",
    "not_delivered": "were not delivered",
    "failed": "came and could not be applied yet",
    "given_up": "came and were given up",
    "not_told": "were not told whole",
}


def _sentence(found: Sequence[Miss], compared: int) -> str:
    if not found:
        return f"{compared:,} changed records were compared; webhooks missed none."
    reasons = Counter(one.reason.value for one in found)
    why = ", ".join(f"{count:,} {WORDS[reason]}" for reason, count in reasons.most_common())
    return f"{len(found):,} records were missed and read again: {why}."


async def _announce(session: WriteSession, row: StoreRow, made: CatchUp, actor: Actor) -> None:
    counts = {"compared": made.compared, "missed": made.missed, "repaired": made.repaired}
    await record(
        session,
        actor=actor,
        action="webhooks.caught_up",
        subject=f"store {row.store.name}",
        details={**counts, "cause": made.cause, "sentence": made.sentence},
    )
    await tell(session, row.store, made.sentence, is_well=True, counts=counts, actor=actor)
