"""People to Attio: each found or made by his address, with what outreach last knows of him."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row

from syncline.apps.outreach.connections import opening
from syncline.apps.outreach.connections import repository as connections
from syncline.apps.outreach.people import repository
from syncline.connectors.attio.actions import add_attribute, assert_person, list_attributes
from syncline.connectors.attio.client import AttioClient
from syncline.kernel import clock
from syncline.kernel.errors import Skippable
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import JobContext, JobQueue

PUSH_JOB: Final = "outreach.push_people"
ATTRIBUTES: Final = {
    "syncline_namespace": ("Outreach namespace", "text"),
    "syncline_last_event": ("Last outreach event", "text"),
    "syncline_last_event_at": ("Last outreach event at", "timestamp"),
}
_AT_ONCE: Final = 50


async def count(session: Session, namespaces: Sequence[str]) -> int:
    """Different addresses in these namespaces; none meaning all."""
    return await repository.count(session, namespaces)


async def ask(session: WriteSession, queue: JobQueue) -> None:
    """Has Attio told of whoever changed, if it is connected."""
    if await connections.find(session, "attio") is not None:
        await queue.enqueue(session, PUSH_JOB, {}, key="people")


async def push(ctx: JobContext) -> int:
    """How many were told. One that Attio refuses keeps its reason and does not stop the others. Raises connector
    outcomes and `ConnectionNotFound`."""
    done = 0
    async with opening.attio(ctx.runtime, ctx.tenant_id) as client:
        await _ensure_attributes(client)
        while not await ctx.cancelled() and not ctx.stopping:
            async with ctx.runtime.database.reading(ctx.tenant_id) as session:
                rows = await repository.list_changed(session, _AT_ONCE)
            if not rows:
                return done
            for row in rows:
                await _tell(ctx, client, row)
            done += len(rows)
    return done


async def _ensure_attributes(client: AttioClient) -> None:
    known = await list_attributes(client)
    for slug, (title, kind) in ATTRIBUTES.items():
        if slug not in known:
            await add_attribute(client, slug=slug, title=title, kind=kind)


async def _tell(ctx: JobContext, client: AttioClient, row: Row[Any]) -> None:
    values: dict[str, Any]
    try:
        values = {"record_id": await assert_person(client, values_of(row)), "is_changed": False, "sentence": None}
    except Skippable as error:
        values = {"sentence": error.sentence}
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        await repository.note(session, row, **values)


def values_of(row: Row[Any]) -> dict[str, Any]:
    """As Attio takes them: a name only where one is known, so that a better one there is not emptied."""
    values: dict[str, Any] = {
        "email_addresses": [row.email],
        "syncline_namespace": row.namespace,
        "syncline_last_event": row.last_event,
        "syncline_last_event_at": clock.iso(row.last_event_at),
    }
    if row.first_name or row.last_name:
        first, last = row.first_name or "", row.last_name or ""
        values["name"] = [{"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}]
    return values
