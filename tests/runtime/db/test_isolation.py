"""Tenants: what one cannot do to another, by whatever statement."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.isolation import unprotected_tables
from syncline.runtime.db.settings import DatabaseSettings

ADD = text("INSERT INTO toy.thing (tenant_id, id, name) VALUES (:tenant, :id, 'x')")
ALL = text("SELECT id FROM toy.thing ORDER BY id")


@pytest.fixture
async def filled(toy_database: Database, tenant_id: TenantId) -> Database:
    """One row, which is `tenant_id`'s."""
    async with toy_database.writing(tenant_id) as session:
        await session.execute(ADD, {"tenant": tenant_id, "id": 1})
    return toy_database


async def test_own_rows_are_there(filled: Database, tenant_id: TenantId) -> None:
    async with filled.reading(tenant_id) as session:
        assert (await session.scalars(ALL)).all() == [1]


async def test_other_tenant_sees_nothing(filled: Database, other_tenant_id: TenantId) -> None:
    async with filled.reading(other_tenant_id) as session:
        assert (await session.scalars(ALL)).all() == []


async def test_no_tenant_sees_nothing(filled: Database) -> None:
    async with filled.system() as session:
        assert (await session.scalars(ALL)).all() == []


async def test_other_tenant_cannot_insert_for_us(
    filled: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with filled.writing(other_tenant_id) as session:
            await session.execute(ADD, {"tenant": tenant_id, "id": 2})


@pytest.mark.parametrize("statement", ["UPDATE toy.thing SET name = 'y'", "DELETE FROM toy.thing"])
async def test_other_tenant_changes_nothing(filled: Database, other_tenant_id: TenantId, statement: str) -> None:
    async with filled.writing(other_tenant_id) as session:
        assert (await session.execute(text(statement))).rowcount == 0  # type: ignore[attr-defined]


async def test_row_cannot_be_given_to_another_tenant(
    filled: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with filled.writing(tenant_id) as session:
            await session.execute(text("UPDATE toy.thing SET tenant_id = :other"), {"other": other_tenant_id})


async def test_tenant_does_not_linger_on_the_connection(toy_settings: DatabaseSettings, tenant_id: TenantId) -> None:
    narrow = await Database.open(toy_settings.model_copy(update={"pool_max": 1}))
    async with narrow.writing(tenant_id) as session:
        await session.execute(ADD, {"tenant": tenant_id, "id": 1})
    async with narrow.system() as session:
        assert (await session.scalars(ALL)).all() == []
    await narrow.close()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE toy.thing DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE toy.thing NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON toy.thing",
        "SET ROLE syncline",
        "ALTER ROLE syncline_app BYPASSRLS",
        "TRUNCATE toy.thing",
        "CREATE TABLE toy.copy AS SELECT * FROM toy.thing",
        "COPY toy.thing TO PROGRAM 'cat'",
    ],
)
async def test_application_role_cannot_lift_the_isolation(
    filled: Database, tenant_id: TenantId, statement: str
) -> None:
    with pytest.raises(ProgrammingError, match=r"must be owner|permission denied"):
        async with filled.writing(tenant_id) as session:
            await session.execute(text(statement))


async def test_operator_sees_every_tenant_without_naming_the_schema(filled: Database) -> None:
    with psycopg.connect(filled.operator_url) as connection:
        assert connection.execute("SELECT count(*) FROM thing").fetchone() == (1,)


async def test_superuser_is_refused_as_application_role(toy_settings: DatabaseSettings) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"is a superuser.*SYNCLINE_DATABASE_ADMIN_URL"):
        await Database.open(
            toy_settings.model_copy(update={"url": toy_settings.admin_url, "admin_url": "postgresql:///x"})
        )


async def test_role_with_bypassrls_is_refused(toy_settings: DatabaseSettings, external_role: Any) -> None:
    url = external_role("LOGIN BYPASSRLS")
    with pytest.raises(DatabaseUnavailable, match="has BYPASSRLS"):
        await Database.open(toy_settings.model_copy(update={"url": url}))


def test_table_that_was_forgotten_is_found(toy_settings: DatabaseSettings) -> None:
    engine = create_engine(str(toy_settings.admin_url).replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        assert unprotected_tables(connection) == []
        connection.execute(text("CREATE TABLE toy.forgotten (tenant_id uuid NOT NULL)"))
        connection.execute(text("CREATE TABLE toy.half (tenant_id uuid NOT NULL)"))
        connection.execute(text("ALTER TABLE toy.half ENABLE ROW LEVEL SECURITY"))
        assert unprotected_tables(connection) == ["toy.forgotten", "toy.half"]
    engine.dispose()
