"""Entries in a real database: in the caller's transaction, in one chain a tenant, and there to stay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from syncline.kernel import clock
from syncline.kernel.errors import Conflict
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.audit.entry import ChainEnd
from syncline.runtime.audit.origin import origin
from syncline.runtime.audit.trail import EntryQuery, list_entries, read_entries, record
from syncline.runtime.audit.verification import Finding, Tampering, Verification, verify
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.observe.correlation import correlated


@pytest.fixture
def actor(tenant_id: TenantId) -> Actor:
    return Actor(tenant_id, "an editor", "editor")


@pytest.fixture
def operator(database_settings: DatabaseSettings) -> Iterator[psycopg.Connection]:
    """Whoever owns the database, with the triggers out of the way."""
    with psycopg.connect(str(database_settings.admin_url), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


async def write(database: Database, actor: Actor, *actions: str) -> None:
    for action in actions:
        async with database.writing(actor.tenant_id) as session:
            await record(session, actor=actor, action=action)


async def checked(database: Database, tenant_id: TenantId, expected: ChainEnd | None = None) -> Verification:
    async with database.reading_still(tenant_id) as session:
        return await verify(session, expected)


async def test_an_entry_says_who_what_when_from_where_and_what_changed(session: WriteSession, actor: Actor) -> None:
    with correlated("abc"), origin("203.0.113.7"):
        number = await record(
            session,
            actor=actor,
            action="stores.replace_token",
            subject="summer-store",
            before={"scopes": ["read_products"]},
            after={"scopes": ["read_products", "write_products"]},
            details={"permission": "stores:manage"},
        )
    (entry,) = (await list_entries(session, EntryQuery(), PageRequest())).items
    assert (entry.number, number) == (1, 1)
    assert (entry.actor, entry.role, entry.method) == ("an editor", "editor", "key")
    assert (entry.action, entry.subject, entry.outcome) == ("stores.replace_token", "summer-store", "done")
    assert (entry.address, entry.correlation_id) == ("203.0.113.7", "abc")
    assert entry.before == {"scopes": ["read_products"]}
    assert entry.after == {"scopes": ["read_products", "write_products"]}
    assert abs(entry.at - clock.now()) < timedelta(minutes=1)


async def test_an_entry_exists_exactly_if_the_change_does(database: Database, actor: Actor) -> None:
    await write(database, actor, "kept")
    with suppress(Conflict):
        async with database.writing(actor.tenant_id) as session:
            await record(session, actor=actor, action="undone")
            raise Conflict("Not this one.")
    await write(database, actor, "kept too")
    async with database.reading(actor.tenant_id) as session:
        actions = [entry.action async for entry in read_entries(session, EntryQuery())]
    assert actions == ["kept", "kept too"]
    assert (await checked(database, actor.tenant_id)).is_whole


async def test_many_at_once_make_one_chain_without_a_gap(database: Database, actor: Actor) -> None:
    await asyncio.gather(*(write(database, actor, f"one {number}", f"two {number}") for number in range(10)))
    found = await checked(database, actor.tenant_id)
    assert (found.entries, found.is_whole) == (20, True)


async def test_a_tenant_that_records_does_not_hold_up_another(
    database: Database, actor: Actor, other_tenant_id: TenantId
) -> None:
    other = Actor(other_tenant_id, "another", "owner")
    async with database.writing(actor.tenant_id) as session:
        await record(session, actor=actor, action="takes long")
        async with asyncio.timeout(60):
            await write(database, other, "does not wait")


async def test_tenants_have_chains_of_their_own(database: Database, actor: Actor, other_tenant_id: TenantId) -> None:
    other = Actor(other_tenant_id, "another", "owner")
    await write(database, actor, "mine")
    await write(database, other, "theirs", "theirs too")
    assert (await checked(database, actor.tenant_id)).entries == 1
    async with database.reading(other_tenant_id) as session:
        assert (await list_entries(session, EntryQuery(action="mine"), PageRequest())).total == 0


async def test_entries_are_found_by_what_is_known_of_them(session: WriteSession, actor: Actor) -> None:
    for action, name in (("POST /api/keys", "ann"), ("DELETE /api/keys/{key_id}", "ben"), ("POST /api/push", "ann")):
        await record(session, actor=Actor(actor.tenant_id, name, "owner"), action=action, subject=f"by {name}")
    found = {
        "actor": await list_entries(session, EntryQuery(actor="ann"), PageRequest()),
        "action": await list_entries(session, EntryQuery(action="/api/keys"), PageRequest()),
        "subject": await list_entries(session, EntryQuery(subject="ben"), PageRequest()),
        "since": await list_entries(session, EntryQuery(since=clock.now() + timedelta(hours=1)), PageRequest()),
        "until": await list_entries(session, EntryQuery(until=clock.now() + timedelta(hours=1)), PageRequest(limit=2)),
    }
    assert {name: page.total for name, page in found.items()} == {
        "actor": 2,
        "action": 2,
        "subject": 1,
        "since": 0,
        "until": 3,
    }
    assert [entry.number for entry in found["until"].items] == [3, 2]


async def test_a_text_no_column_can_hold_is_mended_not_refused(session: WriteSession, actor: Actor) -> None:
    odd = Actor(actor.tenant_id, "nul \0 and half \ud800 a character", "owner")
    await record(session, actor=odd, action="x" * 10_000, after={"text": "\0 \ud800"})
    (entry,) = (await list_entries(session, EntryQuery(), PageRequest())).items
    assert entry.actor == "nul  and half ? a character"
    assert len(entry.action) == 500
    assert (await verify(session)).is_whole


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.entry SET actor = 'nobody'",
        "DELETE FROM audit.entry",
        "TRUNCATE audit.entry",
        "DELETE FROM audit.chain",
        "ALTER TABLE audit.entry DISABLE TRIGGER ALL",
        "DROP TABLE audit.entry",
    ],
)
async def test_the_role_that_works_can_neither_change_nor_remove_an_entry(
    database: Database, actor: Actor, statement: str
) -> None:
    await write(database, actor, "stays")
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        async with database.writing(actor.tenant_id) as session:
            await session.execute(text(statement))
    assert (await checked(database, actor.tenant_id)).is_whole


@pytest.mark.parametrize(
    "statement", ["UPDATE audit.entry SET actor = 'x'", "DELETE FROM audit.entry", "TRUNCATE audit.entry"]
)
async def test_even_the_owner_is_stopped_by_the_trigger(
    database: Database, actor: Actor, database_settings: DatabaseSettings, statement: str
) -> None:
    await write(database, actor, "stays")
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege, match="neither changed nor removed")
    with psycopg.connect(str(database_settings.admin_url)) as owner, refused:
        owner.execute(statement)


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE audit.entry SET actor = 'x' WHERE number = 2", Finding(Tampering.CHANGED, 2, 2)),
        (
            "UPDATE audit.entry SET content = replace(content, 'two', 'ten') WHERE number = 2",
            Finding(Tampering.CHANGED, 2, 2),
        ),
        ("DELETE FROM audit.entry WHERE number = 2", Finding(Tampering.REMOVED, 2, 2)),
        ("DELETE FROM audit.entry WHERE number = 3", Finding(Tampering.REMOVED, 3, 3)),
        (
            """INSERT INTO audit.entry
            SELECT tenant_id, 4, at, actor, action, subject, outcome, correlation_id, content, previous, hash
            FROM audit.entry WHERE number = 3""",
            Finding(Tampering.INSERTED, 4, 4),
        ),
    ],
)
async def test_what_an_operator_did_to_a_row_is_found_and_named(
    database: Database, actor: Actor, operator: psycopg.Connection, statement: str, finding: Finding
) -> None:
    await write(database, actor, "one", "two", "three")
    operator.execute(statement)
    assert finding in (await checked(database, actor.tenant_id)).findings


async def test_an_end_noted_elsewhere_shows_a_trail_cut_short(
    database: Database, actor: Actor, operator: psycopg.Connection
) -> None:
    await write(database, actor, "one", "two", "three")
    noted = (await checked(database, actor.tenant_id)).end
    operator.execute("DELETE FROM audit.entry WHERE number = 3")
    operator.execute("UPDATE audit.chain SET number = 2, hash = (SELECT hash FROM audit.entry WHERE number = 2)")
    assert (await checked(database, actor.tenant_id)).is_whole
    assert (await checked(database, actor.tenant_id, noted)).findings == (Finding(Tampering.REMOVED, 3, 3),)
