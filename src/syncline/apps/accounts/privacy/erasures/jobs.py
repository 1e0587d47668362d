from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from syncline.apps.accounts.privacy.erasures import replay_list, repository, service
from syncline.apps.accounts.privacy.erasures.replay_list import Remembered
from syncline.apps.accounts.privacy.erasures.service import ERASE_JOB
from syncline.kernel import clock
from syncline.runtime.jobs import Job, JobContext, RetryPolicy
from syncline.runtime.privacy.subject import from_json, to_json


async def erase_person(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Take somebody out of every app, each in a transaction that also notes it as done: whoever goes on after a crash
    begins with the app that has none.

    Before anything is erased he is written into the list outside of the database, so that no backup, whenever it was
    made, brings him back for good.
    """
    erasure_id, database = UUID(payload["erasure_id"]), ctx.runtime.database
    async with database.writing(ctx.tenant_id) as session:
        row = await repository.find_erasure(session, erasure_id, lock=True)
        if row is None or row.status == "completed" or row.sealed_subject is None:
            return
        await repository.update_erasure(session, erasure_id, {"status": "running"})
        steps = await repository.list_steps(session, [erasure_id])
    subject = from_json(ctx.runtime.secrets.open(row.sealed_subject))
    if ctx.runtime.erasure_list is not None:
        remembered = Remembered(
            id=row.id,
            tenant_id=ctx.tenant_id,
            at=row.created_at,
            reason=row.reason,
            keep_out=row.keep_out,
            digests=[bytes(digest) for digest in row.digests],
            numbers=to_json(subject.numbers_only()),
        )
        await asyncio.to_thread(replay_list.append, ctx.runtime.erasure_list, remembered)
    done = {step.app for step in steps if step.finished_at is not None}
    # An app that this release brought since the erasure was asked for has no step; what it has come to hold of him
    # since is not what was asked.
    waiting = [app for app in ctx.runtime.personal_data if app in {step.app for step in steps} - done]
    for name in waiting:
        async with database.writing(ctx.tenant_id) as session:
            counts = await ctx.runtime.personal_data[name].erase(session, subject, keep_out=row.keep_out)
            values = {"counts": {what: n for what, n in counts.items() if n}, "finished_at": clock.now()}
            await repository.update_step(session, erasure_id, name, values)
            await ctx.hold(session)
    async with database.writing(ctx.tenant_id) as session:
        locked = await repository.find_erasure(session, erasure_id, lock=True)
        if locked is not None and locked.status != "completed":
            await service.finish(session, locked)
        await ctx.hold(session)


def _one_at_a_time(payload: Any) -> str:
    return f"erasure:{payload['erasure_id']}"


JOBS = (Job(ERASE_JOB, erase_person, retry=RetryPolicy(max_attempts=20), lock=_one_at_a_time),)
