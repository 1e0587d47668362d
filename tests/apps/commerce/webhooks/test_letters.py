"""Webhooks that were given up stand among the other dead letters: for their tenant, and for the operator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import event
from tests.apps.commerce.webhooks.conftest import Hooked

from syncline.apps.commerce.app import APP
from syncline.apps.commerce.webhook_contract import WebhookOutcome, WebhookState
from syncline.apps.commerce.webhooks import repository
from syncline.apps.commerce.webhooks.letters import WebhookLetters
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.letters import LetterKind, LetterQuery

BROKEN = b'{"id": 1,'
ALL = LetterQuery()


@pytest.fixture
def letters(hooked: Hooked) -> WebhookLetters:
    return WebhookLetters(hooked.runtime)


async def _give_up(hooked: Hooked, topic: str = "products/update", body: bytes = BROKEN) -> UUID:
    answer = await hooked.send(topic, body)
    return UUID(answer.json()["id"])


def test_the_app_shows_its_letters() -> None:
    assert APP.letters is WebhookLetters


async def test_one_is_listed_found_and_counted_with_what_it_carried(hooked: Hooked, letters: WebhookLetters) -> None:
    letter_id = await _give_up(hooked)
    async with hooked.runtime.database.reading(hooked.tenant) as session:
        (listed,) = await letters.list(session, ALL, 10)
        found = await letters.find(session, letter_id)
        assert await letters.count(session, ALL) == 1
    assert (listed.id, listed.kind, listed.name) == (letter_id, LetterKind.WEBHOOK, "products/update")
    assert "not JSON" in listed.reason
    assert "body" not in listed.payload
    assert found is not None
    assert found.payload["body"] == BROKEN.decode()
    assert found.correlation_id is not None


async def test_the_operator_sees_those_of_every_tenant_and_may_name_one(
    hooked: Hooked, letters: WebhookLetters, other_tenant_id: TenantId
) -> None:
    letter_id = await _give_up(hooked)
    async with hooked.runtime.database.system() as session:
        assert letter_id in {one.id for one in await letters.list(session, ALL, 1_000)}
        assert (await letters.find(session, letter_id)) is not None
        mine, theirs = LetterQuery(tenant=hooked.tenant), LetterQuery(tenant=other_tenant_id)
        assert [one.tenant_id for one in await letters.list(session, mine, 10)] == [hooked.tenant]
        assert (await letters.count(session, mine), await letters.count(session, theirs)) == (1, 0)


@pytest.fixture
def statements(hooked: Hooked) -> Iterator[list[str]]:
    """What the database is asked."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    engine = hooked.runtime.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


TENANTS = 2_000
_OF_MANY = f"""
    WITH made AS (SELECT gen_random_uuid() AS tenant, gen_random_uuid() AS store FROM generate_series(1, {TENANTS}))
    INSERT INTO commerce.webhook_event (id, tenant_id, store_id, delivery_id, topic, api_version, received_at,
        correlation_id, body_bytes, body_hash, state, due_at)
    SELECT gen_random_uuid(), tenant, store, at::text, 'of/many', '2026-10', now(), '', 0, 0,
           CASE WHEN at = 1 THEN 'dead' ELSE 'applied' END, now()
    FROM made, generate_series(1, 10) AS at
"""


@pytest.fixture
def operator(hooked: Hooked) -> Iterator[psycopg.Connection]:
    """Who is bound to no tenant, in a database with thousands of them."""
    with psycopg.connect(str(hooked.runtime.database.operator_url), autocommit=True) as connection:
        connection.execute(_OF_MANY)
        yield connection
        connection.execute("DELETE FROM commerce.webhook_event WHERE topic = 'of/many'")


async def test_those_of_thousands_of_tenants_are_counted_by_one_statement_that_reads_no_webhook(
    hooked: Hooked, letters: WebhookLetters, operator: psycopg.Connection, statements: list[str]
) -> None:
    await _give_up(hooked)
    known = operator.execute("SELECT count(*) FROM commerce.webhook_event WHERE state = 'dead'").fetchone()
    statements.clear()
    async with hooked.runtime.database.system() as session:
        counted = await letters.count(session, ALL)
    assert counted > TENANTS
    assert (counted,) == known
    (asked,) = [one for one in statements if "commerce." in one]
    operator.execute("ANALYZE commerce.webhook_dead")
    plan = str(operator.execute(f"EXPLAIN {asked}").fetchall())
    assert "webhook_event" not in plan


