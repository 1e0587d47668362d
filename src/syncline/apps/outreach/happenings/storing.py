"""Happenings become rows: `event_source`, the receipt that Mixpanel is still to be told, and the person.

One statement each for as many as there are, in the caller's transaction; what is there already is left alone, so that
the same page twice, a webhook and a page, or two workers make one row. Rows go in the order of their keys: two
transactions with the same rows wait for each other and never cross.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from syncline.apps.outreach.contract import EventIdentity
from syncline.apps.outreach.delivery.record import distinct_id, insert_id
from syncline.apps.outreach.events.event import Event, EventSource
from syncline.apps.outreach.events.service import record
from syncline.apps.outreach.happenings.activities import Happening
from syncline.apps.outreach.keys.event_key import event_key
from syncline.apps.outreach.sync_contract import Platform
from syncline.kernel.email_address import email_key
from syncline.kernel.errors import Fatal
from syncline.runtime.db.arrays import moment_array, number_array, text_array
from syncline.runtime.db.session import WriteSession

HELD, WAITING = "held", "waiting"
"""Not to be told to Mixpanel until a run that tracks asks for it; to be told."""

# Of somebody who is kept out there is no address, so there is nothing to deliver either.
_RECEIPTS: Final = """
INSERT INTO outreach.receipt (tenant_id, event_key, namespace, event, distinct_id, at_ms, insert_id, state)
SELECT %(tenant)s, g.event_key, %(namespace)s, g.kind, g.distinct_id, g.at_ms, g.insert_id, %(state)s
FROM unnest(%(keys)s::text[], %(kinds)s::text[], %(distinct)s::text[], %(at_ms)s::bigint[], %(inserts)s::text[],
    %(persons)s::text[]) AS g (event_key, kind, distinct_id, at_ms, insert_id, person)
WHERE NOT EXISTS (SELECT FROM outreach.forgotten f WHERE f.tenant_id = %(tenant)s
    AND f.digest = sha256(convert_to(%(tenant)s::text || ':' || g.person, 'UTF8')))
ORDER BY g.event_key ON CONFLICT (tenant_id, event_key) DO NOTHING
"""
# Of what was there already: what was known by its key alone gets the event's moment, and its receipt. Rows are found by
# a list of keys, because the planner, told of a join, has been seen to read the whole table for each page while its
# figures about a table that grows were old.
_REPEATED: Final = """
WITH given AS (
    SELECT * FROM unnest(%(keys)s::text[], %(at)s::timestamptz[], %(facts)s::text[], %(distinct)s::text[],
        %(at_ms)s::bigint[], %(inserts)s::text[])
        AS g (event_key, occurred_at, properties, distinct_id, at_ms, insert_id)
), there AS MATERIALIZED (
    SELECT event_key, namespace, event_type, source FROM outreach.event_source
    WHERE tenant_id = %(tenant)s AND event_key = ANY (%(keys)s::text[]) AND email IS NOT NULL
), filled AS (
    UPDATE outreach.event_source e
    SET occurred_at = given.occurred_at, properties = given.properties::jsonb, source = %(source)s
    FROM given WHERE e.tenant_id = %(tenant)s AND e.event_key = given.event_key AND e.source = 'key'
        AND e.email IS NOT NULL AND e.event_key = ANY (ARRAY(SELECT event_key FROM there WHERE there.source = 'key'))
)
INSERT INTO outreach.receipt (tenant_id, event_key, namespace, event, distinct_id, at_ms, insert_id, state)
SELECT %(tenant)s, there.event_key, there.namespace, there.event_type, distinct_id, at_ms, insert_id, %(state)s
FROM given JOIN there ON there.event_key = given.event_key
ORDER BY there.event_key ON CONFLICT (tenant_id, event_key) DO NOTHING
"""
_STAGE: Final = """
INSERT INTO outreach.staged_event (run_id, event_key, tenant_id, namespace, platform, occurred_at, event)
SELECT %(run)s, event_key, %(tenant)s, %(namespace)s, platform, occurred_at, event::jsonb
FROM unnest(%(keys)s::text[], %(platforms)s::text[], %(at)s::timestamptz[], %(events)s::text[])
    AS g (event_key, platform, occurred_at, event)
ORDER BY event_key ON CONFLICT DO NOTHING
"""
_PEOPLE: Final = """
INSERT INTO outreach.person AS p (
    tenant_id, namespace, email, first_name, last_name, company, last_event, last_event_at, is_wanted, is_changed)
SELECT %(tenant)s, %(namespace)s, g.email, g.first_name, g.last_name, g.company, g.kind, g.at, %(wanted)s, true
FROM unnest(%(emails)s::text[], %(first)s::text[], %(last)s::text[], %(company)s::text[], %(kinds)s::text[],
    %(at)s::timestamptz[], %(persons)s::text[]) AS g (email, first_name, last_name, company, kind, at, person)
WHERE NOT EXISTS (SELECT FROM outreach.forgotten f WHERE f.tenant_id = %(tenant)s
    AND f.digest = sha256(convert_to(%(tenant)s::text || ':' || g.person, 'UTF8')))
ORDER BY g.email ON CONFLICT (tenant_id, namespace, email) DO UPDATE
SET first_name = coalesce(excluded.first_name, p.first_name), last_name = coalesce(excluded.last_name, p.last_name),
    company = coalesce(excluded.company, p.company), last_event = excluded.last_event,
    last_event_at = excluded.last_event_at, is_wanted = p.is_wanted OR excluded.is_wanted, is_changed = true,
    sentence = NULL
