"""Stopping, letting go on, and asking whether something may begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text

from syncline.kernel import clock
from syncline.kernel.errors import Conflict, InvalidInput, Unavailable
from syncline.runtime.db.session import Session, WriteSession

_REASON_CHARACTERS = 300


class Mode(StrEnum):
    """Of the installation."""

    OPEN = "open"
    NO_WRITES = "no-writes"
    """Everything can be looked at, nothing changed."""
    MAINTENANCE = "maintenance"
    """Only health answers."""


@dataclass(frozen=True, slots=True)
class InstallationStop:
    mode: Mode
    reason: str
    actor: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """`store_id` None pauses the tenant as a whole."""

    store_id: UUID | None
    reason: str
    actor: str
    since: datetime


class UnderMaintenance(Unavailable):
    code = "OPS_001"
    title = "Under maintenance"


class WritesStopped(Unavailable):
    code = "OPS_002"
    title = "Nothing is changed at the moment"


class Paused(Conflict):
    code = "OPS_003"
    title = "This is paused"


_INSTALLATION = text("SELECT mode, reason, actor, since FROM controls.installation")
_STOP = text("""
    INSERT INTO controls.installation (mode, reason, actor, since) VALUES (:mode, :reason, :actor, :since)
    ON CONFLICT (single) DO UPDATE SET mode = :mode, reason = :reason, actor = :actor, since = :since
""")
_OPEN = text("DELETE FROM controls.installation")
_PAUSES = text("""
    SELECT subject, reason, actor, since FROM controls.pause WHERE tenant_id = :tenant_id ORDER BY since, subject
""")
_PAUSE = text("""
    INSERT INTO controls.pause (tenant_id, subject, reason, actor, since)
    VALUES (:tenant_id, :subject, :reason, :actor, :since)
    ON CONFLICT (tenant_id, subject) DO UPDATE SET reason = :reason, actor = :actor
""")
_RESUME = text("DELETE FROM controls.pause WHERE tenant_id = :tenant_id AND subject = :subject RETURNING 1")


async def stop_installation(session: WriteSession, mode: Mode, *, reason: str, actor: str) -> InstallationStop | None:
    """For every tenant, until `Mode.OPEN`. Raises `InvalidInput` without a reason: people will be shown it."""
    if mode is Mode.OPEN:
        await session.execute(_OPEN)
        return None
    values = {"mode": mode.value, "reason": _reason(reason), "actor": actor, "since": clock.now()}
    await session.execute(_STOP, values)
    return await installation_stop(session)


async def installation_stop(session: Session) -> InstallationStop | None:
    row = (await session.execute(_INSTALLATION)).one_or_none()
    return None if row is None else InstallationStop(Mode(row.mode), row.reason, row.actor, row.since)


async def pause(session: WriteSession, *, store_id: UUID | None, reason: str, actor: str) -> Pause:
    """Pausing again gives another reason and keeps since when. Raises `InvalidInput` without a reason."""
    values = {
        "tenant_id": session.tenant,
        "subject": _subject(store_id),
        "reason": _reason(reason),
        "actor": actor,
        "since": clock.now(),
    }
    await session.execute(_PAUSE, values)
    return next(one for one in await list_pauses(session) if one.store_id == store_id)


async def resume(session: WriteSession, *, store_id: UUID | None) -> bool:
    """Whether it was paused."""
    values = {"tenant_id": session.tenant, "subject": _subject(store_id)}
    return (await session.execute(_RESUME, values)).one_or_none() is not None


async def list_pauses(session: Session) -> Sequence[Pause]:
    """Of the session's tenant, the oldest first."""
    rows = await session.execute(_PAUSES, {"tenant_id": session.tenant})
    return [Pause(UUID(row.subject) if row.subject else None, row.reason, row.actor, row.since) for row in rows]


async def require_open(session: Session, *, store_id: UUID | None = None) -> None:
    """Call it where a write begins, such as a push or a pull, in its transaction.

    Raises `UnderMaintenance`, `WritesStopped` or `Paused`, with the reason that was given.
    """
    refuse_stopped(await installation_stop(session), is_write=True)
    refuse_paused(await list_pauses(session), store_id=store_id)


def refuse_stopped(stop: InstallationStop | None, *, is_write: bool) -> None:
    """Raises `UnderMaintenance` or `WritesStopped`."""
    if stop is None:
        return
    if stop.mode is Mode.MAINTENANCE:
        raise UnderMaintenance(f"Syncline is under maintenance: {stop.reason}", extra={"retry_after": 60})
    if is_write:
        raise WritesStopped(
            f"Nothing is changed at the moment: {stop.reason} Everything can be looked at.", extra={"retry_after": 60}
        )


def refuse_paused(pauses: Sequence[Pause], *, store_id: UUID | None = None) -> None:
    """Raises `Paused` if the tenant, or this store of it, is."""
    for one in pauses:
        if one.store_id is None:
            raise Paused(f"{one.actor} paused all changes of this tenant: {one.reason}")
        if one.store_id == store_id:
            raise Paused(f"{one.actor} paused this store: {one.reason}")


def _subject(store_id: UUID | None) -> str:
    return "" if store_id is None else str(store_id)


def _reason(text_given: str) -> str:
    reason = " ".join(text_given.split())[:_REASON_CHARACTERS]
    if not reason:
        raise InvalidInput("Say why: the reason is shown to everybody who is refused.")
    return reason if reason.endswith((".", "!", "?", "…")) else f"{reason}."
