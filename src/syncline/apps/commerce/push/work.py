"""A push: for every approved change compare, write down what will be sent, send, write down what came of it.

The order is what makes it safe to kill. A change is `sending` only after its before-image is committed, so after a
crash each
`sending` change is read back: the wanted value is there (it arrived), the before-image is there (it was lost; the same
attempt is made again), or something else is there (a conflict). Nothing is sent twice that arrived once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import structlog

from syncline.apps.commerce.contract import ChangeStatus
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.metrics import CHANGES
from syncline.apps.commerce.mirror.applying import Applied, apply_to_mirror
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.values import pick
from syncline.apps.commerce.persist import weightiest
from syncline.apps.commerce.push import repository
from syncline.apps.commerce.push.reading import State, read_now
from syncline.apps.commerce.push.repository import End, PushRow, Settled
from syncline.apps.commerce.push.vendor_fields import answered, product_input, variant_input
from syncline.apps.commerce.push.verdict import Outcome, Verdict, judge, judge_read_back
from syncline.apps.commerce.staging.repository import ChangeRow
from syncline.connectors.shopify import actions
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.results import NO_ANSWER, RowResult
from syncline.kernel.errors import ConnectorOutcome, Retriable, Skippable, Unavailable
from syncline.kernel.tenant import TenantId
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession

log = structlog.get_logger(__name__)

PRODUCTS_AHEAD = 25
"""Products read together before their writes: fewer make more readings, more leave a longer moment between reading and
writing."""

_SETTLE_DELAY = 1.0
"""Seconds to leave a request whose answer never came before its effect is looked for."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A change that is written down as sending, and the record's state it goes over."""

    change: ChangeRow
    now: State

    @property
    def before(self) -> State:
        return pick(self.now, list(self.change.after))


