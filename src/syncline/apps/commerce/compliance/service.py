"""Answers requests: begins the export, the erasure or the removal, sees it through, and reminds before it is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from syncline.apps.accounts.contract import KeyRing, SubjectRef
from syncline.apps.commerce.compliance import repository
from syncline.apps.commerce.compliance.deadlines import next_reminder, reminder_due, sentence_of
from syncline.apps.commerce.compliance.repository import RequestRow
from syncline.apps.commerce.compliance.telling import tell
from syncline.apps.commerce.compliance_contract import (
    PrivacyRequest,
    PrivacyRequestCompleted,
    PrivacyRequestNotFound,
    RequestStatus,
    RequestTopic,
)
from syncline.apps.commerce.removal.service import remove
from syncline.apps.commerce.stores.repository import find_by_id
from syncline.kernel import clock
from syncline.kernel.errors import DomainError, Unavailable
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.audit.trail import record
from syncline.runtime.db.session import Session, WriteSession

SHOPIFY: Final = "Shopify"
LOOK_AGAIN: Final = timedelta(minutes=1)
REASON: Final = "Shopify asked for it on behalf of the customer"


def actor_of(tenant_id: TenantId) -> Actor:
    return Actor(tenant_id, SHOPIFY, "service", method="webhook")


async def get(session: Session, request_id: UUID, *, lock: bool = False) -> RequestRow:
    row = await repository.find(session, request_id, lock=lock)
    if row is None:
        raise PrivacyRequestNotFound(f"There is no request {request_id}; see `syncline privacy requests`.")
    return row


async def complete(session: WriteSession, request_id: UUID, *, actor: Actor, note: str) -> PrivacyRequest:
    row = await get(session, request_id, lock=True)
    if row.request.completed_at is not None:
        raise PrivacyRequestCompleted(
            f"{row.request.completed_by} completed it on {row.request.completed_at:%d %B %Y}."
        )
    await _completed(session, row, note.strip() or "Somebody said that it was answered.", actor=actor)
    return (await get(session, request_id)).request


async def _completed(session: WriteSession, row: RequestRow, sentence: str, *, actor: Actor) -> None:
    await repository.change(
        session,
        row.request.id,
        status=RequestStatus.COMPLETED.value,
        sentence=sentence,
        completed_at=clock.now(),
        completed_by=actor.name,
    )
    await record(
        session,
        actor=actor,
        action="privacy.request_completed",
        subject=f"privacy request {row.request.id}",
        details={"topic": row.request.topic.value, "store": row.request.store},
    )
    await tell(session, row, sentence)


async def follow(runtime: Runtime, tenant_id: TenantId, request_id: UUID) -> datetime | None:
    """One step of a request. Answers when to look again; None when it is over. Safe to repeat."""
    async with runtime.database.reading(tenant_id) as session:
        row = await repository.find(session, request_id)
    if row is None or row.request.completed_at is not None:
        return None
    soon = await _advance(runtime, tenant_id, row)
    async with runtime.database.writing(tenant_id) as session:
        row = await get(session, request_id, lock=True)
        if row.request.completed_at is not None:
            return None
        now = clock.now()
        if reminder_due(row.request.due_at, row.reminded_at, now):
            await repository.change(session, request_id, reminded_at=now)
            told = f"{sentence_of(row.request.due_at, now)} {row.request.sentence or ''}".strip()
            await tell(session, row, told, is_urgent=True)
    return soon or next_reminder(row.request.due_at, clock.now())


async def _advance(runtime: Runtime, tenant_id: TenantId, row: RequestRow) -> datetime | None:
    """Begins what is not begun, and sees after what is. Answers when to look again for it."""
    status, topic = row.request.status, row.request.topic
    try:
        if status is RequestStatus.RUNNING and row.request.work_id is not None:
            return await _see_after(runtime, tenant_id, row, row.request.work_id)
        if status in {RequestStatus.OPEN, RequestStatus.STUCK}:
            begin = _remove_shop if topic is RequestTopic.REDACT_SHOP else _begin
            return await begin(runtime, tenant_id, row)
    except Unavailable:
        raise
    except DomainError as error:
        await _set(runtime, tenant_id, row, RequestStatus.STUCK, error.sentence)
        return clock.now() + timedelta(hours=1)
    return None


async def _begin(runtime: Runtime, tenant_id: TenantId, row: RequestRow) -> datetime | None:
    """An export or an erasure of the customer. When the process ends between the two steps the same is begun again,
    which changes nothing."""
    desk, actor = runtime.contract(KeyRing), actor_of(tenant_id)
    subject = SubjectRef(store=row.request.store, customer=row.request.customer)
    if row.request.topic is RequestTopic.DATA_REQUEST:
        export = await desk.start_export(actor=actor, subject=subject)
        sentence = f"The data is put together as export {export.id}; hand it out, then complete the request."
        await _set(runtime, tenant_id, row, RequestStatus.READY, sentence, work_id=export.id)
        return None
    erasure = await desk.start_erasure(actor=actor, subject=subject, reason=REASON)
    await _set(runtime, tenant_id, row, RequestStatus.RUNNING, None, work_id=erasure.id)
    return clock.now() + LOOK_AGAIN


async def _see_after(runtime: Runtime, tenant_id: TenantId, row: RequestRow, erasure_id: UUID) -> datetime | None:
    actor = actor_of(tenant_id)
    erasure = await runtime.contract(KeyRing).get_erasure(actor=actor, erasure_id=erasure_id)
    if erasure.status != "completed":
        return clock.now() + LOOK_AGAIN
    async with runtime.database.writing(tenant_id) as session:
        held = await get(session, row.request.id, lock=True)
        if held.request.completed_at is None:
            await _completed(
                session, held, f"Everything of the customer was erased (erasure {erasure_id}).", actor=actor
            )
    return None


async def _remove_shop(runtime: Runtime, tenant_id: TenantId, row: RequestRow) -> datetime | None:
    """Of a shop that uninstalled the app. One that is connected is left to a person: it was installed again meanwhile,
    or is connected in another way."""
    actor = actor_of(tenant_id)
    async with runtime.database.writing(tenant_id) as session:
        held = await get(session, row.request.id, lock=True)
        store = await find_by_id(session, row.store_id)
        if store is not None and store.store.uninstalled_at is None:
            sentence = (
                f"{row.request.store} is connected still, so nothing was removed. Remove it with `syncline stores "
                f"remove {row.request.store}`, or complete the request."
            )
            await repository.change(session, row.request.id, status=RequestStatus.STUCK.value, sentence=sentence)
            return clock.now() + timedelta(hours=24)
        if store is not None:
            await remove(session, runtime.queue, store.store, actor=actor)
        await _completed(session, held, "Everything of the shop is removed.", actor=actor)
    return None


async def _set(
    runtime: Runtime,
    tenant_id: TenantId,
    row: RequestRow,
    status: RequestStatus,
    sentence: str | None,
    *,
    work_id: UUID | None = None,
) -> None:
    async with runtime.database.writing(tenant_id) as session:
        values = {} if work_id is None else {"work_id": work_id}
        await repository.change(session, row.request.id, status=status.value, sentence=sentence, **values)
