"""What an app declares to listen, and what its handler is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from syncline.kernel.tenant import TenantId
from syncline.runtime.bus.event import name_of
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """Handed to `Handler.handle`.

    What is done in `session` is committed together with the note that this event was applied, so it happens once even
    when the event comes twice. Anything outside it may happen again. The transaction is open while the handler runs:
    what is slow, or calls a vendor, is enqueued as a job in it.
    """

    runtime: Any
    session: WriteSession
    event_id: UUID
    tenant: TenantId | None
    occurred_at: datetime
    attempt: int

    @property
    def tenant_id(self) -> TenantId:
        """Raises `LookupError` for an event that belongs to no tenant."""
        if self.tenant is None:
            raise LookupError(f"event {self.event_id} belongs to no tenant")
        return self.tenant


@dataclass(frozen=True, slots=True)
class Handler:
    """A subscription. `name` is stable and stored, `app.verb_noun` like a job's; a new name gets no old events.

    Events of one tenant reach a handler one after the other in the order they were published; one that fails holds up
    the later ones of its tenant until it succeeds or goes to the dead letters.
    """

    event: type[Any]
    name: str
    handle: Callable[[HandlerContext, Any], Awaitable[None]]
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    @property
    def event_name(self) -> str:
        return name_of(self.event)
