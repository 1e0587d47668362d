"""Tickets: a page of ours asks for one with its credential, and opens a stream with it.

A browser sets no headers on a WebSocket or an EventSource, and what stands in an address is written into logs. A ticket
is worth nothing there: it is good once, for half a minute, and for looking only.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from psycopg.sql import SQL

from syncline.kernel import clock
from syncline.kernel.tenant import Actor, TenantId, granted_to
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession

GOOD_FOR = timedelta(seconds=30)
PERMISSION = "changes:read"
"""What it takes to watch; a ticket carries nothing else."""

_FORM = re.compile(r"slt_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")
_ADD = SQL("INSERT INTO live.ticket (tenant_id, digest, actor, expires_at) VALUES (%s, %s, %s::jsonb, %s)")
_TAKE = SQL("DELETE FROM live.ticket WHERE tenant_id = %s AND digest = %s AND expires_at > %s RETURNING actor")
_FORGET = SQL("DELETE FROM live.ticket WHERE tenant_id = %s AND expires_at <= %s")


async def issue(session: WriteSession, actor: Actor) -> str:
    """A ticket for `actor`, in his tenant. Only its digest is kept."""
    ticket = f"slt_{actor.tenant_id.hex}_{token_urlsafe(32)}"
    now = clock.now()
    connection = await session.driver()
    await connection.execute(_FORGET, (session.tenant, now))
    row = (session.tenant, _digest(ticket), json.dumps(_kept(actor)), now + GOOD_FOR)
    await connection.execute(_ADD, row)
    return ticket


async def redeem(database: Database, ticket: str) -> Actor | None:
    """Whose it is; None for one that was used, is too old or never was."""
    form = _FORM.fullmatch(ticket)
    if form is None:
        return None
    tenant = TenantId(UUID(form[1]))
    async with database.writing(tenant) as session:
        taken = await (await session.driver()).execute(_TAKE, (tenant, _digest(ticket), clock.now()))
        row = await taken.fetchone()
    return None if row is None else _actor(tenant, row[0])


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()


def _kept(actor: Actor) -> dict[str, Any]:
    may = PERMISSION in granted_to(actor) or "*" in granted_to(actor)
    narrowed = replace(actor, scopes=frozenset({PERMISSION} if may else ()))
    return {
        "name": narrowed.name,
        "role": narrowed.role,
        "user_id": None if narrowed.user_id is None else str(narrowed.user_id),
        "method": narrowed.method,
        "session_id": None if narrowed.session_id is None else str(narrowed.session_id),
        "scopes": sorted(narrowed.scopes or ()),
    }


def _actor(tenant: TenantId, kept: dict[str, Any]) -> Actor:
    return Actor(
        tenant_id=tenant,
        name=kept["name"],
        role=kept["role"],
        user_id=UUID(kept["user_id"]) if kept["user_id"] else None,
        method=kept["method"],
        session_id=UUID(kept["session_id"]) if kept["session_id"] else None,
        scopes=frozenset(kept["scopes"]),
    )
