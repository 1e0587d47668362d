from __future__ import annotations

import structlog

from syncline.apps.commerce.conflicts import service
from syncline.apps.commerce.contract import PushFinished
from syncline.apps.commerce.settings import CommerceSettings
from syncline.runtime.bus import Handler, HandlerContext

log = structlog.get_logger(__name__)


async def settle(ctx: HandlerContext, event: PushFinished) -> None:
    """The conflicts that a push met are settled by the rules there are. Called twice, the second finds none."""
    settings = ctx.runtime.settings_of("commerce", CommerceSettings)
    done = await service.settle_by_rules(ctx.session, event.store_id, settings=settings)
    if done.approved or done.skipped:
        log.info(
            "conflicts.settled_by_rules",
            store_id=str(event.store_id),
            approved=done.approved,
            skipped=done.skipped,
        )


HANDLERS = (Handler(PushFinished, "commerce.settle_by_rules", settle),)
