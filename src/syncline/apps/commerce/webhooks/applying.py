"""A batch of stored webhooks into the mirror: what each says, what of it is news, and all of it in one transaction with
the states of their rows. So each is applied once, however often a worker dies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.inbound.noticing import notice_for
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.webhook_contract import WebhookOutcome
from syncline.apps.commerce.webhooks import claims, handing
from syncline.apps.commerce.webhooks.claims import Claimed, Settled
from syncline.apps.commerce.webhooks.mirroring import Held, bury, bury_others, look_up, products_of_items, write
from syncline.apps.commerce.webhooks.told import Reading, Tidings, Told, decode
from syncline.apps.commerce.webhooks.topics import READERS
from syncline.kernel.errors import Skippable
from syncline.kernel.ids import new_id
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import WriteSession

Said = tuple[Claimed, Tidings]


@dataclass(slots=True)
class _News:
    """What a batch changes."""

    settled: list[Settled] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    gone: dict[datetime, dict[str, list[Key]]] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    left: list[tuple[Claimed, Tidings]] = field(default_factory=list)
    buried: dict[tuple[str, Key], datetime] = field(default_factory=dict)


async def apply(session: WriteSession, runtime: Runtime, store: Store, claimed: Sequence[Claimed]) -> list[Settled]:
    """In the caller's transaction. Raises `Skippable` for a body that nobody can read, and whatever else goes wrong
    with one of them; then nothing of the batch is kept."""
    mine = await claims.hold(session, [one.id for one in claimed])
    news = _News()
    said: list[Said] = []
    for one in claimed:
        if one.id not in mine:
            continue  # somebody else settled it: its lease was over
        if one.body is None:
            raise Skippable("What the webhook carried is not kept any more.")
        reader, hand_on = READERS.get(one.topic), handing.HANDED.get(one.topic)
        if reader is not None:
            said.append((one, reader(decode(one.body))))
        elif hand_on is not None:
            await hand_on(session, runtime, store, one, decode(one.body))
            news.settled.append(Settled(one.id, WebhookOutcome.HANDED_ON))
        else:
            news.settled.append(Settled(one.id, WebhookOutcome.NOT_HANDLED))
    await _decide(session, store.id, said, news)
    await _carry_out(session, store, news)
    await claims.settle(session, news.settled)
    return news.settled


async def _decide(session: WriteSession, store_id: UUID, said: Sequence[Said], news: _News) -> None:
    same = dict(await claims.list_same(session, store_id, [tidings.number for _, tidings in said]))
    held: dict[tuple[str, Key], Held] = {}
    for name in {tidings.kind for _, tidings in said}:
        keys = [_own(tidings) for _, tidings in said if tidings.kind == name]
        found = await look_up(session, store_id, KINDS[name], [key for key in keys if key is not None])
        held.update({(name, key): one for key, one in found.items()})
    latest: dict[tuple[str, Key], datetime] = {
        record: one.version for record, one in held.items() if one.version is not None
    }
    # The latest first: of several states of one record in a batch only the last is written.
    in_order = sorted(said, key=lambda one: (one[1].version or one[0].received_at, one[0].received_at), reverse=True)
    for event, tidings in in_order:
        outcome = _outcome(event, tidings, held, latest, same, news)
        news.settled.append(Settled(event.id, outcome, tidings.kind, tidings.number, tidings.version))
        if outcome is WebhookOutcome.WRITTEN:
            record = (tidings.kind, tidings.number)
            same[record] = same.get(record, frozenset()) | {event.body_hash}
            news.told.extend(tidings.told)
            news.left.append((event, tidings))
            news.readings.extend(tidings.readings)


def _outcome(
    event: Claimed,
    tidings: Tidings,
    held: Mapping[tuple[str, Key], Held],
    latest: dict[tuple[str, Key], datetime],
    same: Mapping[tuple[str, int], frozenset[int]],
    news: _News,
) -> WebhookOutcome:
    if tidings.buried:
        moment = event.triggered_at or event.received_at
        for name, key in tidings.buried:
            news.gone.setdefault(moment, {}).setdefault(name, []).append(key)
            news.buried[name, key] = moment
        return WebhookOutcome.BURIED
    own = _own(tidings)
    if own is None:
        return WebhookOutcome.WRITTEN
    record = (tidings.kind, own)
    known = held.get(record)
    gone_at = news.buried.get(record) or (None if known is None else known.gone_at)
    if gone_at is not None and (tidings.version is None or tidings.version <= gone_at):
        return WebhookOutcome.GONE
    if event.body_hash in same.get((tidings.kind, tidings.number), ()):
        return WebhookOutcome.REPEATED
    if tidings.version is not None:
        if record in latest and tidings.version < latest[record]:
            return WebhookOutcome.OLDER
        latest[record] = tidings.version
    return WebhookOutcome.WRITTEN


def _own(tidings: Tidings) -> Key | None:
    """The key of the record it is about; None where only a reading is asked for, or it is gone."""
    return tidings.told[0].key if tidings.told else None


async def _carry_out(session: WriteSession, store: Store, news: _News) -> None:
    notice = notice_for(store, run_id=new_id(), what="webhook")
    await write(session, store.id, list(reversed(news.told)), notice=notice)
    for event, tidings in news.left:
        moment = tidings.version or event.received_at
        for name, left in tidings.only.items():
            await bury_others(session, store.id, KINDS[name], tidings.number, left, moment=moment)
    for moment, gone in news.gone.items():
        await bury(session, store.id, gone, moment=moment)
    items = [tidings.number for _, tidings in news.left if tidings.kind == "inventory_item"]
    if items:
        news.readings += [("products", one, 0) for one in await products_of_items(session, store.id, items)]
    await claims.ask_for(session, store.id, news.readings)
