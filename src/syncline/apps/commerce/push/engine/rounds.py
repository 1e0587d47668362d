"""One round of a worker: for the changes of some products compare, write down what will be sent, send, write down what
came of it.

The order is what makes it safe to kill. A change is `sending` only after its before-image is committed, so after a
crash each `sending` change is read back: the wanted value is there (it arrived), the before-image is there (it was
lost; the same attempt is made again), or something else is there (a conflict). Nothing is sent twice that arrived once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import structlog

from syncline.apps.commerce.contract import ChangeStatus
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.metrics import CHANGES
from syncline.apps.commerce.mirror.applying import Applied, apply_to_mirror
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.values import pick
from syncline.apps.commerce.push import repository
from syncline.apps.commerce.push.calls import calls_of, first_of_each_record
from syncline.apps.commerce.push.ends import Ready, read_back, refused_with, without_write
from syncline.apps.commerce.push.engine import repository as claims
from syncline.apps.commerce.push.engine.naive import naive_cost
from syncline.apps.commerce.push.engine.repository import Unit
from syncline.apps.commerce.push.mirroring_wholes import bury_deleted, load_made, made_by
from syncline.apps.commerce.push.reading import read_now
from syncline.apps.commerce.push.repository import End, PushRow
from syncline.apps.commerce.push.sending import Sender
from syncline.apps.commerce.push.telling import PushTelling
from syncline.apps.commerce.push_contract import PushCost
from syncline.apps.commerce.staging.repository import ChangeRow
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.packing import Spent, packing
from syncline.connectors.shopify.results import NO_ANSWER
from syncline.kernel.errors import ConnectorOutcome, Skippable, Unavailable
from syncline.kernel.tenant import TenantId
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession

log = structlog.get_logger(__name__)

_SETTLE_DELAY = 1.0
"""Seconds to leave a request whose answer never came before its effect is looked for."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all workers of a push in this process work with."""

    database: Database
    tenant_id: TenantId
    client: ShopifyClient
    currency: str
    run: PushRow
    telling: PushTelling


@dataclass(slots=True)
class Tally:
    """What a worker's rounds came to. `unknown` calls had no answer; `write_points` are those of the last round."""

    settled: int = 0
    failed: int = 0
    unknown: int = 0
    write_points: float = 0.0


