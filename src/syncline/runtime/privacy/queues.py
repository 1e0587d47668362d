"""The runtime's own tables: jobs that wait, what their failures quoted, events, the log, dead letters.

They are not bound to one tenant by the database, so every statement here says whose rows it may touch: the tenant's
own, and those of no tenant, such as the job that mails a link for a new password.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import sql

from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import Counts, Holding, Record, RetentionRule
from syncline.runtime.privacy.scrubbing import pattern_of, scrub_table, scrubbed
from syncline.runtime.privacy.subject import Subject

_MINE = sql.SQL("tenant = %s or tenant is null")
_TENANT = sql.SQL("tenant_id = %s")
_LANE = sql.SQL("entrypoint like %s or entrypoint like %s")
_JOBS = sql.SQL("""
select id, convert_from(payload, 'UTF8') from jobs.pgqueuer
where (entrypoint like %s or entrypoint like %s) and convert_from(payload, 'UTF8') ilike any (%s) for update
""")
_PUT = sql.SQL("update jobs.pgqueuer set payload = %s where id = %s")
_LETTERS = (
    Holding("job", "A job that waits or runs and names the person", "his addresses are taken out of it"),
    Holding("job_log", "What a failed job quoted (kept for a week)", "his addresses are taken out of it"),
    Holding("job_dead_letter", "A job that was given up", "his addresses are taken out of it"),
    Holding("event", "An event that names the person (kept for two weeks)", "his addresses are taken out of it"),
    Holding("live", "What the log of an operation quoted", "his addresses are taken out of it"),
    Holding("event_dead_letter", "An event that could not be applied", "his addresses are taken out of it"),
)


class QueueData:
    """`PersonalData` of jobs and events."""

    @property
    def holdings(self) -> Sequence[Holding]:
        return _LETTERS

    @property
    def rules(self) -> Sequence[RetentionRule]:
        return _RULES

    async def identify(self, session: Session, subject: Subject) -> Subject:
        del session
        return subject

    async def objections(self, session: Session, subject: Subject) -> Sequence[str]:
        del session, subject
        return ()

    async def export(self, session: Session, subject: Subject) -> AsyncIterator[Record]:
        """Jobs and events of no tenant are left out: nobody can say whose they are."""
        pattern = pattern_of(subject.terms)
        if pattern is None:
            return
        driver = await session.driver()
        for kind, query in _HELD.items():
            rows = await (await driver.execute(query, {"tenant": session.tenant, "lane": _lane(session)})).fetchall()
            for name, moment, data in rows:
                if pattern.search(str(data)):
                    yield Record(kind, {"name": name, "at": moment, "data": data})

    async def erase(self, session: WriteSession, subject: Subject, *, keep_out: bool) -> Counts:
        del keep_out
        if not subject.terms:
            return {}
        mine, lanes = [session.tenant], [_lane(session), "%@"]
        tables: dict[str, dict[str, Any]] = {
            "job_log": {"name": "jobs.pgqueuer_log", "where": _LANE, "values": lanes, "jsonb": ["traceback"]},
            "job_dead_letter": {"name": "jobs.dead_letter", "texts": ["reason"], "json": ["payload"]},
            "event": {"name": "bus.outbox", "json": ["data"]},
            "live": {"name": "live.message", "where": _TENANT, "jsonb": ["data"]},
            "event_dead_letter": {"name": "bus.dead_letter", "texts": ["reason"], "json": ["payload"]},
        }
        counts = {"job": await self._scrub_jobs(session, subject)}
        for kind, how in tables.items():
            options = {"where": _MINE, "values": mine, **how}
            table = sql.Identifier(*options.pop("name").split("."))
            counts[kind] = await scrub_table(session, table, key=["id"], terms=subject.terms, **options)
        return counts

    async def _scrub_jobs(self, session: WriteSession, subject: Subject) -> int:
        pattern = pattern_of(subject.terms)
        assert pattern is not None
        driver = await session.driver()
        like = [f"%{term}%" for term in sorted(subject.terms)]
        rows = await (await driver.execute(_JOBS, [_lane(session), "%@", like])).fetchall()
        changed = 0
        for job_id, payload in rows:
            before = msgspec.json.decode(payload)
            after = scrubbed(before, pattern)
            if after != before:
                await driver.execute(_PUT, [msgspec.json.encode(after), job_id])
                changed += 1
        return changed


def _lane(session: Session) -> str:
    """Lanes end in their tenant (`jobs.lanes`)."""
    return f"%@{session.tenant.hex}"


_HELD: dict[str, LiteralString] = {
    "job": "select headers ->> 'job', created, convert_from(payload, 'UTF8')::json from jobs.pgqueuer"
    " where entrypoint like %(lane)s and %(tenant)s::uuid is not null",
    "job_dead_letter": "select job, last_at, payload from jobs.dead_letter"
    " where tenant = %(tenant)s and %(lane)s::text is not null",
    "event": "select name, occurred_at, data from bus.outbox where tenant = %(tenant)s and %(lane)s::text is not null",
    "live": "select type, at, data from live.message where tenant_id = %(tenant)s and %(lane)s::text is not null",
    "event_dead_letter": "select name, last_at, payload from bus.dead_letter"
    " where tenant = %(tenant)s and %(lane)s::text is not null",
}


def _letters_rule(name: str, table: sql.Identifier, about: str) -> RetentionRule:
    count_query = sql.SQL("select count(*) from {} where tenant = %s and last_at < %s").format(table)
    remove_query = sql.SQL(
        "delete from {0} where id in (select id from {0} where tenant = %s and last_at < %s limit %s)"
    ).format(table)

    async def count(session: Session, before: datetime) -> int:
        row = await (await (await session.driver()).execute(count_query, [session.tenant, before])).fetchone()
        return int(row[0]) if row else 0

    async def remove(session: WriteSession, before: datetime, limit: int) -> int:
        return (await (await session.driver()).execute(remove_query, [session.tenant, before, limit])).rowcount

    return RetentionRule(name, about, 180, count, remove, least_days=7)


_RULES = (
    _letters_rule(
        "queues.job_dead_letters", sql.Identifier("jobs", "dead_letter"), "Jobs that were given up, from their last try"
    ),
    _letters_rule(
        "queues.event_dead_letters",
        sql.Identifier("bus", "dead_letter"),
        "Events that could not be applied, from their last try",
    ),
)

QUEUES = QueueData()
