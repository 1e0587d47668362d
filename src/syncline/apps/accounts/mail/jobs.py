from __future__ import annotations

from typing import Any
from uuid import UUID

from syncline.apps.accounts.mail import service
from syncline.apps.accounts.mail.service import SEND_JOB
from syncline.kernel.errors import Fatal
from syncline.runtime.jobs import Job, JobContext
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)


async def send(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Give one mail to the server. A crash between that and the note sends it again, under the same Message-ID."""
    mail_id = UUID(payload["mail_id"])
    async with ctx.runtime.database.system() as session:
        mail = await service.find_unsent(session, mail_id, ctx.runtime.secrets)
    if mail is None:
        return
    if ctx.runtime.mailer is None:
        # Not its text: that holds a token, and logs travel.
        log.warning(
            "mail is kept, for no server is set (SYNCLINE_SMTP_URL); read it: syncline users outbox", mail=mail.id
        )
        return
    try:
        await ctx.runtime.mailer.send(mail)
    except Fatal as refused:
        async with ctx.runtime.database.system() as session:
            await service.note_failed(session, mail_id, refused.sentence)
        raise
    async with ctx.runtime.database.system() as session:
        await service.note_sent(session, mail_id)


JOBS = (Job(SEND_JOB, send),)
