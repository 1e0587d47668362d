"""How long accounts keep what is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Table, delete, func, or_, select

from syncline.apps.accounts.invitations.models import invitation
from syncline.apps.accounts.keys.models import api_key
from syncline.apps.accounts.privacy.exports.models import personal_export
from syncline.apps.accounts.signin.models import session as sign_in
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import RetentionRule

Older = Callable[[datetime], ColumnElement[bool]]


def _rule(name: str, about: str, days: int | None, table: Table, older: Older) -> RetentionRule:
    async def count(session: Session, before: datetime) -> int:
        mine = (table.c.tenant_id == session.tenant, older(before))
        return int(await session.scalar(select(func.count()).select_from(table).where(*mine)) or 0)

    async def remove(session: WriteSession, before: datetime, limit: int) -> int:
        some = select(table.c.id).where(table.c.tenant_id == session.tenant, older(before)).limit(limit)
        query = delete(table).where(table.c.tenant_id == session.tenant, table.c.id.in_(some))
        return len((await session.execute(query.returning(table.c.id))).all())

    return RetentionRule(name, about, days, count, remove)


RULES = (
    _rule(
        "accounts.sessions",
        "Sign-ins with their address and device, from their end",
        30,
        sign_in,
        lambda before: or_(sign_in.c.ended_at < before, sign_in.c.expires_at < before),
    ),
    _rule(
        "accounts.invitations",
        "Invitations that were accepted, withdrawn or have expired",
        90,
        invitation,
        lambda before: or_(
            invitation.c.accepted_at < before, invitation.c.revoked_at < before, invitation.c.expires_at < before
        ),
    ),
    _rule(
        "accounts.keys",
        "Keys that were revoked or have expired",
        365,
        api_key,
        lambda before: or_(api_key.c.revoked_at < before, api_key.c.expires_at < before),
    ),
    _rule(
        "accounts.exports",
        "What is left of personal data exports: who asked, when, how much",
        365,
        personal_export,
        lambda before: personal_export.c.expires_at < before,
    ),
)
