"""A push: for every approved change compare, write down what will be sent, send, write down what came of it.

The order is what makes it safe to kill. A change is `sending` only after its before-image is committed, so after a
crash each `sending` change is read back: the wanted value is there (it arrived), the before-image is there (it was
lost; the same attempt is made again), or something else is there (a conflict). Nothing is sent twice that arrived once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from syncline.apps.commerce.contract import ChangeStatus
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.metrics import CHANGES
from syncline.apps.commerce.mirror.applying import Applied, apply_to_mirror
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.values import pick
from syncline.apps.commerce.persist import weightiest
from syncline.apps.commerce.push import repository
from syncline.apps.commerce.push.ends import Ready, read_back, refused_with, without_write
from syncline.apps.commerce.push.lanes import LANES, Lane, first_of_each_record
from syncline.apps.commerce.push.reading import read_now
from syncline.apps.commerce.push.repository import End, PushRow
from syncline.apps.commerce.push.sending import SENDERS, Sender
from syncline.apps.commerce.push.telling import PushTelling
from syncline.apps.commerce.staging.repository import ChangeRow
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.results import NO_ANSWER
from syncline.kernel.errors import ConnectorOutcome, Retriable, Skippable, Unavailable
from syncline.kernel.tenant import TenantId
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession

log = structlog.get_logger(__name__)

_SETTLE_DELAY = 1.0
"""Seconds to leave a request whose answer never came before its effect is looked for."""


@dataclass(slots=True)
class PushWork:
    """What a worker holds while it pushes."""

    database: Database
    tenant_id: TenantId
    client: ShopifyClient
    currency: str
    concurrency: int
    held: PushRow
    telling: PushTelling
    settled: int = 0
    unknown: int = 0

    async def tell(self, sentence: str) -> None:
        """What the push waits for, for whoever looks at it."""
        async with self.database.writing(self.tenant_id) as session:
            await repository.note_error(session, self.held, sentence)
            await self.telling.wait(session, self.held, sentence)

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
        async for _, changes in self._groups(ChangeStatus.SENDING):
            now = await read_now(self.client, self.currency, changes)
            async with self.database.writing(self.tenant_id) as session:
                await repository.hold(session, self.held)
                sent_over = await repository.find_sent_over(session, changes)
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
        """What is to be sent, in the batches of its lane."""
        async for lane, changes in self._groups(ChangeStatus.APPROVED):
            for ready in lane.batches(await self._prepare(changes)):
                yield ready

    async def _groups(self, status: ChangeStatus) -> AsyncIterator[tuple[Lane, Sequence[ChangeRow]]]:
        for lane in LANES:
            last = -1
            while True:
                async with self.database.reading(self.tenant_id) as session:
                    changes = await repository.list_next(
                        session, self.held.id, kinds=lane.kinds, status=status, after_product=last, products=lane.ahead
                    )
                if not changes:
                    break
                last = changes[-1].product_id
                yield lane, changes

    async def _prepare(self, changes: Sequence[ChangeRow]) -> list[Ready]:
        """Compare with the store; settle what needs no write; write down the rest as sending."""
        changes = first_of_each_record(changes)
        now = await read_now(self.client, self.currency, changes)
        ready: list[Ready] = []
        ends: list[End] = []
        for change in map(_next_attempt, changes):
            state = now[change.id]
            settled = without_write(change, state)
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
        """One batch, kind by kind. What has no answer when this ends, however it ends, is read back by the next look:
        one call of several may have been carried out before another failed."""
        for send, members in _by_sender(ready).items():
            try:
                ends = await send(self.client, self.currency, members)
            except OutcomeUnknown as error:
                log.warning("push.outcome_unknown", product_id=members[0].change.product_id, reason=error.detail)
                self.unknown += 1
                await asyncio.sleep(_SETTLE_DELAY)
                continue
            except Skippable as error:
                ends = [refused_with(one.change, error.vendor_code, error.sentence) for one in members]
            both = zip(members, ends, strict=True)
            answered = [End(one.change, end, one.before) for one, end in both if end.vendor_code != NO_ANSWER]
            self.unknown += len(answered) < len(members)
            async with self.database.writing(self.tenant_id) as session:
                await repository.hold(session, self.held)
                await self._settle(session, answered)

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
            if end.settled.status is ChangeStatus.APPLIED and not end.settled.is_overtaken
        ]
        await apply_to_mirror(session, self.held.store_id, applied, moment=self.client.store_now())
        await self.telling.settled(session, self.held, ends)
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


def _by_sender(ready: Sequence[Ready]) -> dict[Sender, list[Ready]]:
    calls: dict[Sender, list[Ready]] = {}
    for one in sorted(ready, key=lambda one: one.change.kind):
        calls.setdefault(SENDERS[Owner(one.change.kind)], []).append(one)
    return calls


def _key(change: ChangeRow) -> Key:
    if change.kind == Owner.COLLECTION_MEMBERSHIP:
        return (change.resource_id, change.product_id)
    return (change.resource_id,) if change.location_id is None else (change.resource_id, change.location_id)


def _next_attempt(change: ChangeRow) -> ChangeRow:
    return _with_attempt(change, change.attempt + 1)


def _with_attempt(change: ChangeRow, attempt: int) -> ChangeRow:
    values: dict[str, Any] = {name: getattr(change, name) for name in ChangeRow.__dataclass_fields__}
    return ChangeRow(**{**values, "attempt": attempt})
