"""Webhooks of both tools: a door with a secret address each, what comes through it, and what becomes of it.

lemlist signs nothing and echoes a secret inside the body. Smartlead signs the body with the account's secret; one
without it sends unsigned. So the address itself is the first secret: 256 random bits, of which we keep a digest.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row

from syncline.apps.outreach.connections import opening
from syncline.apps.outreach.connections import repository as places
from syncline.apps.outreach.connections.service import ConnectionNotFound
from syncline.apps.outreach.delivery import service as delivery
from syncline.apps.outreach.events.event import EventSource
from syncline.apps.outreach.happenings.activities import (
    SMARTLEAD_HOOKS,
    Happening,
    Unusable,
    from_lemlist,
    from_smartlead_hook,
)
from syncline.apps.outreach.happenings.storing import meet_people, store
from syncline.apps.outreach.namespaces import repository as namespaces
from syncline.apps.outreach.namespaces.matching import match
from syncline.apps.outreach.sync_contract import Platform
from syncline.apps.outreach.webhooks import repository
from syncline.connectors.lemlist.actions import add_hook, is_from_hook, remove_hook
from syncline.connectors.smartlead.actions import add_webhook, is_signed, remove_webhook
from syncline.kernel import clock
from syncline.kernel.errors import NotFound, Skippable, SynclineError, Unauthenticated
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import JobQueue

DRAIN_JOB: Final = "outreach.drain_webhooks"
DOOR_KIND: Final = "door"
PATH: Final = "/api/outreach/webhooks/receive"
AT_ONCE: Final = 500


class DoorNotFound(NotFound):
    code = "HOOK_006"
    title = "There is no such webhook address"


class WebhookNotProven(Unauthenticated):
    code = "HOOK_007"
    title = "The webhook does not carry its secret"


@dataclass(frozen=True, slots=True)
class Door:
    """`is_registered`: the tool was told of it by us."""

    id: UUID
    platform: str
    is_registered: bool
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedDoor:
    """`path` is shown this once: whoever knows it may send."""

    door: Door
    path: str


async def open_door(
    runtime: Runtime, actor: Actor, platform: Platform, *, public_url: str | None, signing_secret: str | None
) -> OpenedDoor:
    """Makes an address, and with `public_url` has the tool send to it. Raises connector outcomes, and
    `ConnectionNotFound`, with nothing kept then. The tool is asked between two transactions: it may take its time, and
    what it sends to an address of which it knows already is taken in."""
    token = secrets.token_urlsafe(32)
    secret = secrets.token_urlsafe(24) if platform is Platform.LEMLIST else signing_secret or ""
    path = f"{PATH}/{token}"
    async with runtime.database.writing(actor.tenant_id) as session:
        values = {
            "id": new_id(),
            "platform": platform.value,
            "digest": digest_of(token),
            "sealed_secret": runtime.secrets.seal(secret),
            "created_by": actor.name,
            "created_at": clock.now(),
        }
        row = await repository.add_door(session, values)
        await places.add_place(session, DOOR_KIND, digest_of(token).hex())
    if public_url is not None:
        try:
            vendor_id = await _register(runtime, actor.tenant_id, platform, public_url.rstrip("/") + path, secret)
        except SynclineError:
            async with runtime.database.writing(actor.tenant_id) as session:
                await _remove(session, row)
            raise
        async with runtime.database.writing(actor.tenant_id) as session:
            await repository.change_door(session, row.id, vendor_id=vendor_id)
    note_change(f"webhook address of {platform}", after={"registered": public_url is not None})
    return OpenedDoor(_view(row, is_registered=public_url is not None), path)


async def _register(runtime: Runtime, tenant_id: TenantId, platform: Platform, url: str, secret: str) -> str:
    if platform is Platform.LEMLIST:
        async with opening.lemlist(runtime, tenant_id) as lemlist:
            return await add_hook(lemlist, target=url, secret=secret)
    async with opening.smartlead(runtime, tenant_id) as smartlead:
        return str(await add_webhook(smartlead, url=url, events=list(SMARTLEAD_HOOKS)))


async def close_door(runtime: Runtime, actor: Actor, door_id: UUID) -> None:
    """The tool is told first, if we had told it of the address; when it cannot be told the address stays. Raises
    `DoorNotFound`, connector outcomes."""
    async with runtime.database.reading(actor.tenant_id) as session:
        row = await repository.get_door(session, door_id)
    if row is None:
        raise DoorNotFound("There is no such webhook address; GET /api/outreach/webhooks lists them.")
    if row.vendor_id is not None:
        await _unregister(runtime, actor.tenant_id, row)
    async with runtime.database.writing(actor.tenant_id) as session:
        await _remove(session, row)
    note_change(f"webhook address of {row.platform}", before={"id": str(door_id)})


async def _remove(session: WriteSession, row: Row[Any]) -> None:
    await repository.remove_door(session, row.id)
    await places.remove_place(session, DOOR_KIND, row.digest.hex())


async def _unregister(runtime: Runtime, tenant_id: TenantId, row: Row[Any]) -> None:
    try:
        if row.platform == Platform.LEMLIST:
            async with opening.lemlist(runtime, tenant_id) as lemlist:
                await remove_hook(lemlist, row.vendor_id)
        else:
            async with opening.smartlead(runtime, tenant_id) as smartlead:
                await remove_webhook(smartlead, int(row.vendor_id))
    except (Skippable, ConnectionNotFound):
        return  # it was removed there, or we are not connected any more


async def list_doors(session: Session) -> Sequence[Door]:
    return [_view(row, is_registered=row.vendor_id is not None) for row in await repository.list_doors(session)]


async def receive(runtime: Runtime, token: str, body: bytes, signature: str | None) -> bool:
    """Keeps what came as it came, and has it drained; False when the same was kept before. Raises `DoorNotFound`,
    `WebhookNotProven`."""
    digest = digest_of(token)
    async with runtime.database.system() as system:
        tenants = await places.list_places(system, DOOR_KIND, digest.hex())
    if not tenants:
        raise DoorNotFound("Nobody listens at this address. Make one with POST /api/outreach/webhooks.")
    async with runtime.database.writing(tenants[0]) as session:
        door = await repository.find_door(session, digest)
        if door is None:
            raise DoorNotFound("Nobody listens at this address any more.")
        _prove(door.platform, runtime.secrets.open(door.sealed_secret), body, signature)
        values = {
            "id": new_id(),
            "platform": door.platform,
            "digest": sha256(body).digest(),
            "body": body,
            "received_at": clock.now(),
        }
        is_new = await repository.keep(session, values)
        if is_new:
            await runtime.queue.enqueue(session, DRAIN_JOB, {}, key="drain")
    return is_new


def _prove(platform: str, secret: str, body: bytes, signature: str | None) -> None:
    if platform == Platform.LEMLIST:
        told = _decoded(body)
        if told is None or not is_from_hook(told, secret):
            raise WebhookNotProven("The body does not hold the secret of this webhook. Register it again.")
    elif secret and not is_signed(body, signature or "", secret):
        raise WebhookNotProven("X-Smartlead-Signature is missing, or does not fit the body and the secret.")


async def drain(session: WriteSession, queue: JobQueue) -> int:
    """Some of what waits becomes events under the same keys that a sync gives them; how many were taken."""
    rows = await repository.take_waiting(session, AT_ONCE)
    known = await namespaces.list_all(session)
    by_space: dict[str, list[Happening]] = {}
    done = list[UUID]()
    for row in rows:
        try:
            one = _happening(row)
            name = _campaign_name(one)
        except Unusable as why:
            await repository.set_aside(session, row.id, f"{row.platform}: {why}.")
            continue
        by_space.setdefault(match(name, known).namespace, []).append(one)
        done.append(row.id)
    for namespace, happenings in sorted(by_space.items()):
        await store(session, happenings, namespace=namespace, source=EventSource.WEBHOOK, to_mixpanel=True)
        await meet_people(session, happenings, namespace=namespace, is_wanted=False)
    await repository.end(session, done)
    if done:
        await delivery.ask(session, queue)
    return len(rows)


def _happening(row: Row[Any]) -> Happening:
    told = _decoded(row.body)
    if told is None:
        raise Unusable("it is no JSON object")
    if row.platform == Platform.LEMLIST:
        return from_lemlist(told)
    return from_smartlead_hook(told, received_at=row.received_at)


def _campaign_name(one: Happening) -> str:
    """It leads to the namespace, which is part of the key: with a guess the sync would bring a second event."""
    name = (one.facts or {}).get("campaign_name")
    if not isinstance(name, str):
        raise Unusable("it does not name its campaign; the next sync brings it")
    return name


def _decoded(body: bytes) -> dict[str, Any] | None:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def digest_of(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()


def _view(row: Row[Any], *, is_registered: bool) -> Door:
    return Door(row.id, row.platform, is_registered, row.created_by, row.created_at)


async def received(session: Session) -> dict[str, int]:
    return await repository.count(session)