WHERE excluded.last_event_at > p.last_event_at OR (excluded.is_wanted AND NOT p.is_wanted)
"""


class KeysCollided(Fatal):
    """Two different events have one key."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A happening with its key in a namespace."""

    key: str
    happening: Happening


def keyed(happenings: Iterable[Happening], namespace: str) -> list[Keyed]:
    """Each key once; of several with one key the first."""
    found: dict[str, Keyed] = {}
    for one in happenings:
        key = event_key(identity_of(one, namespace))
        found.setdefault(key, Keyed(key, one))
    return list(found.values())


def identity_of(one: Happening, namespace: str) -> EventIdentity:
    return EventIdentity(
        platform=one.platform.value,
        campaign_id=one.campaign,
        event_type=one.kind,
        email=one.email,
        namespace=namespace,
        activity_id=one.activity,
        timestamp_ms=None if one.told_at is None else milliseconds(one.told_at),
    )


async def store(
    session: WriteSession, happenings: Sequence[Happening], *, namespace: str, source: EventSource, to_mixpanel: bool
) -> int:
    """How many were new. Raises `KeysCollided`, which pages somebody: nothing of the page is stored then."""
    if not happenings:
        return 0
    events = [Event(identity_of(one, namespace), source, one.at, one.facts) for one in happenings]
    recorded = await record(session, events)
    if any(one.collision_detected for one in recorded):
        raise KeysCollided("Two different events have the same key. Nothing of the page was stored; please report it.")
    new = {one.event_key: happening for one, happening in zip(recorded, happenings, strict=True) if one.is_new}
    repeated = {
        one.event_key: happening
        for one, happening in zip(recorded, happenings, strict=True)
        if one.event_key not in new
    }
    fixed = {"tenant": session.tenant, "namespace": namespace, "state": WAITING if to_mixpanel else HELD}
    driver = await session.driver()
    if new:
        kinds = text_array([one.kind for one in new.values()])
        await driver.execute(_RECEIPTS, {**fixed, **_receipts(new), "kinds": kinds})
    if repeated:
        facts = text_array([msgspec.json.encode(one.facts or {}).decode() for one in repeated.values()])
        moments = moment_array(one.at for one in repeated.values())
        given = {**fixed, **_receipts(repeated), "facts": facts, "at": moments, "source": source.value}
        await driver.execute(_REPEATED, given)
    return sum(one.is_new for one in recorded)


def _receipts(rows: Mapping[str, Happening]) -> dict[str, str]:
    """What Mixpanel will know them by, decided once."""
    return {
        "keys": text_array(list(rows)),
        "distinct": text_array([distinct_id(one.email) for one in rows.values()]),
        "persons": text_array([email_key(one.email) for one in rows.values()]),
        "at_ms": number_array(milliseconds(one.at) for one in rows.values()),
        "inserts": text_array([insert_id(key) for key in rows]),
    }


async def stage(session: WriteSession, rows: Sequence[Keyed], *, run_id: UUID, namespace: str) -> None:
    """Kept apart from what others read, under the run."""
    if not rows:
        return
    values = {
        "run": run_id,
        "tenant": session.tenant,
        "namespace": namespace,
        "keys": text_array([one.key for one in rows]),
        "platforms": text_array([one.happening.platform.value for one in rows]),
        "at": moment_array(one.happening.at for one in rows),
        "events": text_array([msgspec.json.encode(_packed(one.happening)).decode() for one in rows]),
    }
    await (await session.driver()).execute(_STAGE, values)


async def meet_people(
    session: WriteSession, happenings: Iterable[Happening], *, namespace: str, is_wanted: bool
) -> None:
    """Writes down whom the events are about, as their latest event tells of them."""
    latest: dict[str, Happening] = {}
    for one in happenings:
        known = latest.get(one.email)
        if known is None or one.at > known.at:
            latest[one.email] = one
    if not latest:
        return
    people = list(latest.values())
    values = {
        "tenant": session.tenant,
        "namespace": namespace,
        "wanted": is_wanted,
        "emails": text_array([one.email for one in people]),
        "persons": text_array([email_key(one.email) for one in people]),
        "first": text_array([one.first_name for one in people]),
        "last": text_array([one.last_name for one in people]),
        "company": text_array([one.company for one in people]),
        "kinds": text_array([one.kind for one in people]),
        "at": moment_array(one.at for one in people),
    }
    await (await session.driver()).execute(_PEOPLE, values)


def unpacked(told: Mapping[str, Any], occurred_at: datetime) -> Happening:
    """What `stage` kept, as it was."""
    facts = dict(told)
    is_dated = facts.pop("is_dated")
    platform = Platform(facts.pop("platform"))
    return Happening(platform=platform, at=occurred_at, told_at=occurred_at if is_dated else None, **facts)


def _packed(one: Happening) -> dict[str, Any]:
    return {
        "platform": one.platform.value,
        "campaign": one.campaign,
        "kind": one.kind,
        "email": one.email,
        "activity": one.activity,
        "is_dated": one.told_at is not None,
        "facts": one.facts,
        "first_name": one.first_name,
        "last_name": one.last_name,
        "company": one.company,
    }


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