@dataclass(slots=True)
class Round:
    """`units` are claimed by `worker_id` for as long as the round lasts. `say` is told what is being done. `made` are
    the products that it brought into the store and the mirror does not have yet."""

    bench: Bench
    worker_id: UUID
    units: Sequence[Unit]
    floor: float
    tally: Tally
    say: Any
    spent: Spent = field(default_factory=Spent)
    made: list[int] = field(default_factory=list)

    async def run(self) -> None:
        """Raises what keeps the push from going on, after what was under way has been written down."""
        await self._recover()
        ready = await self._prepare(await self._changes(ChangeStatus.APPROVED))
        if ready:
            await self._send(ready)
        await self._close()

    async def _changes(self, status: ChangeStatus) -> Sequence[ChangeRow]:
        async with self.bench.database.reading(self.bench.tenant_id) as session:
            return await claims.list_changes(session, self.bench.run, self.units, status)

    # What a crash or a lost answer left in the air.

    async def _recover(self) -> None:
        changes = await self._changes(ChangeStatus.SENDING)
        if not changes:
            return
        self.say("reading", f"reads back {len(changes):,} changes whose answer never came")
        async with self.bench.database.reading(self.bench.tenant_id) as session:
            sent_over = await repository.find_sent_over(session, changes)
        # An image has no id of its own before it is there: what was there before it tells which one is new.
        now = await self._read([replace(one, before=sent_over.get(one.id, one.before)) for one in changes])
        async with self.bench.database.writing(self.bench.tenant_id) as session:
            await claims.hold(session, self.worker_id)
            ends: list[End] = []
            lost: list[ChangeRow] = []
            for change in changes:
                before = sent_over.get(change.id, change.before)
                end = read_back(change, before, now[change.id])
                if end is None:
                    lost.append(change)
                else:
                    ends.append(End(change, end, before))
            await self._settle(session, ends)
            if lost:
                await repository.put_back(session, lost)

    async def _read(self, changes: Sequence[ChangeRow]) -> Any:
        async with packing(self.bench.client, floor=self.floor) as pack:
            now = await read_now(self.bench.client, self.bench.currency, changes)
        self._count(pack.spent)
        return now

    def _count(self, spent: Spent) -> None:
        self.spent.calls += spent.calls
        self.spent.requests += spent.requests
        self.spent.requested += spent.requested
        self.spent.actual += spent.actual

    # The work itself.

    async def _prepare(self, changes: Sequence[ChangeRow]) -> list[Ready]:
        """Compare with the store; settle what needs no write; write down the rest as sending."""
        changes = first_of_each_record(changes)
        if not changes:
            return []
        self.say("reading", f"compares {_counted(len(changes), 'change')} of {_counted(len(self.units), 'product')}")
        now = await self._read(changes)
        ready: list[Ready] = []
        ends: list[End] = []
        for change in map(_next_attempt, changes):
            state = now[change.id]
            settled = without_write(change, state)
            if settled is not None:
                ends.append(End(change, settled, change.before if state is None else pick(state, list(change.after))))
            elif state is not None:
                ready.append(Ready(change, state))
        async with self.bench.database.writing(self.bench.tenant_id) as session:
            await claims.hold(session, self.worker_id)
            await self._settle(session, ends)
            still = await repository.mark_sending(session, self.bench.run, [(one.change, one.before) for one in ready])
            await repository.add_cost(session, self.bench.run.id, naive_cost(changes))
        return [one for one in ready if one.change.id in still]

    async def _send(self, ready: Sequence[Ready]) -> None:
        """All calls in as few requests as they fit in. What has no answer when this ends, however it ends, is read back
        later: one call of several may have been carried out before another failed."""
        self.say("writing", f"writes {_counted(len(ready), 'change')} of {_counted(len(self.units), 'product')}")
        async with packing(self.bench.client, floor=self.floor) as pack:
            found = await asyncio.gather(*(self._call(send, members) for send, members in calls_of(ready)))
        self._count(pack.spent)
        self.tally.write_points = pack.spent.requested
        self.say("recording", f"writes down what came of {_counted(len(ready), 'change')}")
        ends = [end for answered, _ in found for end in answered]
        async with self.bench.database.writing(self.bench.tenant_id) as session:
            await claims.hold(session, self.worker_id)
            await self._settle(session, ends)
        if troubles := [trouble for _, trouble in found if trouble is not None]:
            await self._close()
            raise ExceptionGroup("the push did not get through", troubles)
        if len(ends) < len(ready):
            await asyncio.sleep(_SETTLE_DELAY)
            await self._recover()

    async def _call(self, send: Sender, members: Sequence[Ready]) -> tuple[list[End], Exception | None]:
        """The ends of one call, and what went wrong with it beyond its own changes."""
        try:
            ends = await send(self.bench.client, self.bench.currency, members)
        except OutcomeUnknown as error:
            log.warning("push.outcome_unknown", product_id=members[0].change.product_id, reason=error.detail)
            self.tally.unknown += 1
            return [], None
        except Skippable as error:
            ends = [refused_with(one.change, error.vendor_code, error.sentence) for one in members]
        except (ConnectorOutcome, Unavailable) as error:
            return [], error
        both = zip(members, ends, strict=True)
        answered = [End(one.change, end, one.before) for one, end in both if end.vendor_code != NO_ANSWER]
        self.tally.unknown += len(answered) < len(members)
        return answered, None

    async def _settle(self, session: WriteSession, ends: Sequence[End]) -> None:
        await repository.settle(session, self.bench.run, ends)
        applied = [
            Applied(
                owner=Owner(end.change.kind),
                key=_key(end.change),
                values=end.settled.after,
                updated_at=end.settled.store_updated_at,
            )
            for end in ends
            if end.settled.status is ChangeStatus.APPLIED
            and not end.settled.is_overtaken
            and end.change.kind != Owner.WHOLE_PRODUCT
        ]
        moment = self.bench.client.store_now()
        await apply_to_mirror(session, self.bench.run.store_id, applied, moment=moment)
        await bury_deleted(session, self.bench.run.store_id, ends, moment=moment)
        self.made += made_by(ends)
        await self.bench.telling.settled(session, self.bench.run, ends)
        self.tally.settled += len(ends)
        self.tally.failed += sum(end.settled.status is not ChangeStatus.APPLIED for end in ends)
        for end in ends:
            CHANGES.labels(outcome=end.settled.outcome).inc()

    async def _close(self) -> None:
        """The units are given up, and what the round cost is added to the run, in one transaction."""
        made, self.made = self.made, []
        await load_made(self.bench.database, self.bench.tenant_id, self.bench.client, self.bench.run.store_id, made)
        cost = PushCost(requests=self.spent.requests, requested=self.spent.requested, charged=self.spent.actual)
        self.spent = Spent()
        async with self.bench.database.writing(self.bench.tenant_id) as session:
            await claims.hold(session, self.worker_id)
            await claims.release(session, self.bench.run, self.worker_id, self.units)
            await repository.add_cost(session, self.bench.run.id, cost)


def _key(change: ChangeRow) -> Key:
    if change.kind == Owner.PRODUCT_IMAGE:
        return (change.product_id, change.resource_id)
    if change.kind == Owner.COLLECTION_MEMBERSHIP:
        return (change.resource_id, change.product_id)
    return (change.resource_id,) if change.location_id is None else (change.resource_id, change.location_id)


def _next_attempt(change: ChangeRow) -> ChangeRow:
    return replace(change, attempt=change.attempt + 1)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
