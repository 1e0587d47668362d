"""What an import or an export says. They run in the process that was asked, in one long transaction of their own that
nobody sees into; so what they say goes out in short ones beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from syncline.apps.commerce.contract import OperationKind, RunStatus, Store
from syncline.apps.commerce.live import operations
from syncline.apps.commerce.live.operations import operation_of
from syncline.kernel.errors import SynclineError, Unavailable
from syncline.kernel.ids import new_id
from syncline.kernel.tasks import end_now
from syncline.kernel.tenant import Actor
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.live.announcing import LEAST_SECONDS_BETWEEN
from syncline.runtime.live.message import Operation

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Telling:
    """Handed to whoever does the work. `done` is called in the transaction of the result, if there is one."""

    operation: Operation
    store_id: UUID
    requested_by: str
    latest: dict[str, int] = field(default_factory=dict)
    is_done: bool = False

    def progress(self, names: tuple[str, str], also: Progress | None) -> Progress:
        """A callback that keeps the latest numbers under `names`, and tells `also`."""

        def told(first: int, second: int) -> None:
            self.latest = {names[0]: first, names[1]: second}
            if also is not None:
                also(first, second)

        return told

    async def done(self, session: WriteSession, *, sentence: str | None, counts: dict[str, int]) -> None:
        self.is_done = True
        await self._end(session, RunStatus.COMPLETED, sentence, counts)

    async def failed(self, session: WriteSession, sentence: str) -> None:
        await self._end(session, RunStatus.FAILED, sentence, self.latest)

    async def _end(
        self, session: WriteSession, status: RunStatus, sentence: str | None, counts: dict[str, int]
    ) -> None:
        await operations.ended(
            session,
            self.operation,
            store_id=self.store_id,
            status=status,
            sentence=sentence,
            counts=counts,
            requested_by=self.requested_by,
        )


@asynccontextmanager
async def telling(
    database: Database, actor: Actor, store: Store, kind: OperationKind, **facts: Any
) -> AsyncIterator[Telling]:
    """Around the work: says that it began, once a second how far it is, and that it failed if it raises."""
    telling = Telling(operation_of(kind, new_id(), store.name), store.id, actor.name)
    async with database.writing(actor.tenant_id) as session:
        await operations.began(session, telling.operation, requested_by=actor.name, **facts)
    saying = asyncio.create_task(_say_always(database, actor, telling))
    try:
        yield telling
    except BaseException as error:  # also Ctrl-C: whoever watches is told, and it rises on
        await end_now(saying)
        sentence = str(getattr(error, "sentence", "")) if isinstance(error, SynclineError) else ""
        with suppress(Unavailable):  # with the database away nobody can be told; what rises is why the work ended
            async with database.writing(actor.tenant_id) as session:
                await telling.failed(session, sentence or f"It was stopped ({type(error).__name__}).")
        raise
    await end_now(saying)
    if not saying.cancelled():
        saying.result()  # it never ends by itself, so this is why it fell
    if not telling.is_done:
        async with database.writing(actor.tenant_id) as session:
            await telling.done(session, sentence=None, counts=telling.latest)


async def _say_always(database: Database, actor: Actor, telling: Telling) -> None:
    said: dict[str, int] = {}
    while True:
        await asyncio.sleep(LEAST_SECONDS_BETWEEN)
        if telling.latest != said:
            said = telling.latest
            with suppress(Unavailable):  # the work itself will say that the database is away
                async with database.writing(actor.tenant_id) as session:
                    await operations.progressed(session, telling.operation, said)
