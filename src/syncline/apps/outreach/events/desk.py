"""Where keys are asked for: those who ask at the same time share a transaction."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from syncline.apps.outreach.contract import EventIdentity, RecordedKey
from syncline.apps.outreach.events import repository, service
from syncline.apps.outreach.events.event import Event, EventSource
from syncline.apps.outreach.events.repository import Counted
from syncline.apps.outreach.namespaces import service as namespaces
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.audit.origin import current_origin, origin
from syncline.runtime.audit.trail import record
from syncline.runtime.db.engine import Database
from syncline.runtime.db.group_commit import GroupCommit, GroupLimits
from syncline.runtime.db.session import WriteSession
from syncline.runtime.observe.correlation import correlated, correlation_id

_MOST_KNOWN = 10_000
_AT_ONCE = 2_000
_WAITING_MOST = 100_000
_TOLD_IDS = 20
_METER_SECONDS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One request: whose, where from, and the events whose keys it wants."""

    actor: Actor
    address: str | None
    correlation: str | None
    identities: Sequence[EventIdentity]


class KeyDesk:
    """One per process. Keeps in memory which namespaces are there, so that not each key asks for them again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[tuple[TenantId, str], None] = OrderedDict()
        self._made: deque[tuple[float, TenantId, int]] = deque()
        # What bounds a transaction is how many keys are in it, so that is an item's size here.
        limits = GroupLimits(batch_bytes=_AT_ONCE, waiting_bytes=_WAITING_MOST)
        self._group: GroupCommit[Asked, list[RecordedKey]] = GroupCommit(
            "event_keys", self._write, size_of=lambda one: len(one.identities), limits=limits
        )

    async def ask(self, actor: Actor, identities: Sequence[EventIdentity]) -> list[RecordedKey]:
        """Answers once they are committed, with their entry in the audit trail. Raises what `GroupCommit` raises."""
        here = current_origin()
        found = await self._group.submit(Asked(actor, here.address, correlation_id(), identities))
        here.entries += 1
        return found

    @property
    def cache_size(self) -> int:
        return len(self._known)

    def clear(self) -> int:
        """Answers how many entries there were."""
        size = len(self._known)
        self._known.clear()
        return size

    def rate(self, tenant_id: TenantId) -> float:
        """Keys per second of the last minute."""
        self._forget_old()
        return sum(keys for _, tenant, keys in self._made if tenant == tenant_id) / _METER_SECONDS

    async def _write(self, asked: Sequence[Asked]) -> list[list[RecordedKey]]:
        answers: dict[Asked, list[RecordedKey]] = {}
        for tenant_id, theirs in _by_tenant(asked).items():
            async with self._database.writing(tenant_id) as session:
                answers |= await self._record(session, theirs)
            self._count(tenant_id, theirs)
        return [answers[one] for one in asked]

    async def _record(self, session: WriteSession, asked: Sequence[Asked]) -> dict[Asked, list[RecordedKey]]:
        with origin(None) as here:
            await self._ensure_namespaces(session, asked)
            made = here.told()
        events = [Event(identity, EventSource.KEY) for one in asked for identity in one.identities]
        found = await service.record(session, events)
        collided = sum(one.collision_detected for one in found)
        await repository.add_to_count(session, Counted(generated=len(found), collisions=collided))
        for group in _by_caller(asked):
            await _note(session, group, made["after"])
        keys = iter(found)
        return {one: list(islice(keys, len(one.identities))) for one in asked}

    async def _ensure_namespaces(self, session: WriteSession, asked: Sequence[Asked]) -> None:
        named = {identity.namespace: one.actor for one in asked for identity in one.identities}
        for name, actor in named.items():
            if (session.tenant, name) not in self._known:
                await namespaces.ensure(session, name, made_by=actor.name)

    def _count(self, tenant_id: TenantId, asked: Sequence[Asked]) -> None:
        """What is committed."""
        for name in {identity.namespace for one in asked for identity in one.identities}:
            self._known[tenant_id, name] = None
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        self._made.append((time.monotonic(), tenant_id, sum(len(one.identities) for one in asked)))
        self._forget_old()

    def _forget_old(self) -> None:
        while self._made and self._made[0][0] < time.monotonic() - _METER_SECONDS:
            self._made.popleft()


def _by_tenant(asked: Iterable[Asked]) -> dict[TenantId, list[Asked]]:
    found: dict[TenantId, list[Asked]] = {}
    for one in asked:
        found.setdefault(one.actor.tenant_id, []).append(one)
    return found


def _by_caller(asked: Iterable[Asked]) -> list[list[Asked]]:
    found: dict[tuple[Actor, str | None], list[Asked]] = {}
    for one in asked:
        found.setdefault((one.actor, one.address), []).append(one)
    return list(found.values())


async def _note(session: WriteSession, asked: Sequence[Asked], made: object) -> None:
    """One entry for all that one caller asked for in this transaction."""
    keys = sum(len(one.identities) for one in asked)
    platforms = Counter(identity.platform for one in asked for identity in one.identities)
    requests = [one.correlation for one in asked if one.correlation is not None][:_TOLD_IDS]
    details = {"keys": keys, "requests": len(asked), "by_platform": dict(platforms), "correlation_ids": requests}
    with origin(asked[0].address), correlated(asked[0].correlation or ""):
        await record(
            session,
            actor=asked[0].actor,
            action="event keys generated",
            subject=f"{keys} event {'key' if keys == 1 else 'keys'}",
            details=details if made is None else {**details, "namespaces_made": made},
        )
