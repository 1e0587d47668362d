"""Events to Mixpanel, each once.

A batch goes out in three steps: its rows are marked and committed, it is sent, its end is committed. Whoever finds a
marked batch afterwards (a crash, a connection that broke) does not know whether it arrived, and does not guess: it is
looked for in the raw export, and only what is not there waits again. That holds as long as an ingested event shows in
the export after `export_lag`; one that shows later still is sent twice with the same four facts by which Mixpanel's
reports know it, and counts once there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from syncline.apps.outreach.connections import opening
from syncline.apps.outreach.connections import repository as connections
from syncline.apps.outreach.delivery import repository
from syncline.apps.outreach.delivery.repository import DELIVERED, REFUSED, WAITING
from syncline.apps.outreach.settings import OutreachSettings
from syncline.connectors.mixpanel.actions import MOST_EVENTS, Imported, batches, import_events
from syncline.connectors.mixpanel.client import MixpanelClient
from syncline.connectors.mixpanel.errors import TooLarge
from syncline.connectors.mixpanel.streams import count_marks
from syncline.kernel import clock
from syncline.kernel.errors import Fatal, Retriable
from syncline.kernel.ids import new_id
from syncline.runtime.connect.errors import NotProcessed
from syncline.runtime.connect.persist import persist
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs import JobContext, JobQueue
from syncline.runtime.observe.metrics import Counter

log = structlog.get_logger(__name__)

DELIVER_JOB: Final = "outreach.deliver_events"
_LONGEST_SENTENCE = 500
_GAP = timedelta(days=3)
EVENTS = Counter("syncline_outreach_delivery_events_total", "Events for Mixpanel by what became of them.", ["outcome"])


async def ask(session: WriteSession, queue: JobQueue) -> None:
    """Has the tenant's waiting events delivered, if it is connected to Mixpanel."""
    if await connections.find(session, "mixpanel") is not None:
        await queue.enqueue(session, DELIVER_JOB, {}, key="deliver")


async def release_held(session: WriteSession, namespaces: Sequence[str]) -> int:
    """What earlier runs stored without tracking waits from now on. None meaning all."""
    return await repository.release_held(session, namespaces)