@dataclass(slots=True)
class PushWork:
    """What a worker holds while it pushes."""

    database: Database
    tenant_id: TenantId
    client: ShopifyClient
    currency: str
    concurrency: int
    held: PushRow
    settled: int = 0
    unknown: int = 0

    async def tell(self, sentence: str) -> None:
        """What the push waits for, for whoever looks at it."""
        async with self.database.writing(self.tenant_id) as session:
            await repository.note_error(session, self.held, sentence)

    async def run(self) -> None:
        """Raises the weightiest of what went wrong; what was settled until then stays."""
        try:
            await self._recover()
            while await self._look():
                pass
        except BaseExceptionGroup as group:
            raise weightiest(group) from group

    async def _look(self) -> bool:
        """Once through all that is approved; True when something was settled, so that a next look is worth it."""
        settled, unknown = self.settled, self.unknown
        await self._sweep()
        await self._recover()
        if self.settled == settled and self.unknown > unknown:
            raise Retriable("The store neither answers changes nor carries them out.")
        return self.settled > settled

    # What a crash or a lost answer left in the air.

    async def _recover(self) -> None:
        async for changes in self._groups(ChangeStatus.SENDING):
            now = await read_now(self.client, self.currency, changes)
            async with self.database.writing(self.tenant_id) as session:
                await repository.hold(session, self.held)
                sent_over = await repository.find_sent_over(session, changes)
                ends: list[End] = []
                lost: list[ChangeRow] = []
                for change in changes:
                    before = sent_over.get(change.id, change.before)
                    end = _read_back(change, before, now[change.id])
                    if end is None:
                        lost.append(change)
                    else:
                        ends.append(End(change, end, before))
                await self._settle(session, ends)
                if lost:
                    await repository.put_back(session, lost)

    # The work itself.

    async def _sweep(self) -> None:
        """Send all that is approved. When something goes wrong nothing more is sent, but what is under way is waited
        for: a request that is cut off may still arrive, after its effect was looked for. Raises a group of it all."""
        queue: asyncio.Queue[list[Ready] | None] = asyncio.Queue(maxsize=self.concurrency)
        troubles: list[Exception] = []

        async def send_all() -> None:
            while (ready := await queue.get()) is not None:
                if not troubles:
                    with _kept(troubles):
                        await self._send(ready)

        async with asyncio.TaskGroup() as group:
            senders = [group.create_task(send_all()) for _ in range(self.concurrency)]
            with _kept(troubles):
                async for ready in self._ready():
                    if troubles:
                        break
                    await queue.put(ready)
            for _ in senders:
                await queue.put(None)
        if troubles:
            raise ExceptionGroup("the push did not get through", troubles)

    async def _ready(self) -> AsyncIterator[list[Ready]]:
        """What is to be sent, product by product."""
        async for changes in self._groups(ChangeStatus.APPROVED):
            for _, ready in groupby(await self._prepare(changes), key=lambda one: one.change.product_id):
                yield list(ready)

    async def _groups(self, status: ChangeStatus) -> AsyncIterator[Sequence[ChangeRow]]:
        last = 0
        while True:
            async with self.database.reading(self.tenant_id) as session:
                changes = await repository.list_next(
                    session, self.held.id, status=status, after_product=last, products=PRODUCTS_AHEAD
                )
            if not changes:
                return
            last = changes[-1].product_id
            yield changes

    async def _prepare(self, changes: Sequence[ChangeRow]) -> list[Ready]:
        """Compare with the store; settle what needs no write; write down the rest as sending.

        One change of a record at a time: the next one has to be compared with what the first one leaves.
        """
        changes = _first_of_each_record(changes)
        now = await read_now(self.client, self.currency, changes)
        ready: list[Ready] = []
        ends: list[End] = []
        for change in map(_next_attempt, changes):
            state = now[change.id]
            settled = _without_write(change, state)
            if settled is not None:
                ends.append(End(change, settled, change.before if state is None else pick(state, list(change.after))))
            elif state is not None:
                ready.append(Ready(change, state))
        async with self.database.writing(self.tenant_id) as session:
            await repository.hold(session, self.held)
            await self._settle(session, ends)
            await repository.mark_sending(session, self.held, [(one.change, one.before) for one in ready])
        return ready

    async def _send(self, ready: list[Ready]) -> None:
        """One product's changes, kind by kind. What has no answer when this ends, however it ends, is read back by the
        next look: one call of several may have been carried out before another failed."""
        for kind, group in groupby(sorted(ready, key=lambda one: one.change.kind), key=lambda one: one.change.kind):
            members = list(group)
            try:
                ends = await self._send_kind(Owner(kind), members)
            except OutcomeUnknown as error:
                log.warning("push.outcome_unknown", product_id=members[0].change.product_id, reason=error.detail)
                self.unknown += 1
                await asyncio.sleep(_SETTLE_DELAY)
                continue
            except Skippable as error:
                ends = [_refused(one.change, error.vendor_code, error.sentence) for one in members]
            both = zip(members, ends, strict=True)
            answered = [End(one.change, end, one.before) for one, end in both if end.vendor_code != NO_ANSWER]
            self.unknown += len(answered) < len(members)
            async with self.database.writing(self.tenant_id) as session:
                await repository.hold(session, self.held)
                await self._settle(session, answered)

    async def _send_kind(self, owner: Owner, members: list[Ready]) -> list[Settled]:
        match owner:
            case Owner.PRODUCT:
                return [await self._send_product(one) for one in members]
            case Owner.VARIANT:
                return await self._send_variants(members)
            case Owner.INVENTORY_LEVEL:
                return await self._send_levels(members)

    async def _send_product(self, one: Ready) -> Settled:
        change = one.change
        result = await actions.update_product(self.client, change.resource_id, product_input(change.after, one.now))
        return _end(change, result, self.currency)

    async def _send_variants(self, members: list[Ready]) -> list[Settled]:
        rows = [(one.change.resource_id, variant_input(one.change.after, one.now)) for one in members]
        results = await actions.update_variants(self.client, members[0].change.product_id, rows)
        return [_end(one.change, result, self.currency) for one, result in zip(members, results, strict=True)]

    async def _send_levels(self, members: list[Ready]) -> list[Settled]:
        """Compare-and-swap at Shopify itself: a quantity that moved since it was read is refused, the others are
        set."""
        results = await actions.set_inventory(
            self.client, [_quantity(one) for one in members], idempotency_key=_idempotency_key(members)
        )
        ends = [_end(one.change, result, self.currency) for one, result in zip(members, results, strict=True)]
        stale = [one.change for one, result in zip(members, results, strict=True) if result.is_stale]
        if not stale:
            return ends
        now = await read_now(self.client, self.currency, stale)
        moved = {change.id: _moved(change, now[change.id]) for change in stale}
        return [moved.get(end.change_id, end) for end in ends]

    async def _settle(self, session: WriteSession, ends: Sequence[End]) -> None:
        await repository.settle(session, self.held, ends)
        applied = [
            Applied(
                owner=Owner(end.change.kind),
                key=_key(end.change),
                values=end.settled.after,
                updated_at=end.settled.store_updated_at,
            )
            for end in ends
            if end.settled.status is ChangeStatus.APPLIED
        ]
        await apply_to_mirror(session, self.held.store_id, applied)
        self.settled += len(ends)
        for end in ends:
            CHANGES.labels(outcome=end.settled.outcome).inc()


