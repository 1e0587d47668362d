"""From publishing to a handler's committed effect, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, LiteralString
from uuid import UUID

import psycopg
import pytest

from syncline.kernel import clock
from syncline.kernel.errors import Fatal, Retriable, Unavailable
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import TenantId
from syncline.runtime.bus import (
    EventFilter,
    Handler,
    HandlerContext,
    Relay,
    list_dead_letters,
    publish,
    publish_many,
    replay,
    replay_dead_letters,
)
from syncline.runtime.bus import relay as relay_module
from syncline.runtime.bus.testing import published
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs import RetryPolicy
from syncline.runtime.jobs.testing import eventually

QUICK = RetryPolicy(max_attempts=3, base=timedelta(0))
HOUR = timedelta(hours=1)
BUSY_FOR_AN_HOUR = Retriable("Busy.", wait=HOUR)


@dataclass(frozen=True)
class Moved:
    event_name: ClassVar[str] = "trial.moved"
    n: int


@dataclass(frozen=True)
class Stopped:
    event_name: ClassVar[str] = "trial.stopped"
    n: int


class Listener:
    """Keeps what it was called with, writes it into a table in the delivery's transaction, then fails while `errors`
    lasts."""

    def __init__(self, *errors: Exception) -> None:
        self.calls: list[tuple[int, int]] = []
        self.errors = list(errors)

    async def __call__(self, context: HandlerContext, event: Moved) -> None:
        self.calls.append((event.n, context.attempt))
        connection = await context.session.driver()
        await connection.execute("INSERT INTO public.seen VALUES (%s)", (event.n,))
        if self.errors:
            raise self.errors.pop(0)


def _relay(bus: Database, *handlers: Handler, **options: Any) -> Relay:
    return Relay(bus, handlers, runtime=None, **options)


async def _publish(bus: Database, tenant: TenantId, *numbers: int) -> list[Any]:
    async with bus.writing(tenant) as session:
        return await publish_many(session, [Moved(n) for n in numbers])


async def _scalar(bus: Database, query: LiteralString, *values: object) -> Any:
    async with bus.system() as session:
        row = await (await (await session.driver()).execute(query, values)).fetchone()
    return row[0] if row else None


async def _seen(bus: Database) -> list[int]:
    found: list[int] = await _scalar(bus, "SELECT coalesce(array_agg(n ORDER BY n), '{}') FROM public.seen")
    return found


async def _letters(bus: Database, tenant: TenantId) -> list[Any]:
    async with bus.reading(tenant) as session:
        return list((await list_dead_letters(session, PageRequest())).items)


class _Refused(Exception):
    pass


async def _publish_and_fail(bus: Database, tenant: TenantId) -> None:
    async with bus.writing(tenant) as session:
        await publish(session, Moved(1))
        raise _Refused


async def test_rolled_back_event_is_never_told(bus: Database, tenant_id: TenantId) -> None:
    with pytest.raises(_Refused):
        await _publish_and_fail(bus, tenant_id)
    listener = Listener()
    await _relay(bus, Handler(Moved, "trial.listen", listener)).drain()
    assert listener.calls == []


async def test_published_reads_the_open_transaction(session: WriteSession) -> None:
    await publish(session, Moved(1))
    await publish_many(session, [])
    assert await published(session, Moved) == [Moved(1)]
    assert await published(session, Stopped) == []


async def test_event_reaches_each_handler_of_its_name_once(bus: Database, tenant_id: TenantId) -> None:
    one, two, other = Listener(), Listener(), Listener()
    relay = _relay(
        bus,
        Handler(Moved, "trial.one", one),
        Handler(Moved, "trial.two", two),
        Handler(Stopped, "trial.other", other),
    )
    await _publish(bus, tenant_id, 7)
    await relay.drain()
    await relay.drain()
    assert (one.calls, two.calls, other.calls) == ([(7, 1)], [(7, 1)], [])
    assert await _scalar(bus, "SELECT count(*) FROM bus.delivery") == 0


async def test_handler_gets_tenant_time_and_runtime(bus: Database, tenant_id: TenantId) -> None:
    seen: list[Any] = []

    async def handle(context: HandlerContext, _: Moved) -> None:
        seen.append((context.runtime, context.tenant_id, context.session.tenant_id, context.event_id))

    (event_id,) = await _publish(bus, tenant_id, 1)
    await Relay(bus, [Handler(Moved, "trial.look", handle)], runtime="the runtime").drain()
    assert seen == [("the runtime", tenant_id, tenant_id, event_id)]


async def test_event_of_the_system_has_no_tenant(bus: Database) -> None:
    seen: list[TenantId | None] = []

    async def handle(context: HandlerContext, _: Moved) -> None:
        seen.append(context.tenant)

    async with bus.system() as session:
        await publish(session, Moved(1))
    await _relay(bus, Handler(Moved, "trial.look", handle)).drain()
    assert seen == [None]


async def test_events_of_one_tenant_keep_their_order_with_two_relays(bus: Database, tenant_id: TenantId) -> None:
    listener = Listener()
    handler = Handler(Moved, "trial.listen", listener)
    relays = [_relay(bus, handler), _relay(bus, handler)]
    for n in range(0, 120, 10):
        await _publish(bus, tenant_id, *range(n, n + 10))
    while len(listener.calls) < 120:
        await asyncio.gather(*(relay.drain() for relay in relays))
    assert [n for n, _ in listener.calls] == list(range(120))


async def test_delivery_that_comes_twice_is_applied_once(bus: Database, tenant_id: TenantId) -> None:
    listener = Listener()
    relay = _relay(bus, Handler(Moved, "trial.listen", listener))
    (event_id,) = await _publish(bus, tenant_id, 1)
    await relay.drain()
    async with bus.system() as session:
        await (await session.driver()).execute(
            "INSERT INTO bus.delivery (handler, event_id, position, tenant) VALUES ('trial.listen', %s, 1, %s)",
            (event_id, tenant_id),
        )
    await relay.drain()
    assert await _seen(bus) == [1]
    assert await _scalar(bus, "SELECT count(*) FROM bus.delivery") == 0


async def test_failed_handler_leaves_no_effect_and_holds_up_only_its_tenant(
    bus: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    listener = Listener(BUSY_FOR_AN_HOUR)
    relay = _relay(bus, Handler(Moved, "trial.listen", listener))
    await _publish(bus, tenant_id, 1, 2)
    await relay.drain()
    await _publish(bus, other_tenant_id, 3)
    await relay.drain()
    assert [n for n, _ in listener.calls] == [1, 3]
    assert await _seen(bus) == [3]


async def test_what_came_before_the_failure_is_kept(bus: Database, tenant_id: TenantId) -> None:
    async def handle(context: HandlerContext, event: Moved) -> None:
        await (await context.session.driver()).execute("INSERT INTO public.seen VALUES (%s)", (event.n,))
        await (await context.session.driver()).execute("SELECT 1 / (2 - %s::int)", (event.n,))

    await _publish(bus, tenant_id, 1, 2, 3)
    await _relay(bus, Handler(Moved, "trial.divide", handle, retry=RetryPolicy(max_attempts=1))).drain()
    assert await _seen(bus) == [1, 3]
    (letter,) = await _letters(bus, tenant_id)
    assert letter.reason == "DivisionByZero: division by zero"


async def test_handler_failing_to_the_end_is_a_dead_letter_and_is_replayed(
    bus: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    listener = Listener(OSError("a"), OSError("b"), OSError("c"))
    relay = _relay(bus, Handler(Moved, "trial.listen", listener, retry=QUICK))
    (event_id,) = await _publish(bus, tenant_id, 1)
    await _drain_until(relay, lambda: len(listener.calls) == 3)
    (letter,) = await _letters(bus, tenant_id)
    assert (letter.event_id, letter.handler, letter.name) == (event_id, "trial.listen", "trial.moved")
    assert (letter.attempts, letter.reason, letter.payload) == (3, "OSError: c", {"n": 1})
    assert letter.occurred_at < letter.first_at < letter.last_at
    assert await _letters(bus, other_tenant_id) == []
    async with bus.writing(other_tenant_id) as session:
        assert await replay_dead_letters(session, [letter.id]) == 0
    async with bus.writing(tenant_id) as session:
        assert await replay_dead_letters(session, [letter.id]) == 1
        assert await replay_dead_letters(session, [letter.id]) == 0
    await relay.drain()
    assert listener.calls[-1] == (1, 1)
    assert await _seen(bus) == [1]
    assert await _letters(bus, tenant_id) == []


async def _drain_until(relay: Relay, condition: Any) -> None:
    while not condition():
        await relay.drain()
        await asyncio.sleep(0.01)


async def test_letter_can_be_replayed_after_its_event_was_forgotten(bus: Database, tenant_id: TenantId) -> None:
    listener = Listener(Fatal("Mend it."))
    relay = _relay(bus, Handler(Moved, "trial.listen", listener))
    await _publish(bus, tenant_id, 5)
    await relay.drain()
    (letter,) = await _letters(bus, tenant_id)
    async with bus.writing(tenant_id) as session:
        await (await session.driver()).execute("DELETE FROM bus.outbox")
        await replay_dead_letters(session, [letter.id])
    await relay.drain()
    assert await _seen(bus) == [5]


async def test_fatal_is_given_up_at_once(bus: Database, tenant_id: TenantId) -> None:
    listener = Listener(Fatal("Mend it."))
    await _publish(bus, tenant_id, 1)
    await _relay(bus, Handler(Moved, "trial.listen", listener)).drain()
    (letter,) = await _letters(bus, tenant_id)
    assert (letter.reason, letter.attempts) == ("Mend it.", 1)


async def test_event_that_no_longer_fits_its_class_is_a_dead_letter(bus: Database, tenant_id: TenantId) -> None:
    listener = Listener()
    await _publish(bus, tenant_id, 1)
    async with bus.system() as session:
        await (await session.driver()).execute("UPDATE bus.outbox SET data = '{}'")
    await _relay(bus, Handler(Moved, "trial.listen", listener, retry=RetryPolicy(max_attempts=1))).drain()
    (letter,) = await _letters(bus, tenant_id)
    assert "missing required field `n`" in letter.reason


@pytest.mark.parametrize(
    "choose",
    [
        lambda ids: EventFilter(ids=ids),
        lambda _: EventFilter(name="trial.moved"),
        lambda _: EventFilter(since=clock.now() - HOUR),
        lambda _: EventFilter(until=clock.now() + HOUR),
    ],
    ids=["ids", "name", "since", "until"],
)
async def test_replay_calls_the_handler_again(
    bus: Database, tenant_id: TenantId, choose: Callable[[Sequence[UUID]], EventFilter]
) -> None:
    listener, untouched = Listener(), Listener()
    relay = _relay(bus, Handler(Moved, "trial.listen", listener), Handler(Moved, "trial.other", untouched))
    ids = await _publish(bus, tenant_id, 1, 2)
    await relay.drain()
    async with bus.writing(tenant_id) as session:
        assert await replay(session, choose(ids), handler="trial.listen") == 2
    await relay.drain()
    assert [n for n, _ in listener.calls] == [1, 2, 1, 2]
    assert [n for n, _ in untouched.calls] == [1, 2]


async def test_replay_leaves_out_what_the_filter_does_not_name(
    bus: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    await _relay(bus, Handler(Moved, "trial.listen", Listener())).drain()
    ids = await _publish(bus, tenant_id, 1, 2)
    await _relay(bus, Handler(Moved, "trial.listen", Listener())).drain()
    async with bus.writing(other_tenant_id) as session:
        assert await replay(session, EventFilter(ids=ids)) == 0
    async with bus.writing(tenant_id) as session:
        assert await replay(session, EventFilter(ids=ids[:1])) == 1
        assert await replay(session, EventFilter(ids=ids, name="trial.stopped")) == 0
        assert await replay(session, EventFilter(since=clock.now())) == 0
        assert await replay(session, EventFilter(ids=[new_id()])) == 0


def test_replay_of_everything_is_refused() -> None:
    with pytest.raises(ValueError, match="never meant"):
        EventFilter()


async def test_running_relay_is_woken_by_the_commit(
    bus: Database, tenant_id: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_LOOK_EVERY_S", 3_600)
    listener = Listener()
    stop = asyncio.Event()
    running = asyncio.create_task(_relay(bus, Handler(Moved, "trial.listen", listener)).run(stop))
    await eventually(lambda: _scalar(bus, "SELECT count(*) = 1 FROM bus.subscription"))
    await _publish(bus, tenant_id, 1)
    await eventually(lambda: listener.calls)
    stop.set()
    await running


@pytest.mark.parametrize("moment", ["idle", "before", "after", "failing"])
async def test_relay_whose_connections_are_cut_goes_on(bus: Database, tenant_id: TenantId, moment: str) -> None:
    """While nothing is delivered, before and after what a handler writes, and while one fails for a reason of its own:
    each is told again, and kept once."""
    calls: list[int] = []

    async def handle(context: HandlerContext, event: Moved) -> None:
        calls.append(event.n)
        is_first = len(calls) == 1
        if is_first and moment == "before":
            _cut(bus)
        await (await context.session.driver()).execute("INSERT INTO public.seen VALUES (%s)", (event.n,))
        if is_first and moment in {"after", "failing"}:
            _cut(bus)
        if is_first and moment == "failing":
            raise BUSY_FOR_AN_HOUR

    await _publish(bus, tenant_id, 1)  # before anything is cut, and not while it is
    stop = asyncio.Event()
    running = asyncio.create_task(_relay(bus, Handler(Moved, "trial.listen", handle)).run(stop))
    await eventually(lambda: _seen_are(bus, [1]))
    if moment == "idle":
        _cut(bus)
    await _publish(bus, tenant_id, 2)
    await eventually(lambda: _seen_are(bus, [1, 2]))
    stop.set()
    await running
    assert calls == ([1, 2] if moment == "idle" else [1, 1, 2])


def _cut(bus: Database) -> None:
    with psycopg.connect(bus.operator_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def _seen_are(bus: Database, expected: list[int]) -> bool:
    with suppress(Unavailable):  # this look's connection was cut as well
        return await _seen(bus) == expected
    return False


async def test_handler_in_another_process_gets_its_own_delivery(bus: Database, tenant_id: TenantId) -> None:
    here, there = Listener(), Listener()
    first = _relay(bus, Handler(Moved, "trial.here", here))
    second = _relay(bus, Handler(Moved, "trial.there", there))
    await first.drain()
    await second.drain()
    await _publish(bus, tenant_id, 1)
    await first.drain()
    assert there.calls == []
    await second.drain()
    assert (here.calls, there.calls) == ([(1, 1)], [(1, 1)])


async def test_handler_that_left_the_code_gets_no_more_events(bus: Database, tenant_id: TenantId) -> None:
    await _relay(bus, Handler(Moved, "trial.gone", Listener())).drain()
    async with bus.system() as session:
        await (await session.driver()).execute("UPDATE bus.subscription SET seen_at = now() - interval '8 days'")
    await _publish(bus, tenant_id, 1)
    await _relay(bus, Handler(Stopped, "trial.other", Listener())).drain()
    assert await _scalar(bus, "SELECT count(*) FROM bus.delivery") == 0


async def test_old_events_are_forgotten_unless_somebody_waits_for_them(bus: Database, tenant_id: TenantId) -> None:
    failing = Handler(Moved, "trial.listen", Listener(BUSY_FOR_AN_HOUR))
    await _publish(bus, tenant_id, 1)
    async with bus.writing(tenant_id) as session:
        await publish(session, Stopped(2))
    await _relay(bus, failing).drain()
    async with bus.system() as session:
        await (await session.driver()).execute("UPDATE bus.outbox SET occurred_at = now() - %s", (relay_module.KEPT,))
    await _relay(bus, failing).drain()
    assert await _scalar(bus, "SELECT array_agg(name) FROM bus.outbox") == ["trial.moved"]


def test_two_handlers_of_one_name_are_refused(shared_database: Database) -> None:
    handler = Handler(Moved, "trial.listen", Listener())
    with pytest.raises(ValueError, match="same name"):
        _relay(shared_database, handler, handler)
