"""The part of the local `Commerce` that is about webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import repository as store_repository
from syncline.apps.commerce.stores import service as stores
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.webhook_contract import WebhookEvent, WebhookState
from syncline.apps.commerce.webhook_management import repository, service
from syncline.apps.commerce.webhook_management_contract import (
    CatchUp,
    PayloadDiff,
    RetriedWebhooks,
    StoreWebhooks,
    WebhookCheck,
    WebhookEventShown,
    WebhookStats,
)
from syncline.apps.commerce.webhook_watch import catching_up, misses
from syncline.apps.commerce.webhook_watch import service as watching
from syncline.apps.commerce.webhooks import repository as webhooks
from syncline.apps.commerce.webhooks.repository import EventFilter
from syncline.apps.commerce.webhooks.writing import enqueue_apply
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.audit.trail import record
from syncline.runtime.db.session import Session


@dataclass(frozen=True)
class LocalWebhookManagement:
    runtime: Runtime
    settings: CommerceSettings

    async def register_webhooks(
        self, *, actor: Actor, store: str | None = None, topics: Sequence[str] = (), url: str | None = None
    ) -> StoreWebhooks:
        address = watching.address_of(self.settings, url)
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await _one(session, store)
            await watching.want(session, row, address, watching.chosen_topics(row.store, topics))
        await watching.check(self.runtime, actor.tenant_id, row, actor=actor)
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await watching.shown(session, row.store)

    async def list_webhooks(self, *, actor: Actor, store: str | None = None) -> Sequence[StoreWebhooks]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            rows = await store_repository.list_all(session) if store is None else [await stores.get(session, store)]
            return [await watching.shown(session, row.store) for row in rows]

    async def remove_webhooks(self, *, actor: Actor, store: str | None = None) -> int:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            rows = await store_repository.list_all(session) if store is None else [await stores.get(session, store)]
        return sum([await watching.remove(self.runtime, actor.tenant_id, row, actor=actor) for row in rows])

    async def check_webhooks(self, *, actor: Actor, store: str | None = None) -> WebhookCheck:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await _one(session, store)
        return await watching.check(self.runtime, actor.tenant_id, row, actor=actor)

    async def catch_up_webhooks(
        self, *, actor: Actor, store: str | None = None, since: datetime | None = None
    ) -> CatchUp:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await _one(session, store)
        if since is not None and since > clock.now():
            raise InvalidInput("That moment is still to come; give one that has passed.")
        return await catching_up.catch_up(
            self.runtime, actor.tenant_id, row, cause=catching_up.BY_HAND, since=since, actor=actor
        )

    async def list_catch_ups(self, *, actor: Actor, store: str | None = None) -> Sequence[CatchUp]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = None if store is None else await stores.get(session, store)
            return await misses.list_all(session, None if row is None else row.store.id)

    async def list_webhook_events(
        self,
        *,
        actor: Actor,
        store: str | None = None,
        topic: str | None = None,
        processed: bool | None = None,
        state: WebhookState | None = None,
        page: PageRequest,
    ) -> Page[WebhookEvent]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = None if store is None else await stores.get(session, store)
            wanted = EventFilter(
                store_id=None if row is None else row.store.id,
                topic=topic,
                is_processed=processed,
                state=state,
            )
            return await webhooks.list_events(session, wanted, page)

    async def get_webhook_event(self, *, actor: Actor, event_id: UUID) -> WebhookEventShown:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            event = await service.get(session, event_id)
            row = await store_repository.find_by_id(session, event.store_id)
            payload, text = await service.read_payload(session, event_id)
        return WebhookEventShown(event, row.store.name if row else str(event.store_id), payload, text)

    async def retry_webhook(self, *, actor: Actor, event_id: UUID) -> WebhookEvent:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            event = await service.retry(session, event_id)
            await enqueue_apply(session, self.runtime.queue, actor.tenant_id, event.store_id)
            await record(session, actor=actor, action="webhooks.retried", subject=f"webhook {event_id}")
            return event

    async def retry_failed_webhooks(
        self, *, actor: Actor, store: str | None = None, limit: int = 100
    ) -> RetriedWebhooks:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = None if store is None else await stores.get(session, store)
            store_id = None if row is None else row.store.id
            ids, total = await repository.list_failed(session, store_id=store_id, limit=limit)
            retried = await webhooks.send_back(session, ids, clock.now())
            for one in {event.store_id for event in retried}:
                await enqueue_apply(session, self.runtime.queue, actor.tenant_id, one)
            details = {"webhooks": len(retried)}
            subject = "webhooks" if row is None else f"store {row.store.name}"
            await record(session, actor=actor, action="webhooks.retried", subject=subject, details=details)
        return RetriedWebhooks(len(retried), max(0, total - len(retried)))

    async def give_up_webhook(self, *, actor: Actor, event_id: UUID, reason: str = "") -> WebhookEvent:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            event = await service.give_up(session, event_id, reason)
            await record(
                session,
                actor=actor,
                action="webhooks.given_up",
                subject=f"webhook {event_id}",
                details={"reason": event.reason},
            )
            return event

    async def webhook_stats(self, *, actor: Actor, store: str | None = None, days: int = 7) -> WebhookStats:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = None if store is None else await stores.get(session, store)
            return await service.stats(session, store_id=None if row is None else row.store.id, days=days)

    async def diff_webhooks(self, *, actor: Actor, event_id: UUID, other_id: UUID | None = None) -> PayloadDiff:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.diff(session, event_id, other_id)


async def _one(session: Session, store: str | None) -> StoreRow:
    """By its name, or the only one."""
    if store is not None:
        return await stores.get(session, store)
    rows = await store_repository.list_all(session)
    if len(rows) != 1:
        raise InvalidInput(
            "Connect a store first: `syncline stores add`."
            if not rows
            else f"There are {len(rows)} stores; say which: {', '.join(row.store.name for row in rows)}."
        )
    return rows[0]
