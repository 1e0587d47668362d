"""What the full sync holds of a person beside his events: himself, receipts, raw webhooks, and names of who asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Table, delete, func, literal, select, update

from syncline.apps.outreach.connections.models import connection
from syncline.apps.outreach.delivery.models import receipt
from syncline.apps.outreach.delivery.repository import ERASED
from syncline.apps.outreach.happenings.models import staged_event
from syncline.apps.outreach.people.models import person
from syncline.apps.outreach.sync.models import sync_run
from syncline.apps.outreach.webhooks.models import webhook, webhook_door
from syncline.apps.outreach.webhooks.repository import WAITING
from syncline.kernel.email_address import email_key
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import Counts, Holding, Record, RetentionRule
from syncline.runtime.privacy.subject import Subject

PERSON: Final = Holding(
    "outreach_person", "Who was written to: name, company, his last event", "removed; what Attio has stays there"
)
RECEIPT: Final = Holding(
    "receipt",
    "That Mixpanel was told of his events",
    "his address goes, and nothing more is told; Mixpanel keeps its own",
)
RAW: Final = Holding("outreach_webhook", "Raw webhooks that hold his address", "removed")
STAGED: Final = Holding("staged_event", "His events in a rebuild or comparison that is under way", "removed")
REQUESTED: Final = Holding(
    "outreach_author", "His name on syncs, connections and webhook addresses", "becomes “an erased person”"
)
HOLDINGS: Final = (PERSON, RECEIPT, RAW, STAGED, REQUESTED)
_ERASED_PERSON: Final = "an erased person"
_NAMES: Final[tuple[tuple[Table, str], ...]] = (
    (sync_run, "requested_by"), (connection, "created_by"), (webhook_door, "created_by"),
)  # fmt: skip


async def read(session: Session, subject: Subject) -> AsyncIterator[Record]:
    people = select(person).where(person.c.tenant_id == session.tenant, person.c.email.in_(subject.emails))
    for row in await session.execute(people.order_by(person.c.namespace)):
        yield Record(PERSON.name, dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name
    receipts = select(receipt.c.event_key, receipt.c.event, receipt.c.state, receipt.c.delivered_at).where(
        receipt.c.tenant_id == session.tenant, receipt.c.distinct_id.in_(subject.emails)
    )
    for row in await session.execute(receipts.order_by(receipt.c.event_key)):
        yield Record(RECEIPT.name, dict(row._mapping))  # noqa: SLF001
    raw = select(webhook.c.platform, webhook.c.received_at, webhook.c.body)
    for row in await session.execute(raw.where(webhook.c.id.in_(await _list_raw(session, subject.emails)))):
        told = {
            "platform": row.platform,
            "received_at": row.received_at,
            "body": row.body.decode("utf-8", "replace"),
        }
        yield Record(RAW.name, told)


async def erase(session: WriteSession, subject: Subject) -> Counts:
    people = delete(person).where(person.c.tenant_id == session.tenant, person.c.email.in_(subject.emails))
    told = (
        update(receipt)
        .where(receipt.c.tenant_id == session.tenant, receipt.c.distinct_id.in_(subject.emails))
        .values(distinct_id="", state=ERASED, batch_id=None, sentence=None)
    )
    staged = delete(staged_event).where(
        staged_event.c.tenant_id == session.tenant, staged_event.c.event["email"].astext.in_(subject.emails)
    )
    return {
        PERSON.name: len((await session.execute(people.returning(person.c.email))).all()),
        RECEIPT.name: len((await session.execute(told.returning(receipt.c.event_key))).all()),
        RAW.name: await _erase_raw(session, subject.emails),
        STAGED.name: len((await session.execute(staged.returning(staged_event.c.event_key))).all()),
        REQUESTED.name: await _rename(session, subject.names),
    }


async def _erase_raw(session: WriteSession, emails: Collection[str]) -> int:
    query = delete(webhook).where(webhook.c.id.in_(await _list_raw(session, emails))).returning(webhook.c.id)
    return len((await session.execute(query)).all())


async def _rename(session: WriteSession, names: Collection[str]) -> int:
    count = 0
    for table, column in _NAMES:
        query = update(table).where(table.c.tenant_id == session.tenant, table.c[column].in_(names))
        done = await session.execute(query.values({column: _ERASED_PERSON}).returning(literal(1)))
        count += len(done.all())
    return count


async def _list_raw(session: Session, emails: Collection[str]) -> list[UUID]:
    """Webhooks that hold one of these addresses, whatever its case, which is the sender's own."""
    mine, text = webhook.c.tenant_id == session.tenant, func.lower(func.encode(webhook.c.body, "escape"))
    wanted = sorted({email_key(email) for email in emails})
    found = list[UUID]()
    for email in wanted:
        query = select(webhook.c.id).where(mine, text.contains(email, autoescape=True))
        found += await session.scalars(query)
    if wanted:
        # PostgreSQL sees bytes there; bodies with letters beyond ASCII, plain or as JSON's escapes, are compared here.
        beyond = text.contains("\\3", autoescape=True) | text.contains("\\u", autoescape=True)
        for row in await session.execute(select(webhook.c.id, webhook.c.body).where(mine, beyond)):
            told = email_key(_readable(row.body))
            found += [row.id for email in wanted if email in told][:1]
    return list(dict.fromkeys(found))


def _readable(body: bytes) -> str:
    """With the letters that JSON's escapes mean; as it is where it is no JSON."""
    try:
        return msgspec.json.encode(msgspec.json.decode(body)).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError):
        return body.decode("utf-8", "replace")


def _old(session: Session, before: datetime) -> ColumnElement[bool]:
    return (webhook.c.tenant_id == session.tenant) & (webhook.c.received_at < before) & (webhook.c.state != WAITING)


async def _count(session: Session, before: datetime) -> int:
    return int(await session.scalar(select(func.count()).select_from(webhook).where(_old(session, before))) or 0)


async def _remove(session: WriteSession, before: datetime, limit: int) -> int:
    chosen = select(webhook.c.id).where(_old(session, before)).limit(limit)
    query = delete(webhook).where(webhook.c.tenant_id == session.tenant, webhook.c.id.in_(chosen))
    return len((await session.execute(query.returning(webhook.c.id))).all())


RULES: Final = (RetentionRule("outreach.webhooks", "Raw webhooks of lemlist and Smartlead", 30, _count, _remove),)
