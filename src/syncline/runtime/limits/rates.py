"""Rates that are changed while running: by the operator for the installation or for one tenant, and by a tenant's admin
for that tenant, within what the installation allows.

Kept in the database. Each process looks at them anew every few seconds (`RateBook`), so a change holds everywhere soon
and costs requests nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError

from syncline.kernel import clock
from syncline.kernel.errors import DomainError
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.limits.policy import Counts, Policy, Rate, parse_rate
from syncline.runtime.observe.logs import get_logger
from syncline.runtime.shared_lookups import SharedLookups

log = get_logger(__name__)

KEPT_SECONDS = 5.0
_PATIENCE_SECONDS = 1.0
_MOST_TENANTS = 10_000


@dataclass(frozen=True, slots=True)
class ChangedRate:
    """`rate` None is no limit. `by_operator` may be more than the installation's; what a tenant's admin set may not."""

    rate: Rate | None
    by_operator: bool
    actor: str
    since: datetime


Changed = Mapping[str, ChangedRate]
"""By the name of the limit."""

_INSTALLATION = text("SELECT name, rate, true AS by_operator, actor, since FROM controls.limit_rate")
_TENANT = text("""
    SELECT name, rate, by_operator, actor, since FROM controls.tenant_limit_rate WHERE tenant_id = :tenant_id
""")
_SET = text("""
    INSERT INTO controls.limit_rate (name, rate, actor, since) VALUES (:name, :rate, :actor, :since)
    ON CONFLICT (name) DO UPDATE SET rate = :rate, actor = :actor, since = :since
""")
_SET_FOR_TENANT = text("""
    INSERT INTO controls.tenant_limit_rate (tenant_id, name, rate, by_operator, actor, since)
    VALUES (:tenant_id, :name, :rate, :by_operator, :actor, :since)
    ON CONFLICT (tenant_id, name)
    DO UPDATE SET rate = :rate, by_operator = :by_operator, actor = :actor, since = :since
""")
_RESET = text("DELETE FROM controls.limit_rate WHERE name = :name RETURNING 1")
_RESET_FOR_TENANT = text("""
    DELETE FROM controls.tenant_limit_rate WHERE tenant_id = :tenant_id AND name = :name RETURNING 1
""")


async def list_for_installation(session: Session) -> Changed:
    return {row.name: _changed(row) for row in (await session.execute(_INSTALLATION)).all()}


async def list_for_tenant(session: Session) -> Changed:
    """Of the session's tenant."""
    rows = await session.execute(_TENANT, {"tenant_id": session.tenant})
    return {row.name: _changed(row) for row in rows.all()}


def _changed(row: Row[Any]) -> ChangedRate:
    return ChangedRate(parse_rate(row.rate), row.by_operator, row.actor, row.since)


async def set_for_installation(session: WriteSession, name: str, rate: Rate | None, *, actor: str) -> None:
    await session.execute(_SET, {"name": name, "rate": written(rate), "actor": actor, "since": clock.now()})


async def set_for_tenant(session: WriteSession, name: str, rate: Rate | None, *, actor: str, by_operator: bool) -> None:
    values = {"name": name, "rate": written(rate), "actor": actor, "since": clock.now()}
    await session.execute(_SET_FOR_TENANT, {**values, "tenant_id": session.tenant, "by_operator": by_operator})


async def reset_for_installation(session: WriteSession, name: str) -> bool:
    """Whether there was something to put back."""
    return bool((await session.execute(_RESET, {"name": name})).all())


async def reset_for_tenant(session: WriteSession, name: str) -> bool:
    return bool((await session.execute(_RESET_FOR_TENANT, {"tenant_id": session.tenant, "name": name})).all())


def written(rate: Rate | None) -> str:
    """As `parse_rate` reads it."""
    return "off" if rate is None else str(rate)


def is_within(rate: Rate | None, most: Rate | None) -> bool:
    """Whether `rate` lets nothing through that `most` would not: neither at once nor in the long run."""
    if most is None:
        return True
    return rate is not None and rate.most <= most.most and rate.count * most.seconds <= most.count * rate.seconds


def in_force(policy: Policy, installation: Changed, tenant: Changed) -> Policy:
    """What holds, of what the settings say, what the operator changed, and what the tenant's admin changed."""
    common, own = installation.get(policy.name), tenant.get(policy.name)
    base = policy if common is None else replace(policy, rate=common.rate)
    # An address is counted before anybody knows whose it is.
    if own is None or policy.counts is Counts.ADDRESS:
        return base
    return replace(base, rate=own.rate) if own.by_operator or is_within(own.rate, base.rate) else base


@dataclass(frozen=True, slots=True)
class _Known:
    until: float
    installation: Changed
    tenant: Changed


class RateBook:
    """The policies in force for whoever calls, kept for a few seconds. While the database is away what was known goes
    on: a limit must not fail the request it guards."""

    def __init__(
        self,
        database: Database,
        policies: Mapping[str, Policy],
        *,
        kept_seconds: float = KEPT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policies = policies
        self._database = database
        self._kept_seconds = kept_seconds
        self._clock = clock
        self._known: OrderedDict[TenantId | None, _Known] = OrderedDict()
        self._lookups: SharedLookups[_Known] = SharedLookups()

    async def policy(self, name: str, tenant_id: TenantId | None) -> Policy:
        """Raises `LookupError` for a policy that nobody declared."""
        declared = self.policies.get(name)
        if declared is None:
            raise LookupError(f"no limit is declared as {name}")
        known = self._known.get(tenant_id)
        if known is None or known.until <= self._clock():
            before = known
            known = await self._lookups.ask(tenant_id, lambda: self._look(tenant_id, before))
        return in_force(declared, known.installation, known.tenant)

    async def _look(self, tenant_id: TenantId | None, before: _Known | None) -> _Known:
        try:
            installation, tenant = await self._read_in_time(tenant_id)
        except (DomainError, SQLAlchemyError, psycopg.Error, TimeoutError, ValueError) as error:
            log.warning("changed limits cannot be read", error=repr(error))
            installation, tenant = (before.installation, before.tenant) if before else ({}, {})
        known = self._known[tenant_id] = _Known(self._clock() + self._kept_seconds, installation, tenant)
        self._known.move_to_end(tenant_id)
        if len(self._known) > _MOST_TENANTS:
            self._known.popitem(last=False)
        return known

    async def _read_in_time(self, tenant_id: TenantId | None) -> tuple[Changed, Changed]:
        """Raises `TimeoutError`. The end of what is given up is not waited for: with a server that is silent the driver
        takes ten seconds over that, and every request would."""
        reading = asyncio.create_task(self._read(tenant_id), name="read changed limits")
        done, _ = await asyncio.wait({reading}, timeout=_PATIENCE_SECONDS)
        if not done:
            reading.cancel()
            reading.add_done_callback(lambda task: task.cancelled() or task.exception())
            raise TimeoutError
        return reading.result()

    async def _read(self, tenant_id: TenantId | None) -> tuple[Changed, Changed]:
        if tenant_id is None:
            async with self._database.system() as session:
                return await list_for_installation(session), {}
        async with self._database.reading(tenant_id) as session:
            return await list_for_installation(session), await list_for_tenant(session)
