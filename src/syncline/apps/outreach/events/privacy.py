"""What `event_source` holds of a person: found, handed out, forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from hashlib import sha256

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from syncline.apps.outreach.events.models import event_source, forgotten
from syncline.kernel.email_address import email_key
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import Holding, Record

HOLDING = Holding(
    "event",
    "Events of outreach: what was sent to his address, what he opened and answered",
    "address and details removed; the key stays, so that the event is not taken for a new one",
)
KEPT_OUT = Holding(
    "kept_out",
    "That he is kept out of outreach, as a digest of his address",
    "is made by the erasure: what the tools tell of him later is stored without him",
)
_SHOWN = (
    event_source.c.event_key,
    event_source.c.platform,
    event_source.c.campaign_id,
    event_source.c.event_type,
    event_source.c.email,
    event_source.c.namespace,
    event_source.c.occurred_at,
    event_source.c.properties,
    event_source.c.created_at,
)


async def read_events(session: Session, emails: Collection[str]) -> AsyncIterator[Record]:
    query = select(*_SHOWN).where(event_source.c.tenant_id == session.tenant, event_source.c.email.in_(emails))
    for row in await session.execute(query.order_by(event_source.c.event_key)):
        yield Record(HOLDING.name, dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name


async def forget(session: WriteSession, emails: Collection[str]) -> int:
    """How many events named one of these addresses, and do no more."""
    query = (
        update(event_source)
        .where(event_source.c.tenant_id == session.tenant, event_source.c.email.in_(emails))
        .values(email=None, properties=None)
    )
    return len((await session.execute(query.returning(event_source.c.event_key))).all())


async def keep_out(session: WriteSession, emails: Collection[str]) -> int:
    """How many addresses were not kept out yet."""
    rows = [
        {"tenant_id": session.tenant, "digest": digest(session.tenant, email)}
        for email in sorted(set(map(email_key, emails)))
    ]
    if not rows:
        return 0
    query = insert(forgotten).values(rows).on_conflict_do_nothing().returning(forgotten.c.digest)
    return len((await session.execute(query)).all())


def digest(tenant_id: TenantId, email: str) -> bytes:
    """As the database makes it when an event comes in, of what `email_key` makes of an address."""
    return sha256(f"{tenant_id}:{email}".encode()).digest()
