"""Which of several rates holds, and that a change is seen soon, and by whom it concerns."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from sqlalchemy import event

from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.limits import rates
from syncline.runtime.limits.policy import SIGNED_IN, Counts, Policy, parse_rate
from syncline.runtime.limits.rates import ChangedRate, RateBook, in_force, is_within, written

POLICY = Policy("a", parse_rate("100/min"))


def changed(rate: str, *, by_operator: bool = True) -> ChangedRate:
    return ChangedRate(parse_rate(rate), by_operator, "somebody", clock.now())


@pytest.mark.parametrize(
    ("rate", "most", "within"),
    [
        ("100/min", "100/min", True),
        ("101/min", "100/min", False),
        ("50/30s", "100/min", True),
        ("100/30s", "100/min", False),
        ("6000/h", "100/min", False),
        ("100/h burst 100", "100/min", True),
        ("100/min burst 200", "100/min", False),
        ("off", "100/min", False),
        ("off", "off", True),
        ("1000/s", "off", True),
    ],
)
def test_a_rate_is_within_another_at_once_and_in_the_long_run(rate: str, most: str, within: bool) -> None:
    assert is_within(parse_rate(rate), parse_rate(most)) is within


def test_the_operators_word_is_above_the_settings_and_his_word_on_one_tenant_above_that() -> None:
    assert written(in_force(POLICY, {}, {}).rate) == "100/min"
    assert written(in_force(POLICY, {"a": changed("50/min")}, {}).rate) == "50/min"
    assert written(in_force(POLICY, {"a": changed("50/min")}, {"a": changed("200/min")}).rate) == "200/min"
    assert in_force(POLICY, {"a": changed("off")}, {}).rate is None


def test_a_tenants_admin_narrows_and_never_widens_also_when_the_operator_narrows_later() -> None:
    own = {"a": changed("80/min", by_operator=False)}
    assert written(in_force(POLICY, {}, own).rate) == "80/min"
    assert written(in_force(POLICY, {"a": changed("50/min")}, own).rate) == "50/min"


def test_what_counts_addresses_is_the_same_for_every_tenant() -> None:
    policy = Policy("a", parse_rate("100/min"), Counts.ADDRESS)
    assert in_force(policy, {}, {"a": changed("1/min")}) == policy


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def book(database: Database, seconds: Seconds) -> RateBook:
    return RateBook(database, {"a": POLICY}, kept_seconds=5, clock=seconds)


async def rate_of(book: RateBook, tenant_id: TenantId | None) -> str:
    return written((await book.policy("a", tenant_id)).rate)


async def test_a_change_is_seen_when_what_was_known_is_too_old_and_by_that_tenant_only(
    book: RateBook, seconds: Seconds, database: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    assert await rate_of(book, tenant_id) == await rate_of(book, None) == "100/min"
    async with database.writing(tenant_id) as session:
        await rates.set_for_tenant(session, "a", parse_rate("7/min"), actor="ann", by_operator=False)
    assert await rate_of(book, tenant_id) == "100/min"
    seconds.now = 5.0
    assert [await rate_of(book, one) for one in (tenant_id, other_tenant_id, None)] == ["7/min", "100/min", "100/min"]


async def test_the_installations_change_is_seen_by_all_and_put_back(
    book: RateBook, seconds: Seconds, database: Database, tenant_id: TenantId
) -> None:
    async with database.system() as session:
        await rates.set_for_installation(session, "a", None, actor="operator")
    assert (await rate_of(book, tenant_id), await rate_of(book, None)) == ("off", "off")
    async with database.system() as session:
        assert await rates.reset_for_installation(session, "a")
        assert not await rates.reset_for_installation(session, "a")
    seconds.now = 5.0
    assert (await rate_of(book, tenant_id), await rate_of(book, None)) == ("100/min", "100/min")


async def test_while_the_database_is_away_what_was_known_goes_on(
    book: RateBook,
    seconds: Seconds,
    database: Database,
    database_settings: DatabaseSettings,
    tenant_id: TenantId,
    other_tenant_id: TenantId,
) -> None:
    async with database.writing(tenant_id) as session:
        await rates.set_for_tenant(session, "a", parse_rate("7/min"), actor="ann", by_operator=False)
    assert await rate_of(book, tenant_id) == "7/min"
    async with await psycopg.AsyncConnection.connect(str(database_settings.admin_url), autocommit=True) as operator:
        await operator.execute("ALTER TABLE controls.limit_rate RENAME TO away")
    seconds.now = 5.0
    assert await rate_of(book, tenant_id) == "7/min"
    assert await rate_of(book, other_tenant_id) == "100/min"


async def test_all_who_ask_at_once_are_told_by_one_look(
    book: RateBook, database: Database, tenant_id: TenantId
) -> None:
    begun: list[str] = []
    event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda _c, _cursor, statement, *_: begun.append(statement)
    )
    await asyncio.gather(*(book.policy("a", tenant_id) for _ in range(50)))
    assert sum("set_config" in one for one in begun) == 1


async def test_a_limit_that_nobody_declared_is_a_mistake_of_ours(book: RateBook) -> None:
    assert SIGNED_IN not in book.policies
    with pytest.raises(LookupError, match="no limit is declared"):
        await book.policy(SIGNED_IN, None)
