"""The embedded server as its users meet it: start, share, settings, refusals."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from syncline.runtime.db import binaries
from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.server import Role, ServerHandle, ensure_server

pytestmark = pytest.mark.process


def ask(server: ServerHandle, query: LiteralString, role: Role = "operator") -> object:
    with psycopg.connect(server.url(role)) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def test_server_is_durable_and_deaf_to_the_network(data_dir: Path) -> None:
    own = ensure_server(data_dir)
    assert ask(own, "SHOW fsync") == "on"
    assert ask(own, "SHOW synchronous_commit") == "on"
    assert ask(own, "SHOW listen_addresses") == ""
    assert ask(own, "SHOW server_encoding") == "UTF8"
    assert ask(own, "SHOW timezone") == "UTC"
    assert ask(own, "SELECT lower('ÀÉ') || (SELECT min(x) FROM unnest(ARRAY['b', 'B', 'é']) x)") == "àéB"
    own.close()


def test_roles_are_an_operator_and_a_bound_application_role(server: ServerHandle) -> None:
    assert ask(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True
    query = "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
    assert ask(server, query, role="app") is False
    assert ask(server, "SELECT current_user::text", role="app") == "syncline_app"


def test_address_works_for_psql_whatever_the_shell_says(server: ServerHandle) -> None:
    command = [str(server.bin_dir / "psql"), server.url("operator"), "-Atc", "SELECT current_user"]
    environment = os.environ | {"PGPORT": "1", "PGHOST": "nowhere"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "syncline"


def test_only_the_servers_account_may_enter_the_socket_folder(server: ServerHandle) -> None:
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert server.socket_dir.stat().st_uid == (server.home / "18").stat().st_uid


def test_data_is_kept_between_runs(data_dir: Path) -> None:
    first = ensure_server(data_dir)
    with psycopg.connect(first.url("operator")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    first.close()
    second = ensure_server(data_dir)
    assert ask(second, "SELECT answer FROM kept") == 42
    second.close()


def test_handles_of_one_process_are_counted(data_dir: Path) -> None:
    first, second = ensure_server(data_dir), ensure_server(data_dir)
    assert first.postmaster_pid == second.postmaster_pid
    first.close()
    first.close()
    assert ask(second, "SELECT pg_sleep(1.5)") == ""
    assert ask(second, "SELECT 1") == 1
    second.close()


def test_path_with_spaces_quotes_and_letters_of_the_world(data_dir: Path) -> None:
    folder = data_dir / "a \"quoted\" 'folder', für $HOME & Daten"
    server = ensure_server(folder)
    assert ask(server, "SELECT 1") == 1
    server.close()


def test_path_too_long_for_a_socket(data_dir: Path) -> None:
    folder = data_dir / ("long" * 20) / ("path" * 20)
    server = ensure_server(folder)
    assert ask(server, "SELECT 1") == 1
    assert len(str(server.socket_dir)) < 90
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    server.close()


def test_database_of_another_major_version_is_refused_with_the_way_out(data_dir: Path) -> None:
    (data_dir / "postgres" / "17").mkdir(parents=True)
    with pytest.raises(
        DatabaseUnavailable, match=r"PostgreSQL 17, but this Syncline comes with PostgreSQL 18.*Dump it"
    ):
        ensure_server(data_dir)


def test_platform_without_a_wheel_names_the_setting(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "PACKAGE", "embedded_postgres_of_no_platform")
    with pytest.raises(DatabaseUnavailable, match="SYNCLINE_DATABASE_URL"):
        ensure_server(data_dir)


def test_server_that_cannot_start_says_why(data_dir: Path, processes_of: Any, wait_until: Any) -> None:
    ensure_server(data_dir).close()
    wait_until(lambda: not processes_of(data_dir))
    with (data_dir / "postgres" / "18" / "postgresql.conf").open("a") as settings:
        settings.write("shared_buffers = 'plenty'\n")
    with pytest.raises(DatabaseUnavailable, match=r"did not start:.*(shared_buffers|configuration file)"):
        ensure_server(data_dir)


def test_folder_that_is_a_file_is_refused(data_dir: Path) -> None:
    (data_dir / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match="choose another with --data-dir"):
        ensure_server(data_dir / "file")
