from __future__ import annotations

import tempfile
from typing import Any
from uuid import UUID

from syncline.apps.accounts.privacy.exports import repository, service
from syncline.apps.accounts.privacy.exports.service import EXPORT_JOB
from syncline.kernel.errors import Fatal, Unavailable
from syncline.runtime.jobs import Job, JobContext, JobTakenOver
from syncline.runtime.privacy.subject import Subject, from_json


async def export_person(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Write the file. Safe to run again: an attempt that died left nothing behind that is looked at."""
    export_id, database = UUID(payload["export_id"]), ctx.runtime.database
    subject = await _take(ctx, export_id)
    if subject is None:
        return
    try:
        with tempfile.TemporaryFile() as file:
            manifest = await service.write_archive(database, ctx.tenant_id, ctx.runtime.personal_data, subject, file)
            async with database.writing(ctx.tenant_id) as session:
                # An erasure that came meanwhile has removed the row: then there is no file to keep.
                if await repository.find_export(session, export_id, lock=True) is None:
                    return
                size = await service.store(session, ctx.runtime.secrets, export_id, file)
                await service.finish(session, export_id, size=size, manifest=manifest)
                await ctx.hold(session)
    except (Unavailable, JobTakenOver):
        raise  # the database is away: the queue tries again
    except Exception as error:
        async with database.writing(ctx.tenant_id) as session:
            await service.fail(session, export_id, "An error of Syncline's own; the log has it.")
        raise Fatal("An export was stopped by an error of Syncline's own.", detail=repr(error)) from error


async def _take(ctx: JobContext, export_id: UUID) -> Subject | None:
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        row = await repository.find_export(session, export_id, lock=True)
        if row is None or row.status not in {"queued", "running"} or row.sealed_subject is None:
            return None
        await repository.update_export(session, export_id, {"status": "running"})
        return from_json(ctx.runtime.secrets.open(row.sealed_subject))


JOBS = (Job(EXPORT_JOB, export_person),)
