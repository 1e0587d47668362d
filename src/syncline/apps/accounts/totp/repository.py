from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, or_, select, update

from syncline.apps.accounts.totp.models import recovery_code, totp_device
from syncline.runtime.db.session import Session, WriteSession


async def find_device(session: Session, user_id: UUID) -> Row[Any] | None:
    return (await session.execute(select(totp_device).where(totp_device.c.user_id == user_id))).one_or_none()


async def replace_device(session: WriteSession, values: dict[str, Any]) -> None:
    await session.execute(delete(totp_device).where(totp_device.c.user_id == values["user_id"]))
    await session.execute(totp_device.insert().values(**values))


async def delete_device(session: WriteSession, user_id: UUID) -> None:
    await session.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))
    await session.execute(delete(totp_device).where(totp_device.c.user_id == user_id))


async def take_step(session: WriteSession, user_id: UUID, step: int) -> bool:
    """Whether this transaction is the first to use the code of `step`, or of a later one."""
    unused = or_(totp_device.c.last_step.is_(None), totp_device.c.last_step < step)
    query = update(totp_device).where(totp_device.c.user_id == user_id, unused).values(last_step=step)
    return (await session.execute(query.returning(totp_device.c.user_id))).one_or_none() is not None


async def confirm_device(session: WriteSession, user_id: UUID, at: datetime) -> None:
    await session.execute(update(totp_device).where(totp_device.c.user_id == user_id).values(confirmed_at=at))


async def replace_codes(session: WriteSession, user_id: UUID, digests: Iterable[bytes]) -> None:
    await session.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))
    await session.execute(recovery_code.insert(), [{"user_id": user_id, "digest": one} for one in digests])


async def take_code(session: WriteSession, user_id: UUID, digest: bytes) -> bool:
    query = delete(recovery_code).where(recovery_code.c.user_id == user_id, recovery_code.c.digest == digest)
    return (await session.execute(query.returning(recovery_code.c.user_id))).one_or_none() is not None


async def count_codes(session: Session, user_id: UUID) -> int:
    query = select(func.count()).select_from(recovery_code).where(recovery_code.c.user_id == user_id)
    return (await session.execute(query)).scalar_one()
