"""Names in the trail: shown while somebody belongs here, forgotten when he is erased, and never changed unseen."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.audit import particulars
from syncline.runtime.audit.entry import Entry
from syncline.runtime.audit.origin import origin
from syncline.runtime.audit.particulars import ERASED, Particular, reference
from syncline.runtime.audit.trail import EntryQuery, list_entries, read_entries, record
from syncline.runtime.audit.verification import Finding, Tampering, Verification, verify
from syncline.runtime.db.engine import Database
from syncline.runtime.db.settings import DatabaseSettings

ADA, BOB = UUID(int=1), UUID(int=2)
ADDRESS = "203.0.113.7"


@pytest.fixture
def ada(tenant_id: TenantId) -> Actor:
    return Actor(tenant_id, "Ada Lovelace", "owner", user_id=ADA, method="session")


@pytest.fixture
def bob(tenant_id: TenantId) -> Actor:
    return Actor(tenant_id, "Bob", "editor", user_id=BOB, method="session")


@pytest.fixture
def operator(database_settings: DatabaseSettings) -> Iterator[psycopg.Connection]:
    """Whoever owns the database, with the triggers out of the way."""
    with psycopg.connect(str(database_settings.admin_url), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


async def write(database: Database, *actors: Actor) -> None:
    for actor in actors:
        async with database.writing(actor.tenant_id) as session:
            with origin(ADDRESS):
                await record(session, actor=actor, action="POST /api/keys")


async def shown(database: Database, tenant_id: TenantId, actor: str | None = None) -> list[Entry]:
    async with database.reading(tenant_id) as session:
        found = await list_entries(session, EntryQuery(actor=actor), PageRequest())
        assert [one async for one in read_entries(session, EntryQuery(actor=actor))] == list(reversed(found.items))
        return list(reversed(found.items))


async def forget(database: Database, tenant_id: TenantId, user_id: UUID) -> int:
    async with database.writing(tenant_id) as session:
        return await particulars.forget(session, [user_id])


async def checked(database: Database, tenant_id: TenantId) -> Verification:
    async with database.reading_still(tenant_id) as session:
        return await verify(session)


def rows(operator: psycopg.Connection, table: str) -> str:
    return str(operator.execute(f"SELECT t::text FROM audit.{table} t").fetchall())


async def test_a_person_is_shown_and_found_by_name_and_stands_in_no_entry(
    database: Database, ada: Actor, bob: Actor, operator: psycopg.Connection
) -> None:
    await write(database, ada, bob, ada)
    found = await shown(database, ada.tenant_id)
    assert [(one.actor, one.user_id, one.address) for one in found] == [
        ("Ada Lovelace", ADA, ADDRESS),
        ("Bob", BOB, ADDRESS),
        ("Ada Lovelace", ADA, ADDRESS),
    ]
    assert [one.number for one in await shown(database, ada.tenant_id, "Ada Lovelace")] == [1, 3]
    entries = rows(operator, "entry")
    assert [one for one in ("Ada", "Bob", ADDRESS) if one in entries] == []
    assert operator.execute("SELECT count(*) FROM audit.particular").fetchone() == (4,)


async def test_who_is_forgotten_is_shown_as_erased_and_the_chain_is_whole(
    database: Database, ada: Actor, bob: Actor, operator: psycopg.Connection
) -> None:
    await write(database, ada, bob)
    before = await checked(database, ada.tenant_id)
    assert [await forget(database, ada.tenant_id, ADA) for _ in range(2)] == [2, 0]
    found = await shown(database, ada.tenant_id)
    assert [(one.actor, one.address) for one in found] == [(ERASED, None), ("Bob", ADDRESS)]
    assert await shown(database, ada.tenant_id, "Ada Lovelace") == []
    assert await checked(database, ada.tenant_id) == before
    assert before.is_whole
    assert "Ada" not in rows(operator, "entry") + rows(operator, "particular")


async def test_who_comes_again_is_written_anew(database: Database, ada: Actor) -> None:
    await write(database, ada)
    await forget(database, ada.tenant_id, ADA)
    await write(database, ada)
    assert [one.actor for one in await shown(database, ada.tenant_id)] == [ERASED, "Ada Lovelace"]
    assert (await checked(database, ada.tenant_id)).is_whole


async def test_another_tenant_keeps_what_it_knows(database: Database, ada: Actor, other_tenant_id: TenantId) -> None:
    there = Actor(other_tenant_id, ada.name, "viewer", user_id=ADA)
    await write(database, ada, there)
    await forget(database, ada.tenant_id, ADA)
    assert [one.actor for one in await shown(database, other_tenant_id)] == ["Ada Lovelace"]
    assert (await checked(database, other_tenant_id)).is_whole


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.particular SET value = 'Eve' WHERE value = 'Ada Lovelace'",
        "UPDATE audit.particular SET salt = decode(repeat('00', 32), 'hex') WHERE value = 'Ada Lovelace'",
        "UPDATE audit.particular SET user_id = '00000000-0000-0000-0000-000000000002' WHERE value = 'Ada Lovelace'",
        "UPDATE audit.particular SET kind = 'address' WHERE value = 'Ada Lovelace'",
        "DELETE FROM audit.particular WHERE value = 'Ada Lovelace'",
    ],
)
async def test_a_name_that_was_changed_or_removed_is_found_at_its_entries(
    database: Database, ada: Actor, bob: Actor, operator: psycopg.Connection, statement: str
) -> None:
    await write(database, bob, ada, bob, ada)
    operator.execute(statement)
    found = (await checked(database, ada.tenant_id)).findings
    assert found == (Finding(Tampering.CHANGED, 2, 2), Finding(Tampering.CHANGED, 4, 4))


async def test_an_action_given_to_somebody_else_is_found(
    database: Database, ada: Actor, bob: Actor, operator: psycopg.Connection
) -> None:
    await write(database, ada, bob)
    operator.execute("""
        UPDATE audit.particular SET value = CASE value WHEN 'Bob' THEN 'Ada Lovelace' ELSE 'Bob' END WHERE kind = 'name'
    """)
    assert [one.first for one in (await checked(database, ada.tenant_id)).findings] == [1, 2]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.particular SET value = 'Eve'",
        "UPDATE audit.particular SET user_id = gen_random_uuid()",
        "DELETE FROM audit.particular",
        "TRUNCATE audit.particular",
    ],
)
async def test_the_application_can_forget_and_nothing_else(database: Database, ada: Actor, statement: str) -> None:
    await write(database, ada)
    with pytest.raises((DBAPIError, psycopg.Error)) as refused:
        async with database.writing(ada.tenant_id) as session:
            await (await session.driver()).execute(statement)
    assert "neither changed nor removed" in str(refused.value) or "permission denied" in str(refused.value)
    assert [one.actor for one in await shown(database, ada.tenant_id)] == ["Ada Lovelace"]


async def test_what_is_forgotten_does_not_come_back(database: Database, ada: Actor) -> None:
    await write(database, ada)
    await forget(database, ada.tenant_id, ADA)
    with pytest.raises((DBAPIError, psycopg.Error), match="neither changed nor removed"):
        async with database.writing(ada.tenant_id) as session:
            await (await session.driver()).execute(
                "UPDATE audit.particular SET value = 'Eve', salt = 'x', erased_at = NULL"
            )


async def test_a_key_may_be_called_like_a_reference(database: Database, ada: Actor, tenant_id: TenantId) -> None:
    await write(database, ada)
    async with database.reading(tenant_id) as session:
        (ref, *_) = await particulars.list_all(session)
    await write(database, Actor(tenant_id, ref, "viewer", key_id=UUID(int=9)))
    assert [one.actor for one in await shown(database, tenant_id)] == ["Ada Lovelace", ref]
    assert (await checked(database, tenant_id)).is_whole


@given(st.binary(min_size=32, max_size=32), st.uuids(), st.text(max_size=50), st.text(max_size=50))
def test_only_what_was_written_is_itself(salt: bytes, user_id: UUID, value: str, other: str) -> None:
    ref = reference(salt, user_id, "name", value)
    assert Particular(ref, user_id, "name", value, salt).is_itself
    assert Particular(ref, user_id, "name", other, salt).is_itself is (other == value)
