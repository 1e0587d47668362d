"""Migrations on a toy app: up, down, up; two at once; what is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import MetaData, Table
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from syncline.kernel.errors import InvalidInput
from syncline.kernel.ids import new_id
from syncline.runtime.db.base import COLUMN_TYPES, TenantRow, app_metadata
from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.migrate import (
    BranchStatus,
    MigrationSource,
    differences,
    downgrade,
    make_revision,
    status,
    upgrade,
)


@pytest.fixture
def url(databases: Any) -> Iterator[str]:
    """The operator's address of an empty database."""
    name = f"empty_{new_id().hex}"
    yield databases.create(name, "template0").admin_url
    databases.drop(name)


@pytest.fixture
def shop(tmp_path: Path) -> MigrationSource:
    """A second app with two revisions, written as a developer would."""
    folder = tmp_path / "shop"
    folder.mkdir()
    source = MigrationSource("shop", folder)
    fill(make_revision(source, [source], "Add the shop"), "CREATE SCHEMA shop", "DROP SCHEMA shop")
    second = make_revision(source, [source], "Drop nothing yet!", kind="post")
    fill(second, "CREATE TABLE shop.item (id bigint PRIMARY KEY)", "DROP TABLE shop.item")
    assert second.name == "post_0002_drop_nothing_yet.py"
    return source


def fill(path: Path, up: str, down: str) -> None:
    head, middle, tail = path.read_text().split('op.execute("")')
    path.write_text(f'{head}op.execute("{up}"){middle}op.execute("{down}"){tail}')


def tables(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        query = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('toy', 'shop') ORDER BY 1"
        return [name for (name,) in connection.execute(query)]


def test_up_down_up(url: str, toy: MigrationSource, shop: MigrationSource) -> None:
    sources = [toy, shop]
    assert sorted(upgrade(url, sources)) == ["shop_0001", "shop_0002", "toy_0001"]
    assert tables(url) == ["shop.item", "toy.thing"]
    assert upgrade(url, sources) == []
    assert downgrade(url, sources, "shop@base") == ["shop_0002", "shop_0001"]
    assert tables(url) == ["toy.thing"]
    assert downgrade(url, sources, "base") == ["toy_0001"]
    assert tables(url) == []
    assert sorted(upgrade(url, sources)) == ["shop_0001", "shop_0002", "toy_0001"]


def test_one_branch_by_steps(url: str, toy: MigrationSource, shop: MigrationSource) -> None:
    sources = [toy, shop]
    assert upgrade(url, sources, "shop_0001") == ["shop_0001"]
    assert status(url, sources) == [
        BranchStatus("toy", None, "toy_0001", ("toy_0001",)),
        BranchStatus("shop", "shop_0001", "shop_0002", ("shop_0002",)),
    ]
    assert upgrade(url, sources, "shop@head") == ["shop_0002"]
    assert downgrade(url, sources, "shop@-1") == ["shop_0002"]


def test_status_of_an_empty_database_changes_nothing(url: str, toy: MigrationSource) -> None:
    assert status(url, [toy]) == [BranchStatus("toy", None, "toy_0001", ("toy_0001",))]
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regnamespace('syncline') IS NULL").fetchone() == (True,)


def test_migration_that_fails_leaves_the_earlier_ones(url: str, shop: MigrationSource) -> None:
    fill(make_revision(shop, [shop], "Break"), "CREATE TABLE shop.half (id int); SELECT nonsense", "SELECT 1")
    with pytest.raises(ProgrammingError, match="nonsense"):
        upgrade(url, [shop])
    assert tables(url) == ["shop.item"]
    assert status(url, [shop])[0].current == "shop_0002"


def test_two_upgrades_at_once_take_turns(url: str, toy: MigrationSource, shop: MigrationSource) -> None:
    applied: list[str] = []
    threads = [threading.Thread(target=lambda: applied.extend(upgrade(url, [toy, shop]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == ["shop_0001", "shop_0002", "toy_0001"]


def test_operator_finds_tables_by_their_bare_names(url: str, toy: MigrationSource, shop: MigrationSource) -> None:
    upgrade(url, [toy, shop])
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM item, thing").fetchone() == (0,)


def test_tables_as_declared_and_as_migrated_agree(url: str, shop: MigrationSource) -> None:
    upgrade(url, [shop])

    class Base(DeclarativeBase):
        metadata = app_metadata("shop")
        type_annotation_map = COLUMN_TYPES

    class Item(Base):
        __tablename__ = "item"
        id: Mapped[int] = mapped_column(primary_key=True)

    assert differences(url, [Base.metadata]) == []
    Table("forgotten", Base.metadata)
    (found,) = differences(url, [Base.metadata])
    assert "add_table" in found
    (found,) = differences(url, [MetaData(schema="shop")])
    assert "remove_table" in found


def test_tenant_row_has_its_tenant_first_in_the_key() -> None:
    class Base(DeclarativeBase):
        metadata = app_metadata("shop")
        type_annotation_map = COLUMN_TYPES

    class Item(TenantRow, Base):
        __tablename__ = "item"
        id: Mapped[int] = mapped_column(primary_key=True)

    table = Base.metadata.tables["shop.item"]
    assert [column.name for column in table.primary_key] == ["tenant_id", "id"]
    assert table.primary_key.name == "pk_item"


def test_revision_of_another_app_in_the_folder_is_refused(url: str, toy: MigrationSource) -> None:
    (misplaced,) = toy.folder.glob("*.py")
    misplaced.write_text(misplaced.read_text().replace("toy_0001", "other_0001"))
    with pytest.raises(ValueError, match="must begin with its app's name"):
        upgrade(url, [toy])


def test_unknown_target_is_a_sentence(url: str, toy: MigrationSource) -> None:
    with pytest.raises(InvalidInput, match=r"no migration 'toy@9'.*syncline db status"):
        upgrade(url, [toy], "toy@9")


def test_server_that_is_not_there_is_a_sentence(toy: MigrationSource) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        status("postgresql://127.0.0.1:1/x", [toy])


@pytest.mark.parametrize(("message", "kind"), [("...", "pre"), ("Good words", "now")])
def test_revision_without_a_name_or_kind_is_refused(shop: MigrationSource, message: str, kind: str) -> None:
    with pytest.raises(InvalidInput):
        make_revision(shop, [shop], message, kind=kind)


def test_role_that_may_not_prepare_the_database_is_told_what_to_ask(
    toy_settings: Any, external_role: Any, toy: MigrationSource
) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"Ask an administrator to run: GRANT syncline_app TO role_"):
        upgrade(external_role("LOGIN"), [toy])


def test_ordinary_owner_of_a_database_may_migrate_it(
    toy_settings: Any, external_role: Any, shop: MigrationSource
) -> None:
    url = external_role("LOGIN", "GRANT syncline_app TO {role}", "DROP SCHEMA syncline CASCADE")
    assert upgrade(url, [shop]) == ["shop_0001", "shop_0002"]
    with psycopg.connect(url) as connection:
        assert connection.execute("SHOW search_path").fetchone() == ("public, shop, toy",)