@contextmanager
def _kept(troubles: list[Exception]) -> Iterator[None]:
    """What may pass, or a person must mend, is kept for the end; anything else stops everything at once."""
    try:
        yield
    except (ConnectorOutcome, Unavailable) as error:
        troubles.append(error)


def _first_of_each_record(changes: Sequence[ChangeRow]) -> list[ChangeRow]:
    records: dict[tuple[str, int, int | None], ChangeRow] = {}
    for change in changes:
        records.setdefault((change.kind, change.resource_id, change.location_id), change)
    return list(records.values())


def _key(change: ChangeRow) -> Key:
    return (change.resource_id,) if change.location_id is None else (change.resource_id, change.location_id)


def _without_write(change: ChangeRow, now: State | None) -> Settled | None:
    """The end of a change that needs no write, or must have none; None when it is to be sent."""
    if now is None:
        return _gone(change)
    verdict = judge(change.before, change.after, now)
    if verdict is Verdict.ALREADY:
        seen = pick(now, list(change.after))
        return Settled(change.id, ChangeStatus.APPLIED, "already", seen, "read before write")
    return _conflict(change, now) if verdict is Verdict.CONFLICT else None


def _read_back(change: ChangeRow, before: State, now: State | None) -> Settled | None:
    """The end of a change whose answer never came; None when it did not arrive and is to be sent again."""
    if now is None:
        return _gone(change)
    outcome = judge_read_back(before, change.after, now)
    if outcome is Outcome.ARRIVED:
        return Settled(change.id, ChangeStatus.APPLIED, "applied", pick(now, list(change.after)), "read-back")
    return _conflict(change, now) if outcome is Outcome.MOVED else None


def _quantity(one: Ready) -> tuple[int, int, int, int | None]:
    change = one.change
    now = one.now.get("available")
    return (
        change.resource_id,
        change.location_id or 0,
        int(str(change.after["available"])),
        int(str(now)) if now is not None else None,
    )


def _idempotency_key(members: Sequence[Ready]) -> str:
    """The same changes at the same attempt have the same key, also after a crash, so Shopify applies them once."""
    named = ",".join(sorted(f"{one.change.id}:{one.change.attempt}" for one in members))
    return str(uuid5(NAMESPACE_OID, named))


def _next_attempt(change: ChangeRow) -> ChangeRow:
    return _with_attempt(change, change.attempt + 1)


def _with_attempt(change: ChangeRow, attempt: int) -> ChangeRow:
    values: dict[str, Any] = {name: getattr(change, name) for name in ChangeRow.__dataclass_fields__}
    return ChangeRow(**{**values, "attempt": attempt})


def _end(change: ChangeRow, result: RowResult[Any], currency: str) -> Settled:
    if not result.ok:
        reason = " ".join(error.message for error in result.errors)
        return _refused(change, next((error.code for error in result.errors if error.code), None), reason)
    updated = datetime.fromisoformat(result.updated_at) if result.updated_at is not None else None
    after = answered(change.after, result.values, currency)
    return Settled(change.id, ChangeStatus.APPLIED, "applied", after, "answer", store_updated_at=updated)


def _moved(change: ChangeRow, now: State | None) -> Settled:
    return _gone(change) if now is None else _conflict(change, now)


def _refused(change: ChangeRow, code: str | None, sentence: str) -> Settled:
    return Settled(change.id, ChangeStatus.FAILED, "refused", {}, "answer", vendor_code=code, sentence=sentence)


def _gone(change: ChangeRow) -> Settled:
    what = change.kind.replace("_", " ")
    sentence = f"The {what} is no longer in the store; reject the change, or pull the store and stage it anew."
    return Settled(change.id, ChangeStatus.FAILED, "gone", {}, "read before write", sentence=sentence)


def _conflict(change: ChangeRow, now: State) -> Settled:
    theirs = pick(now, list(change.after))
    return Settled(
        change.id,
        ChangeStatus.CONFLICT,
        "conflict",
        theirs,
        "read before write",
        sentence="The store's value moved after this change was staged; skip it, overwrite, or merge.",
        theirs=theirs,
    )
