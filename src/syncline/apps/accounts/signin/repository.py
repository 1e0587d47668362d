from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, any_, delete, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.accounts.kept import forget
from syncline.apps.accounts.people.models import membership, user_account
from syncline.apps.accounts.signin.models import (
    refresh_token,
    session,
    sign_in_challenge,
    sign_in_throttle,
    signing_key,
)
from syncline.runtime.db.session import Session, WriteSession

_LOCK_KEYS = text("SELECT pg_advisory_xact_lock(hashtext('accounts.signing_key'))")


async def list_signing_keys(db: Session) -> Sequence[Row[Any]]:
    return (await db.execute(select(signing_key).order_by(signing_key.c.signs_from, signing_key.c.kid))).all()


async def lock_signing_keys(db: WriteSession) -> None:
    """One process at a time makes keys."""
    await db.execute(_LOCK_KEYS)


async def insert_signing_key(db: WriteSession, values: dict[str, Any]) -> None:
    await db.execute(signing_key.insert().values(**values))


async def delete_signing_keys(db: WriteSession, kids: Collection[str]) -> None:
    await db.execute(delete(signing_key).where(signing_key.c.kid.in_(kids)))


async def lock_throttle(db: WriteSession, account: bytes, address: str, now: datetime) -> Row[Any]:
    """The row, made if need be: without it two first attempts would not see each other. Found and locked in one
    statement: between two, an attempt that succeeded could take it away."""
    values = {"account": account, "address": address, "failures": 0, "failed_at": now, "closed_until": now}
    query = insert(sign_in_throttle).values(**values)
    query = query.on_conflict_do_update(
        index_elements=[sign_in_throttle.c.account, sign_in_throttle.c.address],
        set_={"failures": sign_in_throttle.c.failures},
    )
    return (await db.execute(query.returning(*sign_in_throttle.c))).one()


async def update_throttle(db: WriteSession, account: bytes, address: str, values: dict[str, Any]) -> None:
    query = update(sign_in_throttle).where(sign_in_throttle.c.account == account, sign_in_throttle.c.address == address)
    await db.execute(query.values(**values))


async def delete_throttle(db: WriteSession, account: bytes, address: str) -> None:
    await db.execute(
        delete(sign_in_throttle).where(sign_in_throttle.c.account == account, sign_in_throttle.c.address == address)
    )


async def insert_session(db: WriteSession, values: dict[str, Any]) -> Row[Any]:
    return (await db.execute(session.insert().values(**values).returning(*session.c))).one()


async def insert_refresh_token(db: WriteSession, values: dict[str, Any]) -> None:
    await db.execute(refresh_token.insert().values(**values))


async def find_refresh_token(db: Session, digest: bytes) -> Row[Any] | None:
    """The token with its session, which is locked: of two uses at once one comes second, and sees that it does."""
    found = select(refresh_token.c.session_id).where(refresh_token.c.digest == digest)
    session_id = (await db.execute(found)).scalar_one_or_none()
    if session_id is None:
        return None
    await db.execute(select(session.c.id).where(session.c.id == session_id).with_for_update())
    query: Select[Any] = (
        select(
            session,
            refresh_token.c.used_at,
            refresh_token.c.expires_at.label("token_expires_at"),
        )
        .join(refresh_token, refresh_token.c.session_id == session.c.id)
        .where(refresh_token.c.digest == digest)
    )
    row: Row[Any] | None = (await db.execute(query)).one_or_none()
    return row


async def mark_token_used(db: WriteSession, digest: bytes, at: datetime) -> None:
    await db.execute(update(refresh_token).where(refresh_token.c.digest == digest).values(used_at=at))


async def update_session(db: WriteSession, session_id: UUID, values: dict[str, Any]) -> None:
    await db.execute(update(session).where(session.c.id == session_id).values(**values))


async def mark_session_seen(db: WriteSession, session_id: UUID, at: datetime, *, every: timedelta) -> None:
    await db.execute(
        update(session).where(session.c.id == session_id, session.c.last_seen_at <= at - every).values(last_seen_at=at)
    )