@dataclass(slots=True)
class Delivery:
    """The deliveries of one tenant; one at a time, which the job's lock sees to."""

    ctx: JobContext
    client: MixpanelClient
    settings: OutreachSettings
    limit: int = MOST_EVENTS
    """Events in a batch; halved when Mixpanel finds one too large."""

    settled: int = 0
    """Batches whose end was written down."""

    async def run(self) -> None:
        """Until nothing waits, through troubles that pass as long as it gets on. Raises connector outcomes."""
        await persist(self._turn, mark=lambda: self.settled, what="delivery to Mixpanel")

    async def _turn(self) -> None:
        await self.read_back_all()
        senders = (self._send_all() for _ in range(self.settings.delivery_senders))
        # One that fails does not stop the others: what they have under way would have to be read back.
        ended = await asyncio.gather(*senders, return_exceptions=True)
        failed = [one for one in ended if isinstance(one, BaseException)]
        if failed:
            raise min(failed, key=lambda one: isinstance(one, Retriable))

    async def read_back_all(self) -> None:
        """Finds out what became of batches whose end nobody wrote down."""
        async with self.ctx.runtime.database.reading(self.ctx.tenant_id) as session:
            left = await repository.list_open(session)
        for one in left:
            ready = one.sent_at + self.settings.export_lag
            wait = (ready - clock.now()).total_seconds()
            if wait > 0:
                await asyncio.sleep(wait)
            await self._read_back(one.id)

    async def _read_back(self, batch_id: UUID) -> None:
        async with self.ctx.runtime.database.reading(self.ctx.tenant_id) as session:
            sent = await repository.list_outgoing(session, batch_id)
        found, missing = list[str](), list[str]()
        for first, last in ranges({one.day for one in sent}):
            within = [one for one in sent if first <= one.day <= last]
            names = sorted({one.event for one in within})
            there = await count_marks(self.client, first, last, [one.mark for one in within], events=names)
            for one in within:
                (found if there[one.mark] else missing).append(one.key)
        async with self.ctx.runtime.database.writing(self.ctx.tenant_id) as session:
            await repository.settle(session, batch_id, found, DELIVERED)
            await repository.settle_rest(session, batch_id, WAITING)
            await self.ctx.hold(session)
        self.settled += 1
        EVENTS.labels("read_back").inc(len(found))
        log.info("batch read back", batch=str(batch_id), arrived=len(found), missing=len(missing))

    async def _send_all(self) -> None:
        while not await self.ctx.cancelled() and not self.ctx.stopping:
            batch_id = new_id()
            async with self.ctx.runtime.database.writing(self.ctx.tenant_id) as session:
                taken = await repository.take(session, batch_id, self.limit)
                await self.ctx.hold(session)
            if not taken:
                return
            await self._send(batch_id)

    async def _send(self, batch_id: UUID) -> None:
        keys, records = await self._records(batch_id)
        fit = next(batches(records), [])
        sent = keys[: len(fit)]
        if len(sent) < len(keys):
            await self._let_wait(batch_id, keys[len(sent) :])
        try:
            told = await import_events(self.client, fit)
        except TooLarge as error:
            await self._shrink(batch_id, sent, error)
        except (NotProcessed, Fatal):
            await self._return(batch_id)
            raise
        else:
            await self._note(batch_id, sent, told)

    async def _records(self, batch_id: UUID) -> tuple[list[str], list[dict[str, Any]]]:
        """Keys, and what is sent for them: nothing else is kept while it is on its way."""
        async with self.ctx.runtime.database.reading(self.ctx.tenant_id) as session:
            outgoing = await repository.list_outgoing(session, batch_id)
        return [one.key for one in outgoing], [one.record() for one in outgoing]

    async def _let_wait(self, batch_id: UUID, rest: Sequence[str]) -> None:
        """More than Mixpanel takes at once, by their size."""
        async with self.ctx.runtime.database.writing(self.ctx.tenant_id) as session:
            await repository.settle(session, batch_id, rest, WAITING)
            await self.ctx.hold(session)

    async def _shrink(self, batch_id: UUID, sent: Sequence[str], error: TooLarge) -> None:
        """Nothing was ingested; from now on in smaller batches."""
        if len(sent) == 1:
            async with self.ctx.runtime.database.writing(self.ctx.tenant_id) as session:
                await repository.refuse(session, batch_id, sent[0], error.sentence)
                await repository.settle_rest(session, batch_id, WAITING)
                await self.ctx.hold(session)
            return
        self.limit = max(1, len(sent) // 2)
        await self._return(batch_id)

    async def _return(self, batch_id: UUID) -> None:
        """Nothing of it was ingested, for certain."""
        async with self.ctx.runtime.database.writing(self.ctx.tenant_id) as session:
            await repository.settle_rest(session, batch_id, WAITING)
            await self.ctx.hold(session)

    async def _note(self, batch_id: UUID, sent: Sequence[str], told: Imported) -> None:
        """What is refused is never taken as it is, and the others were ingested. When the counts do not agree the batch
        stays open, and is read back."""
        refused = {one.index: one for one in told.failed if 0 <= one.index < len(sent)}
        if told.count + len(refused) != len(sent):
            raise Retriable("Mixpanel's count of what it took is not what was sent; it is read back.")
        async with self.ctx.runtime.database.writing(self.ctx.tenant_id) as session:
            for index, one in refused.items():
                sentence = f"{one.field}: {one.message}"[:_LONGEST_SENTENCE]
                await repository.refuse(session, batch_id, sent[index], sentence)
            await repository.settle_rest(session, batch_id, DELIVERED)
            await self.ctx.hold(session)
        self.settled += 1
        EVENTS.labels(DELIVERED).inc(len(sent) - len(refused))
        EVENTS.labels(REFUSED).inc(len(refused))


async def deliver(ctx: JobContext) -> None:
    """All that waits. Raises `ConnectionNotFound` and connector outcomes."""
    settings = ctx.runtime.settings_of("outreach", OutreachSettings)
    async with opening.mixpanel(ctx.runtime, ctx.tenant_id) as client:
        await Delivery(ctx, client, settings).run()


def ranges(days: Collection[date]) -> list[tuple[date, date]]:
    """Few stretches that hold all the days, without the long gaps between them: an export brings everything within."""
    found = list[tuple[date, date]]()
    for day in sorted(days):
        if found and day - found[-1][1] <= _GAP:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
