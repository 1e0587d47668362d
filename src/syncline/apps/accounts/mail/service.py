from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import OutgoingMail
from syncline.apps.accounts.mail import repository
from syncline.apps.accounts.mail.letters import Letter
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import JobQueue
from syncline.runtime.mail import Mail
from syncline.runtime.secrets import SecretBox

SEND_JOB = "accounts.send_mail"


class PostOffice:
    """Takes letters. What it takes is sent if, and only if, the transaction it was given in commits."""

    def __init__(self, queue: JobQueue, secrets: SecretBox) -> None:
        self._queue = queue
        self._secrets = secrets

    async def post(self, session: WriteSession, letter: Letter, *, to: str) -> UUID:
        mail_id = new_id()
        values = {
            "id": mail_id,
            "kind": letter.kind,
            "recipient": to,
            "subject": letter.subject,
            "sealed_text": self._secrets.seal(letter.text),
            "created_at": clock.now(),
        }
        await repository.insert_mail(session, values)
        await self._queue.enqueue(session, SEND_JOB, {"mail_id": str(mail_id)})
        return mail_id


async def find_unsent(session: Session, mail_id: UUID, secrets: SecretBox) -> Mail | None:
    row = await repository.find_mail(session, mail_id)
    if row is None or row.sent_at is not None or row.sealed_text is None:
        return None
    return Mail(id=row.id.hex, to=row.recipient, subject=row.subject, text=secrets.open(row.sealed_text))


async def note_sent(session: WriteSession, mail_id: UUID) -> None:
    """Its text is not needed any more, and held a token."""
    await repository.update_mail(session, mail_id, {"sent_at": clock.now(), "sealed_text": None, "reason": None})


async def note_failed(session: WriteSession, mail_id: UUID, reason: str) -> None:
    await repository.update_mail(session, mail_id, {"failed_at": clock.now(), "reason": reason})


async def list_mails(session: Session, secrets: SecretBox, *, limit: int) -> Sequence[OutgoingMail]:
    return [_to_mail(row, secrets) for row in await repository.list_mails(session, limit=limit)]


def _to_mail(row: Row[Any], secrets: SecretBox) -> OutgoingMail:
    return OutgoingMail(
        id=row.id,
        kind=row.kind,
        recipient=row.recipient,
        subject=row.subject,
        text=None if row.sealed_text is None else secrets.open(row.sealed_text),
        created_at=row.created_at,
        sent_at=row.sent_at,
        failed_at=row.failed_at,
        reason=row.reason,
    )
