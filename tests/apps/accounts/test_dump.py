"""A dump of the database is worth nothing to a thief: no password, key or token can be read out of it."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import psycopg

from syncline.apps.accounts.totp.codes import code_at, step_of
from syncline.kernel import clock
from syncline.runtime.db.settings import DatabaseSettings

Signed = dict[str, Any]
PASSWORD = "four words in a row"


async def test_a_dump_of_the_accounts_holds_no_secret_in_clear(
    client: httpx.AsyncClient, ada: Signed, mailbox: Any, database_settings: DatabaseSettings
) -> None:
    headers = {"Authorization": f"Bearer {ada['access_token']}"}
    begun = (await client.post("/api/auth/totp", json={"password": PASSWORD}, headers=headers)).json()
    seed = base64.b32decode(begun["secret"])
    code = code_at(seed, step_of(clock.now()))
    confirmed = await client.post("/api/auth/totp/confirm", json={"code": code}, headers=headers)
    key = (await client.post("/api/keys", json={"name": "a", "role": "viewer"}, headers=headers)).json()["key"]
    await client.post("/api/invitations", json={"email": "bob@example.com", "role": "viewer"}, headers=headers)
    await client.post("/api/auth/forgot-password", json={"email": "ada@example.com"})
    login = {"email": "ada@example.com", "password": PASSWORD}
    challenge = (await client.post("/api/auth/login", json=login)).json()["challenge"]
    codes = confirmed.json()["recovery_codes"]
    tokens = [await mailbox.token(kind) for kind in ("verify_email", "reset_password", "invitation")]
    whole = [key, challenge, ada["refresh_token"], *tokens]
    secrets = [
        PASSWORD,
        begun["secret"],
        ada["access_token"],
        *codes,
        *(code.replace("-", "") for code in codes),
        *whole,
        *(one[-43:] for one in whole),
    ]
    dumped = dump(str(database_settings.admin_url))
    assert "ada@example.com" in dumped
    forms = [form for one in secrets for form in (one, one.encode().hex(), base64.b64encode(one.encode()).decode())]
    forms += [seed.hex(), base64.b64encode(seed).decode()]
    assert [form for form in forms if form in dumped] == []


_TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('accounts', 'jobs', 'bus')
"""


def dump(url: str) -> str:
    """Every row of every table, of the jobs and events too, past row-level security."""
    with psycopg.connect(url) as connection:
        names = connection.execute(_TABLES).fetchall()
        connection.execute("SET row_security = off")
        rows = [connection.execute(f"SELECT t::text FROM {name} t".encode()).fetchall() for (name,) in names]
    return "\n".join(row for table in rows for (row,) in table)
