"""The part of the contract that is about what Shopify asks for people and shops. `Commerce` has these methods too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from syncline.kernel.errors import Conflict, NotFound
from syncline.kernel.tenant import Actor


class RequestTopic(StrEnum):
    """Under the names Shopify has for them."""

    DATA_REQUEST = "customers/data_request"
    REDACT_CUSTOMER = "customers/redact"
    REDACT_SHOP = "shop/redact"


class RequestStatus(StrEnum):
    """`open`: nothing was begun. `running`: the erasure is under way. `ready`: the data is put together and somebody
    has to hand it out. `stuck`: a person must decide, for the reason given. `completed`: it was done."""

    OPEN = "open"
    RUNNING = "running"
    READY = "ready"
    STUCK = "stuck"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """`customer` and `orders` are Shopify's numbers. `work_id` is the export or the erasure that answers it."""

    id: UUID
    store: str
    shop_domain: str
    topic: RequestTopic
    customer: int | None
    orders: Sequence[int]
    status: RequestStatus
    received_at: datetime
    due_at: datetime
    work_id: UUID | None
    sentence: str | None
    completed_at: datetime | None
    completed_by: str | None


class PrivacyRequestNotFound(NotFound):
    code = "PRIVACY_101"
    title = "No such request"


class PrivacyRequestCompleted(Conflict):
    code = "PRIVACY_102"
    title = "The request is completed already"


class PrivacyRequests(Protocol):
    async def list_privacy_requests(self, *, actor: Actor, is_open: bool | None = None) -> Sequence[PrivacyRequest]:
        """What is due first comes first; at most 500."""
        ...

    async def get_privacy_request(self, *, actor: Actor, request_id: UUID) -> PrivacyRequest:
        """Raises `PrivacyRequestNotFound`."""
        ...

    async def complete_privacy_request(self, *, actor: Actor, request_id: UUID, note: str = "") -> PrivacyRequest:
        """Somebody says that it was answered: the data was handed out, or the rest was done by hand. Raises
        `PrivacyRequestNotFound` and `PrivacyRequestCompleted`."""
        ...
