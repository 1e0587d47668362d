from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.operations.channels import repository as channels
from syncline.apps.operations.contract import ChannelKind, DeliveryStatus
from syncline.apps.operations.deliveries import repository
from syncline.apps.operations.deliveries.sending import GONE, SENDERS, Letter, NoMailServer
from syncline.apps.operations.deliveries.wording import Notice
from syncline.kernel import clock
from syncline.kernel.errors import ConnectorOutcome, DomainError, Retriable
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs import JobQueue

DELIVER_JOB = "operations.deliver_notice"


async def tell_channels(
    session: WriteSession,
    queue: JobQueue,
    *,
    event_id: UUID,
    operation: str | None,
    notice: Notice,
) -> int:
    """A delivery, with its job, for each channel that wants to know; answers how many. The same event a second time
    adds nothing. What is about no operation everybody wants to know."""
    count = 0
    for row in await channels.list_all(session):
        wants = operation is None or not row.operations or operation in row.operations
        if not row.is_enabled or not wants or (row.only_failures and not notice.is_failure):
            continue
        added = await write_down(session, row.id, event_id, notice)
        if added is not None:
            await queue.enqueue(session, DELIVER_JOB, {"delivery_id": str(added)})
            count += 1
    return count


async def write_down(session: WriteSession, channel_id: UUID, event_id: UUID, notice: Notice) -> UUID | None:
    values = {
        "id": new_id(),
        "channel_id": channel_id,
        "event_id": event_id,
        "subject": notice.subject,
        "text": notice.text,
        "body": notice.body,
        "created_at": clock.now(),
    }
    return await repository.add(session, values)


async def attempt(runtime: Runtime, tenant_id: TenantId, delivery_id: UUID, *, is_last: bool = False) -> None:
    """One attempt at one delivery, with its receipt. Raises what stands in the way; after `is_last` the receipt says
    that it failed.

    That it is being sent is committed first. Whoever finds it so begins after a crash, and cannot know whether it
    arrived: mails and webhooks go out once more under the same id, by which the other side knows them; Slack knows no
    ids, so there it is left."""
    async with runtime.database.writing(tenant_id) as session:
        taken = await repository.take(session, delivery_id)
        row = None if taken is None else await channels.find_by_id(session, taken[0].channel_id)
    if taken is None or row is None:
        return
    found, before = taken
    kind = ChannelKind(row.kind)
    if before is DeliveryStatus.SENDING and kind is ChannelKind.SLACK:
        sentence = "We were stopped while it was sent; look into the Slack channel."
        await _end(runtime, tenant_id, delivery_id, DeliveryStatus.UNCONFIRMED, sentence)
        return
    try:
        await SENDERS[kind](runtime, _letter(runtime, row, found))
    except NoMailServer as kept:
        await _end(runtime, tenant_id, delivery_id, DeliveryStatus.KEPT, kept.sentence)
    except OutcomeUnknown as unknown:
        await _end(runtime, tenant_id, delivery_id, DeliveryStatus.UNCONFIRMED, unknown.sentence, unknown.vendor_code)
    except Retriable as trouble:
        status = DeliveryStatus.FAILED if is_last else DeliveryStatus.WAITING
        await _end(runtime, tenant_id, delivery_id, status, trouble.sentence, trouble.vendor_code)
        raise
    except (ConnectorOutcome, DomainError) as refused:
        code = refused.vendor_code if isinstance(refused, ConnectorOutcome) else refused.code
        await _end(runtime, tenant_id, delivery_id, DeliveryStatus.FAILED, refused.sentence, code)
        if code == GONE:
            await _switch_off(runtime, tenant_id, row, refused.sentence)
        raise
    else:
        await _end(runtime, tenant_id, delivery_id, DeliveryStatus.SENT, None)


def _letter(runtime: Runtime, row: Row[Any], found: Row[Any]) -> Letter:
    return Letter(
        id=found.id,
        subject=found.subject,
        text=found.text,
        body=found.body,
        address=runtime.secrets.open(row.sealed_address),
        secret=None if row.sealed_secret is None else runtime.secrets.open(row.sealed_secret),
    )


async def _end(
    runtime: Runtime,
    tenant_id: TenantId,
    delivery_id: UUID,
    status: DeliveryStatus,
    sentence: str | None,
    code: str | None = None,
) -> None:
    sent = {"sent_at": clock.now()} if status is DeliveryStatus.SENT else {}
    async with runtime.database.writing(tenant_id) as session:
        await repository.end(session, delivery_id, status=status, sentence=sentence, vendor_code=code, **sent)


async def _switch_off(runtime: Runtime, tenant_id: TenantId, row: Row[Any], sentence: str) -> None:
    async with runtime.database.writing(tenant_id) as session:
        await channels.change(session, row.id, {"is_enabled": False, "disabled_because": sentence})
