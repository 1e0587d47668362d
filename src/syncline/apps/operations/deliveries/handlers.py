from __future__ import annotations

from syncline.apps.commerce.contract import ChangesAssigned, OperationEnded
from syncline.apps.operations.channels.service import ASSIGNMENT
from syncline.apps.operations.deliveries import service
from syncline.apps.operations.deliveries.wording import (
    notice_of,
    notice_of_assignment,
    notice_of_collision,
    notice_of_recovery,
    notice_of_staleness,
)
from syncline.apps.operations.settings import OperationsSettings
from syncline.apps.outreach.contract import EventKeysCollided, RoutineRecovered, RoutineWentStale
from syncline.kernel import clock
from syncline.runtime.bus import Handler, HandlerContext


async def tell(ctx: HandlerContext, event: OperationEnded) -> None:
    """Whoever wants to know of the end of an operation is told. Called twice, it tells once."""
    settings = ctx.runtime.settings_of("operations", OperationsSettings)
    notice = notice_of(event, occurred_at=clock.iso(ctx.occurred_at), public_url=settings.public_url)
    await service.tell_channels(
        ctx.session,
        ctx.runtime.queue,
        event_id=ctx.event_id,
        operation=event.kind.value,
        notice=notice,
    )


async def tell_of_collision(ctx: HandlerContext, event: EventKeysCollided) -> None:
    """Every channel is told, whatever it wants to know of operations. Called twice, it tells once."""
    await service.tell_channels(
        ctx.session,
        ctx.runtime.queue,
        event_id=ctx.event_id,
        operation=None,
        notice=notice_of_collision(event, occurred_at=clock.iso(ctx.occurred_at)),
    )


async def tell_of_staleness(ctx: HandlerContext, event: RoutineWentStale) -> None:
    """Every channel is told, whatever it wants to know of operations. Called twice, it tells once."""
    notice = notice_of_staleness(event, occurred_at=clock.iso(ctx.occurred_at))
    await service.tell_channels(ctx.session, ctx.runtime.queue, event_id=ctx.event_id, operation=None, notice=notice)


async def tell_of_recovery(ctx: HandlerContext, event: RoutineRecovered) -> None:
    """Whoever was told of the trouble. Called twice, it tells once."""
    notice = notice_of_recovery(event, occurred_at=clock.iso(ctx.occurred_at))
    await service.tell_channels(ctx.session, ctx.runtime.queue, event_id=ctx.event_id, operation=None, notice=notice)


async def tell_of_assignment(ctx: HandlerContext, event: ChangesAssigned) -> None:
    """Who is asked to decide about changes, and by whom. Called twice, it tells once."""
    settings = ctx.runtime.settings_of("operations", OperationsSettings)
    notice = notice_of_assignment(event, occurred_at=clock.iso(ctx.occurred_at), public_url=settings.public_url)
    await service.tell_channels(
        ctx.session, ctx.runtime.queue, event_id=ctx.event_id, operation=ASSIGNMENT, notice=notice
    )


HANDLERS = (
    Handler(OperationEnded, "operations.tell_channels", tell),
    Handler(ChangesAssigned, "operations.tell_of_assignment", tell_of_assignment),
    Handler(EventKeysCollided, "operations.tell_of_collision", tell_of_collision),
    Handler(RoutineWentStale, "operations.tell_of_staleness", tell_of_staleness),
    Handler(RoutineRecovered, "operations.tell_of_recovery", tell_of_recovery),
)
