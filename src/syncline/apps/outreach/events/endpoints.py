"""`/api/event-keys`: the keys of events, recorded in `event_source`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from syncline.apps.outreach.contract import BadEventKey, EventKeyFailed, Outreach
from syncline.apps.outreach.events.checks import identities_of, identity_of
from syncline.apps.outreach.events.schemas import (
    MANY_EVENTS,
    ONE_EVENT,
    CacheCleared,
    GeneratedKey,
    GeneratedKeys,
    KeyStatistics,
    figures,
    stats_of,
)
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.plain_route import PlainRoute
from syncline.runtime.http.problems import MalformedJson, problems
from syncline.runtime.http.rate_limit import limited

T = TypeVar("T")

router = APIRouter(prefix="/api/event-keys", tags=["event keys"])
making = APIRouter(prefix="/api/event-keys", tags=["event keys"], route_class=PlainRoute)
ROUTERS = (making, router)

_Outreach = Annotated[Outreach, Depends(uses(Outreach))]
_Reader = Annotated[Actor, Depends(require("outreach:read"))]
_Syncer = Annotated[Actor, Depends(require("outreach:sync"))]
_REFUSALS = problems(BadEventKey, EventKeyFailed)


@making.post(
    "/generate",
    summary="Make an event's key",
    response_model=GeneratedKey,
    responses=_REFUSALS,
    openapi_extra=ONE_EVENT,
)
@limited("event-keys:generate")
async def generate_key(request: Request, actor: _Syncer, outreach: _Outreach) -> Response:
    """The same event has the same key for ever. It is recorded in `event_source`; asked for again it is found there."""
    began = time.perf_counter()
    identity = await _checked(request, actor, outreach, identity_of)
    made = await outreach.generate_key(actor=actor, identity=identity)
    return _json(
        success=True,
        event_key=made.event_key,
        collision_detected=made.collision_detected,
        generation_stats=stats_of([made], time.perf_counter() - began),
    )


@making.post(
    "/generate-batch",
    summary="Make the keys of many events",
    response_model=GeneratedKeys,
    responses=_REFUSALS,
    openapi_extra=MANY_EVENTS,
)
@limited("event-keys:generate-batch")
async def generate_keys(request: Request, actor: _Syncer, outreach: _Outreach) -> Response:
    """Up to 1,000 at once: all are recorded, or none."""
    began = time.perf_counter()
    identities = await _checked(request, actor, outreach, identities_of)
    made = list(await outreach.generate_keys(actor=actor, identities=identities))
    results = [{"event_key": one.event_key, "collision_detected": one.collision_detected} for one in made]
    return _json(success=True, results=results, generation_stats=stats_of(made, time.perf_counter() - began))


@router.get("/stats", summary="How many keys were made")
@limited("status")
async def key_stats(actor: _Reader, outreach: _Outreach) -> KeyStatistics:
    """Of the tenant since it was made; cache and rate are of the process that answers."""
    return figures(await outreach.key_stats(actor=actor))


@router.post("/clear-cache", summary="Forget what is kept in memory")
async def clear_key_cache(actor: _Syncer, outreach: _Outreach) -> CacheCleared:
    """Of the process that answers. No key is lost: all are in `event_source`."""
    return CacheCleared(cleared=await outreach.clear_key_cache(actor=actor))


async def _checked(request: Request, actor: Actor, outreach: Outreach, read: Callable[[object], T]) -> T:
    """What the body names. Raises `MalformedJson`, `BadEventKey`; either is counted."""
    try:
        return read(_decoded(await request.body()))
    except (MalformedJson, BadEventKey):
        await outreach.count_invalid_key(actor=actor)
        raise


def _decoded(body: bytes) -> object:
    """JSON, whatever its Content-Type calls it."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = "it is empty" if not body.strip() else str(error).removeprefix("JSON is malformed: ").rstrip(".")
        raise MalformedJson(f"The body is not valid JSON: {why}.") from error


def _json(**answer: object) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
