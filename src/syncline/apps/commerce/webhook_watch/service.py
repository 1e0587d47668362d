"""Keeps a store's subscriptions as they are wanted, and says what it had to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from syncline.apps.commerce.contract import OperationKind, RunStatus, Store
from syncline.apps.commerce.live import operations
from syncline.apps.commerce.live.operations import operation_of
from syncline.apps.commerce.metrics import SUBSCRIPTIONS
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.connection import client_of
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.stores.signatures import webhook_secrets
from syncline.apps.commerce.webhook_management_contract import (
    NoPublicAddress,
    NotRegistered,
    StoreWebhooks,
    SubscriptionState,
    WebhookCheck,
)
from syncline.apps.commerce.webhook_watch import repository
from syncline.apps.commerce.webhook_watch.drift import Drift, compare
from syncline.apps.commerce.webhook_watch.repository import Watch
from syncline.apps.commerce.webhook_watch.topics import SCOPES, left_out, wanted_topics
from syncline.connectors.shopify import subscriptions
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.subscriptions import Subscription
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.audit.trail import record
from syncline.runtime.db.session import Session, WriteSession

PATH: Final = "/api/webhooks/shopify"
HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def address_of(settings: CommerceSettings, url: str | None) -> str:
    """Where Shopify is to send to. Raises `NoPublicAddress`."""
    base = (url or settings.public_url or "").rstrip("/")
    parts = urlsplit(base)
    is_here = parts.scheme == "http" and parts.hostname in HERE and settings.allow_sandbox_urls
    if not base:
        raise NoPublicAddress(
            "Nobody has said where Syncline is reached from outside: set SYNCLINE_COMMERCE_PUBLIC_URL, "
            "like https://sync.example.com."
        )
    if not parts.hostname or parts.query or parts.fragment or not (parts.scheme == "https" or is_here):
        raise NoPublicAddress(f"{base!r} cannot be used: Shopify sends to https://… only (a sandbox to this machine).")
    return base + PATH


def chosen_topics(store: Store, topics: Sequence[str]) -> list[str]:
    """Those named, or all that the token may have. Raises `InvalidInput` for one that is not known here."""
    if not topics:
        return wanted_topics(store.scopes)
    strange = sorted(set(topics) - set(SCOPES))
    if strange:
        raise InvalidInput(f"There is no topic {strange[0]!r} to register; there are {', '.join(SCOPES)}.")
    return list(dict.fromkeys(topics))


async def want(session: WriteSession, row: StoreRow, address: str, topics: Sequence[str]) -> None:
    await repository.begin_watch(session, row.store.id, address)
    await repository.want_topics(session, row.store.id, topics)


async def shown(session: Session, store: Store) -> StoreWebhooks:
    watch = await repository.find_watch(session, store.id)
    return StoreWebhooks(
        store=store.name,
        shop_domain=store.shop_domain,
        address=watch.address if watch else None,
        registered_at=watch.registered_at if watch else None,
        checked_at=watch.checked_at if watch else None,
        sentence=watch.sentence if watch else None,
        api_version=watch.api_version if watch else None,
        gap_since=watch.gap_since if watch else None,
        gap_reason=watch.gap_reason if watch else None,
        caught_up_at=watch.caught_up_at if watch else None,
        subscriptions=await repository.list_subscriptions(session, store.id),
        left_out=left_out(store.scopes),
    )


@dataclass(slots=True)
class _Outcome:
    """`made` holds, by topic, the subscription that is there now."""

    drift: Drift
    made: dict[str, Subscription] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    trouble: str | None = None


async def check(runtime: Runtime, tenant_id: TenantId, row: StoreRow, *, actor: Actor) -> WebhookCheck:
    """Compares with what Shopify sends, mends, and writes down what came of it. Safe to repeat, also after it stopped
    half-way: each topic is made once, for Shopify takes an address once per topic. Raises `NotRegistered`."""
    async with runtime.database.reading(tenant_id) as session:
        watch = await repository.find_watch(session, row.store.id)
        known = {one.topic: one.number for one in await repository.list_subscriptions(session, row.store.id)}
        trouble = (await webhook_secrets(session, runtime.secrets, row.store.id)).trouble
    if watch is None:
        raise NotRegistered(f"Register the webhooks of {row.store.name} first: `syncline webhooks register`.")
    async with client_of(runtime, row) as client:
        found = compare(known, known, watch.address, await subscriptions.list_subscriptions(client))
        outcome = _Outcome(found, made=dict(found.kept), trouble=None if trouble is None else trouble.sentence)
        try:
            await _mend(client, watch.address, outcome)
        finally:
            # What was done is written down even when the rest could not be.
            async with runtime.database.writing(tenant_id) as session:
                result = await _keep(session, row.store, watch, known, outcome, actor=actor)
    return result


async def _mend(client: ShopifyClient, address: str, outcome: _Outcome) -> None:
    for topic in outcome.drift.missing:
        made = await subscriptions.create_subscription(client, topic, address)
        _note(outcome, topic, made)
    for topic, one in outcome.drift.moved.items():
        _note(outcome, topic, await subscriptions.move_subscription(client, one.id, address))
    for one in outcome.drift.extra:
        if await subscriptions.delete_subscription(client, one.id):
            outcome.removed.append(one.topic)


def _note(outcome: _Outcome, topic: str, made: subscriptions.Made) -> None:
    if made.subscription is not None:
        outcome.made[topic] = made.subscription
    else:
        outcome.refused[topic] = " ".join(error.message for error in made.errors) or "Shopify gave no reason."


async def _keep(
    session: WriteSession,
    store: Store,
    watch: Watch,
    known: Mapping[str, int | None],
    outcome: _Outcome,
    *,
    actor: Actor,
) -> WebhookCheck:
    now = clock.now()
    for topic, one in outcome.made.items():
        values = {"number": one.id, "state": SubscriptionState.ACTIVE.value, "reason": None}
        await repository.keep(
            session, store.id, topic, **values, **({} if known.get(topic) == one.id else {"since": now})
        )
    for topic, reason in outcome.refused.items():
        state = SubscriptionState.REFUSED.value
        await repository.keep(session, store.id, topic, number=None, state=state, reason=reason)
    result = _told(store, outcome)
    served = next((one.api_version for one in outcome.made.values()), None)
    values = {"checked_at": now, "sentence": result.sentence, "api_version": served}
    if not outcome.refused and outcome.trouble is None and len(outcome.made) == len(known):
        values["good_at"] = now
    gap = _gap(watch, result, now)
    await repository.change_watch(session, store.id, **values, **gap)
    is_new_trouble = result.trouble is not None and watch.sentence != result.sentence
    if result.changed or result.refused or is_new_trouble:
        await _announce(session, store, result, actor=actor)
    return result


def _gap(watch: Watch, result: WebhookCheck, now: datetime) -> dict[str, object]:
    """What Shopify did not send since the last time all was well is to be looked for."""
    if not result.recreated and not result.moved:
        return {}
    since = watch.gap_since or watch.good_at or watch.registered_at
    topics = [*result.recreated, *result.moved]
    return {"gap_since": min(since, now), "gap_reason": f"Shopify had stopped to send {_some(topics)}."}


def _told(store: Store, outcome: _Outcome) -> WebhookCheck:
    drift = outcome.drift
    created = [topic for topic in drift.missing if topic in outcome.made and topic not in drift.dropped]
    recreated = [topic for topic in drift.dropped if topic in outcome.made]
    moved = [topic for topic in drift.moved if topic in outcome.made]
    parts = [
        f"{len(created)} subscriptions were made." if created else "",
        f"Shopify had dropped {_some(recreated)}; made again." if recreated else "",
        f"{_some(moved)} went to another address; corrected." if moved else "",
        f"{len(outcome.removed)} that were not wanted were deleted." if outcome.removed else "",
        f"Shopify refused {_some(list(outcome.refused))}: {next(iter(outcome.refused.values()), '')}"
        if outcome.refused
        else "",
    ]
    done = " ".join(part for part in parts if part) or f"All {len(drift.kept)} subscriptions are as they should be."
    sentence = done if outcome.trouble is None else f"{done} What comes cannot be verified: {outcome.trouble}"
    return WebhookCheck(
        store=store.name,
        created=created,
        recreated=recreated,
        moved=moved,
        removed=outcome.removed,
        refused=outcome.refused,
        kept=len(drift.kept),
        sentence=sentence,
        trouble=outcome.trouble,
    )


def _some(topics: Sequence[str]) -> str:
    named = ", ".join(topics[:5])
    return named if len(topics) <= 5 else f"{named} and {len(topics) - 5} more"


async def _announce(session: WriteSession, store: Store, result: WebhookCheck, *, actor: Actor) -> None:
    """To the trail, the metrics, and whoever watches or is to be told."""
    counts = {
        "created": len(result.created),
        "recreated": len(result.recreated),
        "moved": len(result.moved),
        "removed": len(result.removed),
        "refused": len(result.refused),
    }
    is_well = not result.refused and result.trouble is None
    for outcome, count in counts.items():
        SUBSCRIPTIONS.labels(outcome).inc(count)
    await record(
        session,
        actor=actor,
        action="webhooks.mended",
        subject=f"store {store.name}",
        outcome="done" if is_well else "failed",
        details={**counts, "topics": [*result.created, *result.recreated, *result.moved, *result.removed]},
    )
    await tell(session, store, result.sentence, is_well=is_well, counts=counts, actor=actor)


async def tell(
    session: WriteSession, store: Store, sentence: str, *, is_well: bool, counts: Mapping[str, int], actor: Actor
) -> None:
    await operations.ended(
        session,
        operation_of(OperationKind.WEBHOOKS, new_id(), store.name),
        store_id=store.id,
        status=RunStatus.COMPLETED if is_well else RunStatus.FAILED,
        sentence=sentence,
        counts={name: count for name, count in counts.items() if count},
        requested_by=actor.name,
    )


async def remove(runtime: Runtime, tenant_id: TenantId, row: StoreRow, *, actor: Actor) -> int:
    """Every subscription of ours at Shopify, then what is known of them. When Shopify fails half-way the rest stays
    known, and the next call goes on."""
    async with runtime.database.reading(tenant_id) as session:
        watch = await repository.find_watch(session, row.store.id)
        known = {one.topic: one.number for one in await repository.list_subscriptions(session, row.store.id)}
    if watch is None:
        return 0
    async with client_of(runtime, row) as client:
        there = await subscriptions.list_subscriptions(client)
        mine = compare((), known, watch.address, there).extra
        removed = sum([await subscriptions.delete_subscription(client, one.id) for one in mine])
    async with runtime.database.writing(tenant_id) as session:
        await repository.end_watch(session, row.store.id)
        await record(
            session,
            actor=actor,
            action="webhooks.removed",
            subject=f"store {row.store.name}",
            details={"subscriptions": removed},
        )
    return removed


def actor_of(tenant_id: TenantId) -> Actor:
    """Who mends on a schedule."""
    return Actor(tenant_id, "Webhook watch", "service")
