"""Decisions about erasures: who may be erased, what is remembered of it, and when it has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import (
    Erasure,
    ErasureNotFound,
    ErasureObjected,
    ErasurePlan,
    ErasureStep,
)
from syncline.apps.accounts.privacy.erasures import repository
from syncline.apps.accounts.privacy.erasures.replay_list import Remembered
from syncline.apps.accounts.privacy.exports.repository import delete_exports_of
from syncline.apps.accounts.privacy.subjects import ensure_references
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.audit.trail import record
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import JobQueue
from syncline.runtime.privacy.personal_data import PersonalData
from syncline.runtime.privacy.subject import Subject, to_json
from syncline.runtime.secrets import SecretBox

ERASE_JOB = "accounts.erase_person"
LISTED = 200
_LONGEST_REASON = 200


class _TakenBack(Exception):
    """Leaves a transaction without keeping it."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        super().__init__()
        self.counts = counts


async def plan(
    database: Database, tenant_id: TenantId, apps: Mapping[str, PersonalData], subject: Subject, *, keep_out: bool
) -> ErasurePlan:
    """Does it, app by app, and takes each back: what it counts is what will be done."""
    async with database.reading(tenant_id) as session:
        objections = await objections_of(session, apps, subject)
    steps: list[ErasureStep] = []
    for name, app in apps.items():
        try:
            async with database.writing(tenant_id) as session:
                await _erase_and_take_back(session, app, subject, keep_out=keep_out)
        except _TakenBack as done:
            steps.append(ErasureStep(name, _told(done.counts), None))
    return ErasurePlan(steps, objections)


async def _erase_and_take_back(session: WriteSession, app: PersonalData, subject: Subject, *, keep_out: bool) -> None:
    raise _TakenBack(await app.erase(session, subject, keep_out=keep_out))


async def objections_of(session: Session, apps: Mapping[str, PersonalData], subject: Subject) -> Sequence[str]:
    return [sentence for app in apps.values() for sentence in await app.objections(session, subject)]


async def start(
    session: WriteSession,
    queue: JobQueue,
    secrets: SecretBox,
    apps: Mapping[str, PersonalData],
    *,
    subject: Subject,
    actor: Actor,
    reason: str,
    keep_out: bool,
) -> Erasure:
    """Raises `ErasureObjected`, `InvalidInput`."""
    objections = await objections_of(session, apps, subject)
    if objections:
        raise ErasureObjected(" ".join(objections))
    erasure_id, digests = new_id(), list(await ensure_references(session, secrets, subject))
    values = {
        "id": erasure_id,
        "tenant_id": session.tenant,
        "status": "queued",
        "reason": checked_reason(reason),
        "keep_out": keep_out,
        "digests": digests,
        "sealed_subject": secrets.seal(to_json(subject)),
        "requested_by": actor.name,
        "created_at": clock.now(),
    }
    await repository.insert_erasure(session, values, list(apps))
    await queue.enqueue(session, ERASE_JOB, {"erasure_id": str(erasure_id)})
    await record(
        session,
        actor=actor,
        action="privacy erasure asked for",
        subject=f"person {_reference(digests)}",
        details={"erasure": str(erasure_id), "reason": values["reason"], "keep_out": keep_out},
    )
    return await get(session, erasure_id)


def checked_reason(reason: str) -> str:
    words = " ".join(reason.split())
    if not 1 <= len(words) <= _LONGEST_REASON or "@" in words:
        raise InvalidInput(
            f"Give the reason in 1 to {_LONGEST_REASON} characters, without an address: it is kept when he is erased.",
            fields=[FieldError("reason", f"must have 1 to {_LONGEST_REASON} characters and hold no address")],
        )
    return words


async def begin_again(
    session: WriteSession,
    queue: JobQueue,
    secrets: SecretBox,
    apps: Mapping[str, PersonalData],
    one: Remembered,
    subject: Subject,
) -> bool:
    """Takes an erasure of the list up again, under its own id. False when this database has it."""
    values = {
        "id": one.id,
        "tenant_id": session.tenant,
        "status": "queued",
        "reason": one.reason,
        "keep_out": one.keep_out,
        "digests": list(one.digests),
        "sealed_subject": secrets.seal(to_json(subject)),
        "requested_by": "the list of erasures",
        "created_at": one.at,
    }
    if not await repository.insert_erasure(session, values, list(apps)):
        return False
    await queue.enqueue(session, ERASE_JOB, {"erasure_id": str(one.id)})
    return True


async def is_unknown(session: Session, erasure_id: UUID) -> bool:
    return await repository.find_erasure(session, erasure_id) is None


async def finish(session: WriteSession, row: Row[Any]) -> None:
    """Nothing that names him is left; the trail keeps what was done."""
    await delete_exports_of(session, row.digests)
    values = {"status": "completed", "sealed_subject": None, "finished_at": clock.now(), "error": None}
    await repository.update_erasure(session, row.id, values)
    steps = await repository.list_steps(session, [row.id])
    await record(
        session,
        actor=Actor(session.tenant, "erasures", "service", method="job"),
        action="privacy erasure",
        subject=f"person {_reference(row.digests)}",
        details={"erasure": str(row.id), "erased": {step.app: step.counts for step in steps}},
    )


async def get(session: Session, erasure_id: UUID) -> Erasure:
    """Raises `ErasureNotFound`."""
    row = await repository.find_erasure(session, erasure_id)
    if row is None:
        raise ErasureNotFound(f"There is no erasure {erasure_id} here. See `syncline privacy erasures`.")
    return to_erasure(row, await repository.list_steps(session, [erasure_id]))


async def list_all(session: Session, digests: Sequence[bytes] | None) -> Sequence[Erasure]:
    rows = await repository.list_erasures(session, digests, limit=LISTED)
    steps = await repository.list_steps(session, [row.id for row in rows])
    return [to_erasure(row, [step for step in steps if step.erasure_id == row.id]) for row in rows]


def to_erasure(row: Row[Any], steps: Sequence[Row[Any]]) -> Erasure:
    return Erasure(
        id=row.id,
        status=row.status,
        reason=row.reason,
        keep_out=row.keep_out,
        reference=_reference(row.digests),
        requested_by=row.requested_by,
        created_at=row.created_at,
        finished_at=row.finished_at,
        error=row.error,
        steps=[ErasureStep(step.app, step.counts, step.finished_at) for step in steps],
    )


def _told(counts: Mapping[str, int]) -> dict[str, int]:
    """Without what there was none of."""
    return {name: count for name, count in counts.items() if count}


def _reference(digests: Sequence[bytes]) -> str:
    return bytes(digests[0]).hex() if digests else "nobody known"
