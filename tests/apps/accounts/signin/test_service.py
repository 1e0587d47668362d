from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg
from psycopg.errors import LockNotAvailable
from sqlalchemy import event

from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin.service import seconds_to_wait
from syncline.runtime.db.engine import Database


async def attempt(database: Database) -> int | None:
    settings = AccountsSettings(throttle_after=2)
    async with database.system() as db:
        return await seconds_to_wait(db, email_key="ada@example.com", address="192.0.2.1", settings=settings)


async def test_an_attempt_is_counted_while_another_that_succeeded_wants_the_count_gone(database: Database) -> None:
    assert await attempt(database) is None

    def take_away(statement: str, **_: Any) -> None:
        about_it = "sign_in_throttle" in statement
        with psycopg.connect(database.operator_url, autocommit=True) as other:
            other.execute("SET lock_timeout = '50ms'")
            with suppress(LockNotAvailable):
                other.execute("DELETE FROM accounts.sign_in_throttle WHERE %s", (about_it,))

    event.listen(database.engine.sync_engine, "after_cursor_execute", take_away, named=True)
    assert await attempt(database) is None
    event.remove(database.engine.sync_engine, "after_cursor_execute", take_away)
    assert await attempt(database) is not None
