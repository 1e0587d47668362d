"""A new key for the secrets at rest, while everything goes on, and whatever happens in the middle."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from typer.testing import Result

from syncline.kernel.ids import new_id
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs.testing import eventually
from syncline.runtime.secrets import SecretBox, ensure_key_file

Run = Callable[..., Result]
STORES = "commerce.store.token_sealed"
INSERT = """
    INSERT INTO commerce.store
        (id, tenant_id, name, shop_domain, token_sealed, api_version, shop_name, currency, plan, scopes, created_at)
    SELECT %s, id, %s, %s, %s, '2026-10', '', 'EUR', '', '{}', now() FROM accounts.tenant
"""
WAITS = """
    SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                   WHERE a.datname = current_database() AND NOT l.granted AND l.locktype = 'transactionid')
"""
TURN_IS_FREE = """
    SELECT NOT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                       WHERE d.datname = current_database() AND l.locktype = 'advisory')
"""


@pytest.fixture
def operator(database_settings: DatabaseSettings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(str(database_settings.admin_url), autocommit=True) as connection:
        yield connection


def add_stores(operator: psycopg.Connection, box: SecretBox, many: int) -> None:
    for number in range(many):
        name = f"store-{number:03}"
        operator.execute(INSERT, (new_id(), name, name, box.seal(f"token of {name}")))


def sealed(operator: psycopg.Connection) -> list[bytes]:
    return [row[0] for row in operator.execute("SELECT token_sealed FROM commerce.store ORDER BY name").fetchall()]


def test_a_new_key_is_put_in_front_and_the_old_one_is_needed_no_more(
    on_database: Run, operator: psycopg.Connection, tmp_path: Path
) -> None:
    (old,) = ensure_key_file(tmp_path)
    add_stores(operator, SecretBox([old]), 3)
    told = json.loads(on_database("keys", "rotate-encryption", "--json").stdout)
    assert (told["new_key"], told["sealed_again"][STORES]) == (True, 3)
    new, kept = ensure_key_file(tmp_path)
    assert kept == old
    (tmp_path / "secret.keys").write_text(f"{new}\n")
    assert SecretBox([new]).open(sealed(operator)[0]) == "token of store-000"
    again = json.loads(on_database("keys", "rotate-encryption", "--no-new-key", "--json").stdout)
    assert (again["new_key"], again["sealed_again"][STORES]) == (False, 0)


def test_the_keys_that_sign_tokens_are_sealed_again_and_sign_on(
    on_database: Run, operator: psycopg.Connection, tmp_path: Path
) -> None:
    on_database("keys", "rotate-signing")
    told = json.loads(on_database("keys", "rotate-encryption", "--json").stdout)
    assert told["sealed_again"]["accounts.signing_key.sealed_key"] >= 1
    new, _ = ensure_key_file(tmp_path)
    keys = operator.execute("SELECT sealed_key FROM accounts.signing_key").fetchall()
    assert all(SecretBox([new]).open(key) for (key,) in keys)


def test_keys_of_the_environment_are_used_as_they_are(
    on_database: Run, operator: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    add_stores(operator, SecretBox([old]), 1)
    monkeypatch.setenv("SYNCLINE_SECRET_KEYS", f"{new},{old}")
    told = json.loads(on_database("keys", "rotate-encryption", "--json").stdout)
    assert (told["new_key"], told["keys"], told["sealed_again"][STORES]) == (False, "SYNCLINE_SECRET_KEYS", 1)
    assert SecretBox([new]).open(sealed(operator)[0]) == "token of store-000"
    assert not (tmp_path / "secret.keys").exists()


def test_keys_of_a_file_of_the_operators_are_used_as_they_are(
    on_database: Run, operator: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    given = tmp_path / "given"
    given.write_text(f"{new}\n{old}\n")
    add_stores(operator, SecretBox([old]), 1)
    monkeypatch.setenv("SYNCLINE_SECRET_KEYS_FILE", str(given))
    told = json.loads(on_database("keys", "rotate-encryption", "--json").stdout)
    assert (told["new_key"], told["keys"], told["sealed_again"][STORES]) == (False, str(given), 1)
    assert given.read_text() == f"{new}\n{old}\n"


@dataclass
class Stuck:
    """A rotation of 450 secrets in a process of its own, that has done 200 and waits for a row `holder` holds."""

    process: subprocess.Popen[bytes]
    holder: psycopg.Connection


@pytest.fixture
def stuck(
    on_database: Run, operator: psycopg.Connection, database_settings: DatabaseSettings, tmp_path: Path
) -> Iterator[Stuck]:
    assert on_database("keys", "list").exit_code == 0
    (old,) = ensure_key_file(tmp_path)
    add_stores(operator, SecretBox([old]), 450)
    with psycopg.connect(str(database_settings.admin_url)) as holder:
        holder.execute("SELECT FROM commerce.store WHERE name = 'store-300' FOR UPDATE")
        command = [sys.executable, "-m", "syncline.main", "keys", "rotate-encryption", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            yield Stuck(process, holder)
            process.kill()


async def until(operator: psycopg.Connection, query: str) -> None:
    await eventually(lambda: operator.execute(query.encode()).fetchone() == (True,), 60)


@pytest.mark.process
async def test_killed_in_the_middle_the_second_run_does_the_rest(
    on_database: Run, operator: psycopg.Connection, stuck: Stuck, tmp_path: Path
) -> None:
    await until(operator, WAITS)
    stuck.process.kill()
    stuck.process.wait(60)
    stuck.holder.rollback()
    await until(operator, TURN_IS_FREE)
    new, _ = ensure_key_file(tmp_path)
    box = SecretBox([new])
    assert [box.is_newest(one) for one in sealed(operator)] == [True] * 200 + [False] * 250
    told = await asyncio.to_thread(on_database, "keys", "rotate-encryption", "--no-new-key", "--json")
    assert json.loads(told.stdout)["sealed_again"][STORES] == 250
    assert [box.open(one) for one in sealed(operator)] == [f"token of store-{number:03}" for number in range(450)]


@pytest.mark.process
async def test_of_two_at_once_one_is_told_to_wait_and_a_changed_secret_stays_changed(
    on_database: Run, operator: psycopg.Connection, stuck: Stuck, tmp_path: Path
) -> None:
    await until(operator, WAITS)
    second = await asyncio.to_thread(on_database, "keys", "rotate-encryption", "--json")
    assert (second.exit_code, json.loads(second.stdout)["code"]) == (3, "SEC_002")
    new, old = ensure_key_file(tmp_path)
    fresh = SecretBox([old]).seal("entered meanwhile")
    stuck.holder.execute("UPDATE commerce.store SET token_sealed = %s WHERE name = 'store-300'", (fresh,))
    stuck.holder.commit()
    out, _ = await asyncio.to_thread(stuck.process.communicate, timeout=60)
    assert json.loads(out)["sealed_again"][STORES] == 450
    assert SecretBox([new]).open(sealed(operator)[300]) == "entered meanwhile"
