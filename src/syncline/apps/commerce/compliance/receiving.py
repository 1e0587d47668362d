"""A compliance webhook becomes a request with the day it is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from syncline.apps.commerce.compliance import repository
from syncline.apps.commerce.compliance.telling import tell
from syncline.apps.commerce.compliance_contract import PrivacyRequest, RequestStatus, RequestTopic
from syncline.apps.commerce.contract import Store
from syncline.kernel.errors import Skippable
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs.queue import JobQueue

DUE_AFTER: Final = timedelta(days=30)
"""Shopify's documents, November 2026: act within 30 days of receiving it."""
FOLLOW_JOB: Final = "commerce.follow_privacy_request"


async def receive(
    session: WriteSession,
    queue: JobQueue,
    store: Store,
    *,
    topic: str,
    payload: Mapping[str, Any],
    event_id: UUID,
    delivery: str,
    received_at: datetime,
) -> PrivacyRequest | None:
    """In the transaction that settles the webhook, with the job that answers it. None when it was asked for before.
    Raises `Skippable` for a body that does not say whom it is about."""
    asked = RequestTopic(topic)
    customer = None if asked is RequestTopic.REDACT_SHOP else _customer(payload)
    told = payload.get("data_request")
    reference = str(told.get("id")) if isinstance(told, Mapping) and told.get("id") else delivery
    request_id = await repository.add(
        session,
        of_store=store.id,
        store=store.name,
        shop_domain=store.shop_domain,
        topic=asked.value,
        reference=reference,
        customer=customer,
        orders=_orders(payload),
        status=RequestStatus.OPEN.value,
        received_at=received_at,
        due_at=received_at + DUE_AFTER,
        event_id=event_id,
    )
    if request_id is None:
        return None
    await queue.enqueue(session, FOLLOW_JOB, {"request_id": str(request_id)})
    row = await repository.find(session, request_id)
    assert row is not None
    await tell(session, row, _SAID[asked].format(number=customer, due=f"{row.request.due_at:%d %B %Y}"))
    return row.request


_SAID: Final = {
    RequestTopic.DATA_REQUEST: "Customer {number} asks for his data. It is put together; hand it out by {due}.",
    RequestTopic.REDACT_CUSTOMER: "Customer {number} is to be erased by {due}. It begins by itself.",
    RequestTopic.REDACT_SHOP: "All of the shop is to be removed by {due}. It begins by itself once it is uninstalled.",
}


def _customer(payload: Mapping[str, Any]) -> int:
    told = payload.get("customer")
    number = told.get("id") if isinstance(told, Mapping) else None
    if isinstance(number, bool) or not isinstance(number, int) or number <= 0:
        raise Skippable("The request does not say which customer it is about.")
    return number


def _orders(payload: Mapping[str, Any]) -> list[int]:
    told = payload.get("orders_requested") or payload.get("orders_to_redact") or []
    return [one for one in told if isinstance(one, int)]
