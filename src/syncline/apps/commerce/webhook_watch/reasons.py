"""Why no webhook told of a record. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from syncline.apps.commerce.webhook_contract import WebhookEvent, WebhookState
from syncline.apps.commerce.webhook_management_contract import MissReason, SubscriptionState, WebhookSubscription

MISSING: Final = "missing"
CHANGED: Final = "changed"
GONE: Final = "gone"


def reason_of(
    subscription: WebhookSubscription | None,
    event: WebhookEvent | None,
    *,
    since: datetime,
    gap_since: datetime | None,
) -> MissReason:
    """`event` is the latest webhook of the record in the span that begins with `since`."""
    if event is not None:
        by_state = {
            WebhookState.DEAD: MissReason.GIVEN_UP,
            WebhookState.FAILED: MissReason.FAILED,
            WebhookState.WAITING: MissReason.FAILED,
        }
        return by_state.get(event.state, MissReason.NOT_TOLD)
    if subscription is None or subscription.state is not SubscriptionState.ACTIVE:
        return MissReason.NEVER_SUBSCRIBED
    if gap_since is not None or (subscription.since is not None and subscription.since > since):
        return MissReason.SUBSCRIPTION_GONE
    return MissReason.NOT_DELIVERED