async def test_one_of_thousands_is_found_retried_and_discarded_without_asking_the_others(
    hooked: Hooked, letters: WebhookLetters, operator: psycopg.Connection, statements: list[str]
) -> None:
    first, second = await _give_up(hooked), await _give_up(hooked)
    statements.clear()
    async with hooked.runtime.database.system() as session:
        assert (await letters.find(session, first)) is not None
        assert await letters.retry(session, [first]) == 1
        assert await letters.discard(session, [second]) == 1
        assert (await letters.find(session, first), await letters.find(session, new_id())) == (None, None)
    assert len(statements) < 30


async def _counted(hooked: Hooked, letters: WebhookLetters) -> int:
    async with hooked.runtime.database.system() as session:
        return await letters.count(session, LetterQuery(tenant=hooked.tenant))


async def test_the_count_follows_every_way_to_become_one_and_to_be_none(
    hooked: Hooked, letters: WebhookLetters
) -> None:
    database = hooked.runtime.database
    born, condemned = await _give_up(hooked), UUID((await hooked.send("themes/publish", {"id": 1})).json()["id"])
    unreadable = UUID((await hooked.send("products/update", {"title": "nobody"})).json()["id"])
    assert await _counted(hooked, letters) == 1
    async with database.writing(hooked.tenant) as session:
        await repository.give_up(session, [condemned], "Because.")
    await hooked.work()
    assert await _counted(hooked, letters) == 3
    async with database.writing(hooked.tenant) as session:
        await repository.send_back(session, [unreadable], clock.now())
        await letters.discard(session, [born])
    assert await _counted(hooked, letters) == 1
    await hooked.pulled.commerce.remove_store(actor=hooked.pulled.actor, store="demo")
    await hooked.work()
    assert await _counted(hooked, letters) == 0


async def test_another_tenant_sees_and_moves_nothing(
    hooked: Hooked, letters: WebhookLetters, other_tenant_id: TenantId
) -> None:
    letter_id = await _give_up(hooked)
    async with hooked.runtime.database.writing(other_tenant_id) as session:
        assert await letters.list(session, ALL, 10) == []
        assert await letters.find(session, letter_id) is None
        assert (await letters.retry(session, [letter_id]), await letters.discard(session, [letter_id])) == (0, 0)
    assert (await hooked.event()).state is WebhookState.DEAD


async def test_they_are_found_by_topic_reason_and_time(hooked: Hooked, letters: WebhookLetters) -> None:
    product, order = await _give_up(hooked), await _give_up(hooked, "orders/create", b"[1")
    an_hour = timedelta(hours=1)
    async with hooked.runtime.database.reading(hooked.tenant) as session:

        async def ids(**wanted: object) -> list[UUID]:
            return [one.id for one in await letters.list(session, LetterQuery(**wanted), 10)]  # type: ignore[arg-type]

        assert await ids() == [order, product]
        assert await ids(name="ORDERS") == [order]
        assert await ids(reason="not json") == [order, product]
        assert await ids(reason="on fire") == []
        assert await ids(since=clock.now() - an_hour) == [order, product]
        assert await ids(until=clock.now() - an_hour) == []


@pytest.mark.parametrize("by_operator", [False, True])
async def test_one_that_is_retried_waits_again_and_the_work_is_asked_for(
    hooked: Hooked, letters: WebhookLetters, by_operator: bool
) -> None:
    letter_id = await _give_up(hooked)
    database = hooked.runtime.database
    async with database.system() if by_operator else database.writing(hooked.tenant) as session:
        assert await letters.retry(session, [letter_id, letter_id]) == 1
        assert await letters.retry(session, [letter_id]) == 0
    event = await hooked.event()
    assert (event.state, event.attempts) == (WebhookState.WAITING, 0)
    assert [one.payload["store_id"] for one in hooked.waiting] == [str(hooked.store_id)]


async def test_one_that_is_discarded_is_done_with_and_still_known(hooked: Hooked, letters: WebhookLetters) -> None:
    first = await hooked.send("products/update", BROKEN, webhook_id="once")
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        assert await letters.discard(session, [UUID(first.json()["id"])]) == 1
    again = await hooked.send("products/update", BROKEN, webhook_id="once")
    event = await hooked.event()
    assert (event.state, event.outcome) == (WebhookState.IGNORED, WebhookOutcome.DISCARDED)
    assert again.json()["idempotent"] is True


async def test_one_that_waits_for_its_next_attempt_is_no_letter(hooked: Hooked, letters: WebhookLetters) -> None:
    answer = await hooked.send("products/update", {"id": 1})
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        assert await letters.count(session, ALL) == 0
        assert await letters.retry(session, [UUID(answer.json()["id"])]) == 0
        assert await letters.discard(session, [UUID(answer.json()["id"])]) == 0
    assert (await hooked.event()).state is WebhookState.WAITING
