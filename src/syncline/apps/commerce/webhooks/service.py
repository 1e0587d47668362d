from __future__ import annotations

from syncline.apps.commerce.webhook_contract import WebhookState
from syncline.apps.commerce.webhooks import repository
from syncline.runtime.db.session import Session


async def count_states(session: Session) -> dict[WebhookState, int]:
    """Of the session's tenant; every state is named."""
    found = await repository.count_states(session)
    return {state: found.get(state, 0) for state in WebhookState}
