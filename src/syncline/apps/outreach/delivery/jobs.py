from __future__ import annotations

from datetime import timedelta
from typing import Any

from syncline.apps.outreach.connections.service import ConnectionNotFound
from syncline.apps.outreach.delivery import service
from syncline.apps.outreach.watching import service as watching
from syncline.kernel.errors import ConnectorOutcome
from syncline.runtime.jobs import Job, JobContext, RetryPolicy

# Mixpanel asks for waits from 2 s doubling to 60 s; the connector keeps to that, and this begins where it gave up.
RETRY = RetryPolicy(max_attempts=40, base=timedelta(seconds=2), cap=timedelta(minutes=5))


async def deliver(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Everything of a tenant that waits for Mixpanel. Safe to run again: what may have been sent is read back first."""
    del payload
    try:
        await service.deliver(ctx)
    except ConnectionNotFound:
        return  # it was taken away; what waits waits on
    except ConnectorOutcome as error:
        await watching.note(ctx.runtime, ctx.tenant_id, watching.MIXPANEL, sentence=error.sentence)
        raise
    await watching.note(ctx.runtime, ctx.tenant_id, watching.MIXPANEL, sentence=None)


JOBS = (Job(service.DELIVER_JOB, deliver, retry=RETRY, lock=lambda _: "mixpanel"),)
