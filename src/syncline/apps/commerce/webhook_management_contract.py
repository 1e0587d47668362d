"""The part of the contract that is about webhooks as a person handles them. `Commerce` has these methods too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from syncline.apps.commerce.webhook_contract import WebhookEvent, WebhookState
from syncline.kernel.errors import Conflict, InvalidInput, NotFound
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor


class SubscriptionState(StrEnum):
    """`active`: Shopify sends it. `refused`: Shopify would not take it, for the reason given. `waiting`: it is wanted,
    and Shopify could not be asked yet."""

    ACTIVE = "active"
    REFUSED = "refused"
    WAITING = "waiting"


class MissReason(StrEnum):
    """Why no webhook told of a record that differs."""

    NEVER_SUBSCRIBED = "never_subscribed"
    SUBSCRIPTION_GONE = "subscription_gone"
    """Shopify had dropped the subscription, or it was not made yet, when the record changed."""
    NOT_DELIVERED = "not_delivered"
    """The store was to send it, and nothing came."""
    FAILED = "failed"
    """It came, and could not be applied yet."""
    GIVEN_UP = "given_up"
    """It came, and is a dead letter."""
    NOT_TOLD = "not_told"
    """It came and was applied; what differs is not in it, or changed since without another."""


@dataclass(frozen=True, slots=True)
class WebhookSubscription:
    """`number` is Shopify's; `since` is when this one was made there."""

    topic: str
    state: SubscriptionState
    number: int | None
    since: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class StoreWebhooks:
    """What a store is to send, and whether it does. `address` is None for a store that was never registered.
    `left_out` names topics that the token may not have, with the scope it lacks. `gap_since`: from then on webhooks may
    be missing, and what was missed was not looked for yet."""

    store: str
    shop_domain: str
    address: str | None
    registered_at: datetime | None
    checked_at: datetime | None
    sentence: str | None
    api_version: str | None
    gap_since: datetime | None
    gap_reason: str | None
    caught_up_at: datetime | None
    subscriptions: Sequence[WebhookSubscription] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebhookCheck:
    """What a look at a store's subscriptions found and did. `created` were never there, `recreated` were gone.
    `trouble` is why what the store sends cannot be verified, however well it is subscribed to."""

    store: str
    created: Sequence[str]
    recreated: Sequence[str]
    moved: Sequence[str]
    removed: Sequence[str]
    refused: Mapping[str, str]
    kept: int
    sentence: str
    trouble: str | None = None

    @property
    def changed(self) -> int:
        return len(self.created) + len(self.recreated) + len(self.moved) + len(self.removed)


@dataclass(frozen=True, slots=True)
class MissedKind:
    """Of one kind of record: how many were compared, how many no webhook told of, and why."""

    kind: str
    compared: int
    missed: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Miss:
    """`what`: missing (not in the mirror), changed, or gone (deleted in the store)."""

    kind: str
    number: int
    what: str
    reason: MissReason
    event_id: UUID | None


@dataclass(frozen=True, slots=True)
class CatchUp:
    """One look at what webhooks missed between `since` and `until`. `misses` are named up to 500; counts are whole."""

    id: UUID
    store: str
    cause: str
    since: datetime
    until: datetime
    compared: int
    missed: int
    repaired: int
    kinds: Sequence[MissedKind]
    sentence: str
    ended_at: datetime
    misses: Sequence[Miss] = ()


@dataclass(frozen=True, slots=True)
class WebhookEventShown:
    """`payload` is None once what it carried is no longer kept; `text` is what it carried when that is no JSON."""

    event: WebhookEvent
    store: str
    payload: Any | None
    text: str | None


@dataclass(frozen=True, slots=True)
class PayloadChange:
    """`path` leads to the value, `variants[id=41].price`. What is only on one side has None on the other, and says so
    in `what`: added, removed or changed."""

    path: str
    what: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class PayloadDiff:
    """From `before` to `after`, two webhooks of the same record; at most 1,000 changes are named."""

    before: WebhookEvent
    after: WebhookEvent
    changes: Sequence[PayloadChange]
    total: int


@dataclass(frozen=True, slots=True)
class TopicStats:
    topic: str
    received: int
    applied: int
    ignored: int
    failed: int
    dead: int
    waiting: int


@dataclass(frozen=True, slots=True)
class DayStats:
    day: str
    received: int
    succeeded: int
    dead: int