async def end_sessions(
    db: WriteSession,
    user_id: UUID,
    at: datetime,
    because: str,
    *,
    only: UUID | None = None,
    but: UUID | None = None,
    within: UUID | None = None,
) -> int:
    """Ends the live sessions of a person that the transaction can see: `only` one, or all `but` one; those of one
    tenant if asked."""
    query = update(session).where(session.c.user_id == user_id, session.c.ended_at.is_(None))
    if within is not None:
        query = query.where(session.c.tenant_id == within)
    if only is not None:
        query = query.where(session.c.id == only)
    if but is not None:
        query = query.where(session.c.id != but)
    forget(user_id)
    ended = await db.scalars(query.values(ended_at=at, ended_because=because).returning(session.c.id))
    return len(ended.all())


async def list_sessions(db: Session, user_id: UUID, now: datetime, *, within: UUID | None = None) -> Sequence[Row[Any]]:
    """The live ones, in all tenants or `within` one."""
    query = select(session).where(
        session.c.user_id == user_id, session.c.ended_at.is_(None), session.c.expires_at > now
    )
    if within is not None:
        query = query.where(session.c.tenant_id == within)
    return (await db.execute(query.order_by(session.c.last_seen_at.desc()))).all()


async def find_methods(db: Session, session_id: UUID) -> Sequence[str] | None:
    """How the person of a session proved who he is."""
    methods: Sequence[str] | None = await db.scalar(select(session.c.methods).where(session.c.id == session_id))
    return methods


async def end_sessions_by(db: WriteSession, method: str, at: datetime, because: str) -> None:
    """Ends the live sessions of the tenant that were opened by `method`."""
    live = (session.c.tenant_id == db.tenant, session.c.ended_at.is_(None), any_(session.c.methods) == method)
    ended = await db.scalars(
        update(session).where(*live).values(ended_at=at, ended_because=because).returning(session.c.user_id)
    )
    for user_id in ended.all():
        forget(user_id)


async def find_session(db: Session, session_id: UUID) -> Row[Any] | None:
    return (await db.execute(select(session).where(session.c.id == session_id))).one_or_none()


async def find_standing(db: Session, user_id: UUID, tenant_id: UUID, session_id: UUID) -> Row[Any] | None:
    """What decides whether a genuine access token still opens `tenant_id`: one row, or none."""
    query: Select[Any] = (
        select(
            membership.c.role,
            user_account.c.name,
            user_account.c.disabled_at,
            session.c.ended_at,
            session.c.expires_at,
            session.c.last_seen_at,
        )
        .select_from(membership)
        .join(user_account, user_account.c.id == membership.c.user_id)
        .join(session, session.c.user_id == membership.c.user_id)
        .where(membership.c.user_id == user_id, membership.c.tenant_id == tenant_id, session.c.id == session_id)
    )
    row: Row[Any] | None = (await db.execute(query)).one_or_none()
    return row


async def delete_throttles(db: WriteSession, *, before: datetime) -> None:
    await db.execute(delete(sign_in_throttle).where(sign_in_throttle.c.failed_at < before))


async def delete_sessions(db: WriteSession, *, before: datetime) -> None:
    """With their tokens, which the database takes along."""
    over = or_(session.c.ended_at < before, session.c.expires_at < before)
    await db.execute(delete(session).where(session.c.tenant_id == db.tenant, over))


async def insert_challenge(db: WriteSession, values: dict[str, Any], now: datetime) -> None:
    """Also removes those of the same person that are over."""
    stale = (sign_in_challenge.c.user_id == values["user_id"], sign_in_challenge.c.expires_at <= now)
    await db.execute(delete(sign_in_challenge).where(*stale))
    await db.execute(sign_in_challenge.insert().values(**values))


async def try_challenge(db: WriteSession, digest: bytes, now: datetime, *, most: int) -> bool:
    """Counts one try as failed, and answers whether there was one left."""
    query = update(sign_in_challenge).where(
        sign_in_challenge.c.digest == digest,
        sign_in_challenge.c.expires_at > now,
        sign_in_challenge.c.failures < most,
    )
    tried = query.values(failures=sign_in_challenge.c.failures + 1).returning(sign_in_challenge.c.user_id)
    return (await db.execute(tried)).one_or_none() is not None


async def take_challenge(db: WriteSession, digest: bytes) -> Row[Any] | None:
    query = delete(sign_in_challenge).where(sign_in_challenge.c.digest == digest).returning(*sign_in_challenge.c)
    row: Row[Any] | None = (await db.execute(query)).one_or_none()
    return row
