"""Every query of `event_source`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import text

from syncline.apps.outreach.events.event import Event
from syncline.apps.outreach.keys.event_key import Fingerprint
from syncline.kernel import clock
from syncline.kernel.email_address import email_key
from syncline.runtime.db.arrays import bytes_array, moment_array, number_array, text_array
from syncline.runtime.db.session import Session, WriteSession

# Of somebody who is kept out, an event is stored without him: neither his address nor what the tool says about it.
_INSERT = """
    INSERT INTO outreach.event_source (
        tenant_id, event_key, platform, campaign_id, event_type, email, namespace, activity_id, timestamp_ms,
        identity_hash, occurred_at, properties, source, created_at
    )
    SELECT %(tenant)s, e.key, e.platform, e.campaign, e.type, CASE WHEN f.digest IS NULL THEN e.email END, e.namespace,
           e.activity, e.timestamp_ms, e.hash, e.occurred_at, CASE WHEN f.digest IS NULL THEN e.properties::jsonb END,
           e.source, %(now)s
    FROM unnest(%(keys)s::text[], %(platforms)s::text[], %(campaigns)s::text[], %(types)s::text[], %(emails)s::text[],
                %(namespaces)s::text[], %(activities)s::text[], %(timestamps)s::bigint[], %(hashes)s::bytea[],
                %(moments)s::timestamptz[], %(properties)s::text[], %(sources)s::text[], %(persons)s::text[])
         AS e (key, platform, campaign, type, email, namespace, activity, timestamp_ms, hash, occurred_at, properties,
               source, person)
    LEFT JOIN outreach.forgotten f
         ON f.tenant_id = %(tenant)s AND f.digest = sha256(convert_to(%(tenant)s || ':' || e.person, 'UTF8'))
    ON CONFLICT (tenant_id, event_key) DO NOTHING
    RETURNING event_key
"""
_STORED = text("""
    SELECT event_key, platform, campaign_id, event_type, email, namespace, activity_id, timestamp_ms, identity_hash
    FROM outreach.event_source WHERE tenant_id = :tenant_id AND event_key = ANY(:keys)
""")
_COUNT = text("""
    INSERT INTO outreach.key_count (tenant_id, generated, collisions, invalid)
    VALUES (:tenant_id, :generated, :collisions, :invalid)
    ON CONFLICT (tenant_id) DO UPDATE SET generated = key_count.generated + excluded.generated,
        collisions = key_count.collisions + excluded.collisions, invalid = key_count.invalid + excluded.invalid
""")
_COUNTED = text("SELECT generated, collisions, invalid FROM outreach.key_count WHERE tenant_id = :tenant_id")


@dataclass(frozen=True, slots=True)
class Stored:
    """The identity that a key stands for in the table. `email` is None once its person was forgotten."""

    event_key: str
    platform: str
    campaign_id: str
    event_type: str
    email: str | None
    namespace: str
    activity_id: str | None
    timestamp_ms: int | None
    identity_hash: bytes


@dataclass(frozen=True, slots=True)
class Counted:
    generated: int = 0
    collisions: int = 0
    invalid: int = 0


async def insert(session: WriteSession, events: Sequence[tuple[Event, Fingerprint]]) -> set[str]:
    """The keys that were not there yet. Of two events with one key the first is stored. Rows go in by their keys' order
    so that two who insert the same ones wait for each other and never block each other."""
    ordered = sorted(events, key=lambda one: one[1].key)
    cursor = await (await session.driver()).execute(_INSERT, {**_columns(ordered), "tenant": str(session.tenant)})
    return {key for (key,) in await cursor.fetchall()}


def _columns(events: Iterable[tuple[Event, Fingerprint]]) -> dict[str, Any]:
    rows = [(*event.identity, event, mark) for event, mark in events]
    platforms, campaigns, types, emails, namespaces, activities, timestamps, told, marks = zip(*rows, strict=True)
    return {
        "keys": text_array([mark.key for mark in marks]),
        "hashes": bytes_array(mark.hash for mark in marks),
        "platforms": text_array(platforms),
        "campaigns": text_array(campaigns),
        "types": text_array(types),
        "emails": text_array([email.lower() for email in emails]),
        "persons": text_array([email_key(email) for email in emails]),
        "namespaces": text_array(namespaces),
        "activities": text_array(activities),
        "timestamps": number_array(timestamps),
        "moments": moment_array(event.occurred_at for event in told),
        "properties": text_array(
            [None if one.properties is None else msgspec.json.encode(one.properties).decode() for one in told]
        ),
        "sources": text_array([event.source.value for event in told]),
        "now": clock.now(),
    }


async def list_stored(session: Session, keys: Collection[str]) -> dict[str, Stored]:
    """By key."""
    rows = await session.execute(_STORED, {"tenant_id": session.tenant, "keys": list(keys)})
    return {row.event_key: Stored(*row) for row in rows}


async def add_to_count(session: WriteSession, more: Counted) -> None:
    """Holds the tenant's row until the transaction ends: call it last."""
    values = {"generated": more.generated, "collisions": more.collisions, "invalid": more.invalid}
    await session.execute(_COUNT, {"tenant_id": session.tenant, **values})


async def count(session: Session) -> Counted:
    row = (await session.execute(_COUNTED, {"tenant_id": session.tenant})).one_or_none()
    return Counted() if row is None else Counted(*row)
