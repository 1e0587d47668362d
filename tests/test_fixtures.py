"""The fixtures that every test leans on."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import text

from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession


def test_connecting_to_a_stranger_fails() -> None:
    with socket.socket() as outgoing, pytest.raises(RuntimeError, match="reached for the network"):
        outgoing.connect(("192.0.2.1", 80))


def test_looking_up_a_name_fails() -> None:
    with pytest.raises(RuntimeError, match="reached for the network"):
        socket.getaddrinfo("example.com", 80)


def test_this_machine_may_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as outgoing:
        outgoing.connect(listening.getsockname())
        assert outgoing.getpeername() == listening.getsockname()


async def test_session_is_a_transaction_of_the_tenant(session: WriteSession, tenant_id: TenantId) -> None:
    assert session.tenant == tenant_id
    assert await session.scalar(text("SELECT current_setting('syncline.tenant')")) == str(tenant_id)


async def test_database_is_migrated_and_bound(database: Database) -> None:
    async with database.system() as session:
        assert await session.scalar(text("SELECT current_user::text")) == "syncline_app"
