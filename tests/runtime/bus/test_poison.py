"""An event that ends the process which delivers it, and the id of the request an event goes back to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from tests.runtime.bus.test_relay import Moved

from syncline.kernel.errors import Retriable
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import TenantId
from syncline.runtime.bus import Handler, HandlerContext, Relay, list_dead_letters, publish_many, replay_dead_letters
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs import RetryPolicy
from syncline.runtime.observe.correlation import correlated, correlation_id

POISON = 30


class Killed(BaseException):
    """The process is gone: nothing of ours sees it, and the transaction at hand is undone."""


class Applying:
    """Applies numbers, and ends its process with the poisonous one."""

    async def __call__(self, context: HandlerContext, event: Moved) -> None:
        if event.n == POISON:
            raise Killed
        connection = await context.session.driver()
        await connection.execute("INSERT INTO public.seen VALUES (%s)", (event.n,))


def _applied(bus: Database) -> list[int]:
    """In their order."""
    with psycopg.connect(bus.operator_url) as operator:
        return [n for (n,) in operator.execute("SELECT n FROM public.seen ORDER BY ctid")]


async def _publish(database: Database, tenant: TenantId, *numbers: int) -> None:
    async with database.writing(tenant) as session:
        await publish_many(session, [Moved(n) for n in numbers])


async def _run(database: Database, handle: Any, retry: RetryPolicy | None = None) -> None:
    """A relay of its own, as after a restart, a while after the one before."""
    with psycopg.connect(database.operator_url, autocommit=True) as operator:
        operator.execute("UPDATE bus.delivery SET started_at = started_at - interval '1 minute'")
    handler = Handler(Moved, "trial.apply", handle, retry=retry or RetryPolicy())
    await Relay(database, [handler], runtime=None).drain()


async def _die(database: Database, handle: Any) -> None:
    with pytest.raises(Killed):
        await _run(database, handle)


async def _letters(database: Database, tenant: TenantId) -> list[Any]:
    async with database.reading(tenant) as session:
        return list((await list_dead_letters(session, PageRequest())).items)


async def test_what_killed_two_relays_is_a_dead_letter_and_its_neighbours_are_applied_once(
    bus: Database, tenant_id: TenantId
) -> None:
    await _publish(bus, tenant_id, *range(60))
    await _die(bus, Applying())
    await _die(bus, Applying())
    await _run(bus, Applying())
    (letter,) = await _letters(bus, tenant_id)
    assert (letter.payload, letter.attempts) == ({"n": POISON}, 2)
    assert letter.reason.startswith("killed its worker twice")
    assert _applied(bus) == [n for n in range(60) if n != POISON]


async def test_one_death_is_bad_luck(database: Database, tenant_id: TenantId) -> None:
    await _publish(database, tenant_id, POISON)
    await _die(database, Applying())
    calls: list[int] = []

    async def apply(_: HandlerContext, event: Moved) -> None:
        calls.append(event.n)

    await _run(database, apply)
    assert (calls, await _letters(database, tenant_id)) == ([POISON], [])


async def test_relays_that_come_and_go_while_an_event_fails_are_no_deaths(
    database: Database, tenant_id: TenantId
) -> None:
    await _publish(database, tenant_id, 1, 2, 3)
    calls: list[int] = []

    async def fail(_: HandlerContext, event: Moved) -> None:
        calls.append(event.n)
        raise Retriable("Busy.", wait=timedelta(0))

    for _ in range(5):
        await _run(database, fail, RetryPolicy(max_attempts=50, base=timedelta(0)))
    assert set(calls) == {1}
    assert await _letters(database, tenant_id) == []
    with psycopg.connect(database.operator_url) as operator:
        assert operator.execute("SELECT array_agg(DISTINCT starts) FROM bus.delivery").fetchone() == ([0],)


async def test_a_relay_leaves_alone_what_another_has_just_begun(database: Database, tenant_id: TenantId) -> None:
    await _publish(database, tenant_id, POISON)
    await _die(database, Applying())
    calls: list[int] = []

    async def apply(_: HandlerContext, event: Moved) -> None:
        calls.append(event.n)

    with psycopg.connect(database.operator_url, autocommit=True) as operator:  # however long this machine takes
        operator.execute("UPDATE bus.delivery SET started_at = started_at + interval '1 minute'")
    await Relay(database, [Handler(Moved, "trial.apply", apply)], runtime=None).drain()
    assert calls == []


async def test_a_handler_works_under_the_id_of_the_request_that_published(
    database: Database, tenant_id: TenantId
) -> None:
    seen: list[str | None] = []

    async def apply(context: HandlerContext, _: Moved) -> None:
        seen.append(correlation_id())
        seen.append(context.event_id.hex)

    with correlated("order-42"):
        await _publish(database, tenant_id, 1)
    await _publish(database, tenant_id, 2)
    await _run(database, apply)
    assert seen[0] == "order-42"
    assert seen[2] == seen[3]


async def test_a_dead_letter_keeps_the_id_and_a_replay_works_under_it(database: Database, tenant_id: TenantId) -> None:
    seen: list[str | None] = []

    async def refuse(_: HandlerContext, __: Moved) -> None:
        seen.append(correlation_id())
        raise ValueError("no")

    with correlated("order-42"):
        await _publish(database, tenant_id, 1)
    await _run(database, refuse, RetryPolicy(max_attempts=1))
    (letter,) = await _letters(database, tenant_id)
    with correlated("the-operators"):
        async with database.writing(tenant_id) as session:
            assert await replay_dead_letters(session, [letter.id]) == 1
    await _run(database, refuse, RetryPolicy(max_attempts=1))
    assert (letter.correlation, seen) == ("order-42", ["order-42", "order-42"])