@dataclass(frozen=True, slots=True)
class WebhookStats:
    """`success_rate` is what was applied or rightly ignored of all that is settled or failed, in percent; None when
    nothing is. `seconds_p50` and `seconds_p95` are from receiving to settled."""

    since: datetime
    received: int
    applied: int
    ignored: int
    failed: int
    dead: int
    waiting: int
    success_rate: float | None
    seconds_p50: float | None
    seconds_p95: float | None
    topics: Sequence[TopicStats]
    days: Sequence[DayStats]


@dataclass(frozen=True, slots=True)
class RetriedWebhooks:
    """`left` failed ones are beyond the limit."""

    retried: int
    left: int


class WebhookNotFound(NotFound):
    code = "WEBHOOK_101"
    title = "No such webhook"


class WebhookSettled(Conflict):
    """It was applied or ignored already: there is nothing to try again and nothing to give up."""

    code = "WEBHOOK_102"
    title = "The webhook is settled"


class WebhookEmptied(Conflict):
    """What it carried was erased or is older than it is kept, so it cannot be read again."""

    code = "WEBHOOK_103"
    title = "The webhook's content is gone"


class NoPublicAddress(InvalidInput):
    code = "WEBHOOK_104"
    title = "Shopify needs an address it can reach"


class NotRegistered(Conflict):
    code = "WEBHOOK_105"
    title = "The store's webhooks are not registered"


class NotComparable(Conflict):
    code = "WEBHOOK_106"
    title = "These webhooks cannot be compared"


class WebhookManagement(Protocol):
    """`store` is a store's name; None is the only one there is, or all of them where several are listed. Raises
    `StoreNotFound`."""

    async def register_webhooks(
        self, *, actor: Actor, store: str | None = None, topics: Sequence[str] = (), url: str | None = None
    ) -> StoreWebhooks:
        """Subscribe to the topics the token allows, or to those named, and keep it so from now on. Safe to repeat: what
        is there is kept. `url` is where Syncline is reached, instead of the setting. Raises `NoPublicAddress`."""
        ...

    async def list_webhooks(self, *, actor: Actor, store: str | None = None) -> Sequence[StoreWebhooks]: ...

    async def remove_webhooks(self, *, actor: Actor, store: str | None = None) -> int:
        """Delete all subscriptions of ours, and keep none up any more. Answers how many there were."""
        ...

    async def check_webhooks(self, *, actor: Actor, store: str | None = None) -> WebhookCheck:
        """Compare with what Shopify sends, and mend. Raises `NotRegistered`."""
        ...

    async def catch_up_webhooks(
        self, *, actor: Actor, store: str | None = None, since: datetime | None = None
    ) -> CatchUp:
        """Find what webhooks missed since then (the last time all was well, or a day ago), read it and say why."""
        ...

    async def list_catch_ups(self, *, actor: Actor, store: str | None = None) -> Sequence[CatchUp]:
        """The last 50, newest first."""
        ...

    async def list_webhook_events(
        self,
        *,
        actor: Actor,
        store: str | None = None,
        topic: str | None = None,
        processed: bool | None = None,
        state: WebhookState | None = None,
        page: PageRequest,
    ) -> Page[WebhookEvent]: ...

    async def get_webhook_event(self, *, actor: Actor, event_id: UUID) -> WebhookEventShown:
        """Raises `WebhookNotFound`."""
        ...

    async def retry_webhook(self, *, actor: Actor, event_id: UUID) -> WebhookEvent:
        """A failed or dead one waits again. Raises `WebhookNotFound`, `WebhookSettled`, `WebhookEmptied`."""
        ...

    async def retry_failed_webhooks(
        self, *, actor: Actor, store: str | None = None, limit: int = 100
    ) -> RetriedWebhooks: ...

    async def give_up_webhook(self, *, actor: Actor, event_id: UUID, reason: str = "") -> WebhookEvent:
        """A waiting or failed one becomes a dead letter. Raises `WebhookNotFound`, `WebhookSettled`."""
        ...

    async def webhook_stats(self, *, actor: Actor, store: str | None = None, days: int = 7) -> WebhookStats: ...

    async def diff_webhooks(self, *, actor: Actor, event_id: UUID, other_id: UUID | None = None) -> PayloadDiff:
        """Against another webhook of the same record, or the one before. Raises `WebhookNotFound`, `NotComparable`,
        `WebhookEmptied`."""
        ...
