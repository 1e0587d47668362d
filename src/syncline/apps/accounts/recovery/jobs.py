from __future__ import annotations

from typing import Any

from syncline.apps.accounts.recovery.desk import RecoveryDesk
from syncline.runtime.jobs import Job, JobContext

RESET_JOB = "accounts.mail_reset"


async def mail_reset(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Mail a link to who asked for a new password, if that address has an account. Run twice within a minute it mails
    once."""
    await ctx.runtime.contract(RecoveryDesk).send_reset(payload["email"])


JOBS = (Job(RESET_JOB, mail_reset),)
