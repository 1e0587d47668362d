"""The parts of an installation, looked at through its database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from syncline.main.examination import examine_disk, examine_secret_key
from syncline.main.probe import probe_workers
from syncline.main.schema import pending_migrations
from syncline.main.settings import Settings
from syncline.main.verification.finding import Finding, Group, Verdict, from_examination, graded, span
from syncline.runtime.app import Runtime
from syncline.runtime.bus.backlog import find_backlog
from syncline.runtime.db.engine import OLDEST_VERSION
from syncline.runtime.db.isolation import unprotected_tables

_ROLE = text("SELECT rolname::text, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
_CLOCK = text("SELECT clock_timestamp()")
_SKEW_NOTED, _SKEW_WRONG = timedelta(seconds=2), timedelta(seconds=30)
_LAG_NOTED, _LAG_WRONG = timedelta(minutes=1), timedelta(minutes=10)


async def check_components(runtime: Runtime, settings: Settings, *, patience: timedelta) -> list[Finding]:
    return [
        await _database(runtime, settings),
        await _migrations(runtime),
        await _role(runtime),
        await _clock(runtime),
        await _workers(runtime, patience),
        await _outbox(runtime),
        await _dead_letters(runtime),
        from_examination(examine_disk(settings)),
        from_examination(examine_secret_key(settings)),
    ]


async def check_row_security(runtime: Runtime) -> Finding:
    """Every table with a tenant forces row security and has a policy."""
    async with runtime.database.system() as session:
        open_tables = await (await session.connection()).run_sync(unprotected_tables)
    what = "tenants' tables"
    if open_tables:
        named = ", ".join(open_tables)
        advice = "One tenant may read another's rows. Stop serving, and run: syncline db upgrade"
        return Finding(Group.INTEGRITY, what, Verdict.FAIL, f"without forced row security: {named}", advice)
    return Finding(Group.INTEGRITY, what, Verdict.OK, "row security is forced on all of them")


async def _database(runtime: Runtime, settings: Settings) -> Finding:
    async with runtime.database.system() as session:
        number = (await session.driver()).info.server_version
    kind = "our own server" if settings.database_url is None else "the server of SYNCLINE_DATABASE_URL"
    found = f"PostgreSQL {number // 10000}.{number % 10000}, {kind}"
    if number // 10000 < OLDEST_VERSION:
        return Finding(Group.COMPONENTS, "database", Verdict.FAIL, found, f"Upgrade it to {OLDEST_VERSION} or newer.")
    return Finding(Group.COMPONENTS, "database", Verdict.OK, found)


async def _migrations(runtime: Runtime) -> Finding:
    behind = await asyncio.to_thread(pending_migrations, runtime.database.operator_url)
    if behind:
        return Finding(
            Group.COMPONENTS, "migrations", Verdict.FAIL, f"{behind} are missing", "Run: syncline db upgrade"
        )
    return Finding(Group.COMPONENTS, "migrations", Verdict.OK, "all are applied")


async def _role(runtime: Runtime) -> Finding:
    async with runtime.database.system() as session:
        name, is_superuser, bypasses = (await session.execute(_ROLE)).one()
    if is_superuser or bypasses:
        advice = "Give SYNCLINE_DATABASE_URL an ordinary role, and this one to SYNCLINE_DATABASE_ADMIN_URL."
        return Finding(Group.COMPONENTS, "database role", Verdict.FAIL, f"{name} passes row security by", advice)
    return Finding(Group.COMPONENTS, "database role", Verdict.OK, f"{name} is bound by row security")


async def _clock(runtime: Runtime) -> Finding:
    async with runtime.database.system() as session:
        before = datetime.now(UTC)
        there = (await session.execute(_CLOCK)).scalar_one()
        after = datetime.now(UTC)
    skew = abs(there - (before + (after - before) / 2))
    verdict = graded(skew, warn=_SKEW_NOTED, fail=_SKEW_WRONG)
    advice = "" if verdict is Verdict.OK else "Let both machines keep time by NTP: leases and schedules go by it."
    found = f"{skew.total_seconds() * 1000:,.0f} ms from the database's"
    return Finding(Group.COMPONENTS, "clock", verdict, found, advice)


async def _workers(runtime: Runtime, patience: timedelta) -> Finding:
    probed = await probe_workers(runtime, patience=patience)
    what, waited = "workers", f"{probed.seconds:.1f} s"
    if probed.state == "successful":
        return Finding(Group.COMPONENTS, what, Verdict.OK, f"a probe job was done after {waited}")
    if probed.state == "waiting":
        advice = "Start one: syncline serve (or --roles worker). If one runs, it has no place free: see its log."
        return Finding(Group.COMPONENTS, what, Verdict.FAIL, f"nobody took a probe job in {waited}", advice)
    found = f"a probe job was {probed.state or 'lost'} after {waited}"
    return Finding(Group.COMPONENTS, what, Verdict.FAIL, found, "Look into the log of the worker.")


async def _outbox(runtime: Runtime) -> Finding:
    async with runtime.database.system() as session:
        backlog = await find_backlog(session)
    waiting = backlog.unsent + backlog.undelivered
    if not waiting:
        return Finding(Group.COMPONENTS, "events", Verdict.OK, "all are delivered")
    verdict = graded(backlog.oldest, warn=_LAG_NOTED, fail=_LAG_WRONG)
    advice = (
        "" if verdict is Verdict.OK else "A worker's relay delivers them. See its log, and: syncline dead-letters list"
    )
    return Finding(
        Group.COMPONENTS, "events", verdict, f"{waiting:,} wait, the oldest for {span(backlog.oldest)}", advice
    )


async def _dead_letters(runtime: Runtime) -> Finding:
    async with runtime.database.system() as session:
        tally = await runtime.letters.tally(session)
    if any(tally.values()):
        *others, last = [f"{count:,} {kind}s" for kind, count in tally.items()]
        found = f"{', '.join(others)} and {last} were given up"
        advice = "See why, then retry or discard: syncline dead-letters list"
        return Finding(Group.COMPONENTS, "dead letters", Verdict.WARN, found, advice)
    return Finding(Group.COMPONENTS, "dead letters", Verdict.OK, "none")
