"""Decisions about exports: what is in the file, when it may be fetched, and when it is gone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import ExportExpired, ExportNotFound, ExportNotReady, PersonalExport
from syncline.apps.accounts.privacy.exports import repository
from syncline.apps.accounts.privacy.subjects import ensure_references, identified
from syncline.apps.accounts.repository import list_tenants
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.audit.trail import record
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import JobQueue
from syncline.runtime.privacy.archive import Archive
from syncline.runtime.privacy.personal_data import PersonalData
from syncline.runtime.privacy.subject import Subject, to_json
from syncline.runtime.secrets import SecretBox

EXPORT_JOB = "accounts.export_person"
_SLICE_BYTES = 1_000_000


async def write_archive(
    database: Database, tenant_id: TenantId, apps: Mapping[str, PersonalData], subject: Subject, file: BinaryIO
) -> Mapping[str, Any]:
    """All apps as they were at one moment. Answers the manifest."""
    archive = Archive(file)
    async with database.reading_still(tenant_id) as session:
        subject = await identified(session, apps, subject)
        for name, app in apps.items():
            await archive.add(name, app.export(session, subject))
        tenants = [row.name for row in await list_tenants(session, [tenant_id])]
    about = {
        "tenant": "".join(tenants),
        "emails": sorted(subject.emails),
        "records": {kind: sorted(ids) for kind, ids in subject.records.items()},
    }
    return archive.finish({"about": about})


async def start(
    session: WriteSession,
    queue: JobQueue,
    secrets: SecretBox,
    *,
    subject: Subject,
    actor: Actor,
    lifetime: timedelta,
) -> PersonalExport:
    """`subject` as every app knows it."""
    now, export_id = clock.now(), new_id()
    digests = list(await ensure_references(session, secrets, subject))
    values = {
        "id": export_id,
        "tenant_id": session.tenant,
        "status": "queued",
        "digests": digests,
        "sealed_subject": secrets.seal(to_json(subject)),
        "requested_by": actor.name,
        "created_at": now,
        "expires_at": now + lifetime,
    }
    row = await repository.insert_export(session, values)
    await queue.enqueue(session, EXPORT_JOB, {"export_id": str(export_id)})
    await note_read(session, actor, digests, export_id)
    return to_export(row)


async def note_read(session: WriteSession, actor: Actor, digests: list[bytes], export_id: UUID | None = None) -> None:
    """Personal data was read: whose, is said by a digest that only this installation can tell."""
    reference = digests[0].hex() if digests else "nobody known"
    details = {} if export_id is None else {"export": str(export_id)}
    await record(session, actor=actor, action="privacy export", subject=f"person {reference}", details=details)


async def store(session: WriteSession, secrets: SecretBox, export_id: UUID, file: BinaryIO) -> int:
    """The file in sealed slices, in place of what another attempt stored. How many bytes it has."""
    await repository.delete_parts(session, [export_id])
    file.seek(0)
    number = size = 0
    while data := file.read(_SLICE_BYTES):
        await repository.insert_part(session, export_id, number, secrets.seal_bytes(data))
        number, size = number + 1, size + len(data)
    return size


async def finish(session: WriteSession, export_id: UUID, *, size: int, manifest: Mapping[str, Any]) -> None:
    """What stays in the row counts, and names nobody."""
    counts = {"counts": manifest["counts"], "records": manifest["records"], "made_at": manifest["made_at"]}
    values = {
        "status": "completed",
        "size_bytes": size,
        "manifest": counts,
        "sealed_subject": None,
        "finished_at": clock.now(),
    }
    await repository.update_export(session, export_id, values)


async def fail(session: WriteSession, export_id: UUID, sentence: str) -> None:
    values = {"status": "failed", "error": sentence, "sealed_subject": None, "finished_at": clock.now()}
    await repository.update_export(session, export_id, values)


async def get(session: Session, export_id: UUID) -> PersonalExport:
    """Raises `ExportNotFound`."""
    row = await repository.find_export(session, export_id)
    if row is None:
        raise ExportNotFound(f"There is no export {export_id} here. Ask for one: POST /api/privacy/exports.")
    return to_export(row)


async def get_ready(session: Session, export_id: UUID) -> PersonalExport:
    """One whose file can be fetched. Raises `ExportNotFound`, `ExportNotReady`, `ExportExpired`."""
    found = await get(session, export_id)
    if found.status == "expired":
        raise ExportExpired(f"The file was kept until {clock.iso(found.expires_at)}. Ask for a new one.")
    if found.status != "completed":
        told = f"It failed: {found.error}" if found.status == "failed" else f"It is {found.status}; look again soon."
        raise ExportNotReady(f"There is no file yet. {told}")
    return found


def holds_account(export: PersonalExport) -> bool:
    """Whether it is of somebody with an account, who may belong to other tenants too."""
    counts: Mapping[str, Mapping[str, int]] = (export.manifest or {}).get("counts", {})
    return bool(counts.get("accounts", {}).get("account"))


async def expire(session: WriteSession) -> int:
    """Remove the files whose time is over; the rows stay and say so."""
    ids = await repository.list_expired(session, clock.now())
    if ids:
        await repository.delete_parts(session, ids)
    for export_id in ids:
        await repository.update_export(session, export_id, {"status": "expired", "sealed_subject": None})
    return len(ids)


def to_export(row: Row[Any]) -> PersonalExport:
    is_over = row.expires_at <= clock.now()
    return PersonalExport(
        id=row.id,
        status="expired" if is_over else row.status,
        requested_by=row.requested_by,
        created_at=row.created_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
        size_bytes=row.size_bytes,
        manifest=row.manifest,
        error=row.error,
    )
