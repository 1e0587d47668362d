"""Taking stored webhooks to work on, and writing down what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text

from syncline.apps.commerce.webhook_contract import WebhookOutcome, WebhookState
from syncline.apps.commerce.webhooks.told import Reading
from syncline.kernel import clock
from syncline.runtime.db.session import Session, WriteSession

LEASE: Final = timedelta(seconds=30)
"""What a worker that was killed had taken is taken again after this."""

DEADLY: Final = 2
"""Times that its worker died while it was tried by itself, after which a webhook is given up. What was in a batch with
others whose worker died is under suspicion only."""

KILLED: Final = (
    "The process that tried it by itself ended, twice, before it could say why: killed, out of memory, or stopped"
    " by the body itself. Look at the log, then retry it."
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """`attempts` counts this one."""

    id: UUID
    topic: str
    delivery_id: str
    correlation_id: str
    triggered_at: datetime | None
    received_at: datetime
    body_hash: int
    attempts: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Settled:
    """`kind`, `number`, `version` are what it was about, when that is known."""

    id: UUID
    outcome: WebhookOutcome
    kind: str | None = None
    number: int | None = None
    version: datetime | None = None

    @property
    def state(self) -> WebhookState:
        is_done = self.outcome in {WebhookOutcome.WRITTEN, WebhookOutcome.BURIED, WebhookOutcome.HANDED_ON}
        return WebhookState.APPLIED if is_done else WebhookState.IGNORED


# The attempt is counted, and committed, before the work: a body that ends the process is seen to have done so. What was
# tried before is taken alone, so that it takes nobody with it, and nobody is blamed for what another did.
_CLAIM = text("""
    WITH due AS (
        SELECT id, attempts FROM commerce.webhook_event
        WHERE tenant_id = :tenant AND store_id = :store AND state IN ('waiting', 'failed') AND due_at <= :now
        ORDER BY due_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), first AS (
        SELECT attempts > 0 AS is_alone FROM due LIMIT 1
    ), chosen AS (
        SELECT id FROM due, first WHERE NOT is_alone AND attempts = 0
        UNION ALL
        (SELECT id FROM due, first WHERE is_alone LIMIT 1)
    )
    UPDATE commerce.webhook_event e SET attempts = attempts + 1, due_at = :until,
        lone_starts = lone_starts + CASE WHEN (SELECT count(*) FROM chosen) = 1 THEN 1 ELSE 0 END
    FROM chosen WHERE e.id = chosen.id
    RETURNING e.id, e.topic, e.delivery_id, e.correlation_id, e.triggered_at, e.received_at, e.body_hash, e.attempts
""")
_BODIES = text("SELECT event_id, body FROM commerce.webhook_body WHERE tenant_id = :tenant AND event_id = ANY (:ids)")
_DEADLY = text("""
    UPDATE commerce.webhook_event SET state = 'dead', reason = :reason, settled_at = :now, last_failed_at = :now,
        first_failed_at = coalesce(first_failed_at, :now)
    WHERE tenant_id = :tenant AND store_id = :store AND state IN ('waiting', 'failed') AND due_at <= :now
      AND lone_starts >= :deadly
    RETURNING id
""")
_START_ALONE = text("""
    UPDATE commerce.webhook_event SET lone_starts = lone_starts + 1, due_at = :until
    WHERE tenant_id = :tenant AND id = :id AND state IN ('waiting', 'failed') RETURNING id
""")
_CAME_BACK = text("""
    UPDATE commerce.webhook_event SET lone_starts = 0 WHERE tenant_id = :tenant AND id = :id AND lone_starts > 0
""")
_HOLD = text("""
    SELECT id FROM commerce.webhook_event
    WHERE tenant_id = :tenant AND id = ANY (:ids) AND state IN ('waiting', 'failed') ORDER BY id FOR UPDATE
""")
_SETTLE = text("""
    UPDATE commerce.webhook_event e SET state = :state, outcome = :outcome, kind = :kind, number = :number,
        version = :version, settled_at = :now, reason = NULL
    WHERE tenant_id = :tenant AND id = :id
""")
_FAIL = text("""
    UPDATE commerce.webhook_event SET state = :state, reason = :reason, due_at = :due, last_failed_at = :now,
        lone_starts = 0,
        first_failed_at = coalesce(first_failed_at, :now), settled_at = CASE WHEN :state = 'dead' THEN :now END
    WHERE tenant_id = :tenant AND id = :id AND state IN ('waiting', 'failed')
""")
_NEXT = text("""
    SELECT min(due_at) FROM commerce.webhook_event
    WHERE tenant_id = :tenant AND store_id = :store AND state IN ('waiting', 'failed')
""")
_SAME = text("""
    SELECT kind, number, body_hash FROM commerce.webhook_event
    WHERE tenant_id = :tenant AND store_id = :store AND state = 'applied' AND number = ANY (:numbers)
""")
_ASK = text("""
    INSERT INTO commerce.webhook_reading AS known (store_id, tenant_id, stream, number, second, asked_at, due_at)
    SELECT :store, :tenant, stream, number, second, :now, :now
    FROM unnest(CAST(:streams AS text[]), CAST(:numbers AS bigint[]), CAST(:seconds AS bigint[]))
        AS t (stream, number, second)
    ORDER BY stream, number, second
    ON CONFLICT (store_id, stream, number, second)
    DO UPDATE SET asked_at = excluded.asked_at, due_at = least(known.due_at, excluded.due_at)
""")


async def bury_deadly(session: WriteSession, store_id: UUID) -> int:
    """Gives up what has ended its worker twice while it was alone. Answers how many."""
    values = {"tenant": session.tenant, "store": store_id, "now": clock.now(), "reason": KILLED, "deadly": DEADLY}
    return len((await session.execute(_DEADLY, values)).all())


async def claim(session: WriteSession, store_id: UUID, limit: int) -> Sequence[Claimed]:
    """The next of a store in the order in which they came, for `LEASE`; nothing of another worker's."""
    now = clock.now()
    values = {"tenant": session.tenant, "store": store_id, "now": now, "until": now + LEASE, "limit": limit}
    rows = (await session.execute(_CLAIM, values)).mappings().all()
    found = await session.execute(_BODIES, {"tenant": session.tenant, "ids": [row["id"] for row in rows]})
    bodies = {row.event_id: bytes(row.body) for row in found}
    claimed = [Claimed(**row, body=bodies.get(row["id"])) for row in rows]
    return sorted(claimed, key=lambda one: (one.received_at, one.id))


async def start_alone(session: WriteSession, event_id: UUID) -> bool:
    """To be committed before one of a claimed batch is tried by itself. False when somebody settled it meanwhile."""
    values = {"tenant": session.tenant, "id": event_id, "until": clock.now() + LEASE}
    return (await session.execute(_START_ALONE, values)).one_or_none() is not None


async def came_back(session: WriteSession, event_id: UUID) -> None:
    """Its worker lives, though it could not finish."""
    await session.execute(_CAME_BACK, {"tenant": session.tenant, "id": event_id})


async def hold(session: WriteSession, ids: Sequence[UUID]) -> set[UUID]:
    """Those that nobody has settled meanwhile, locked until the transaction ends."""
    return set((await session.scalars(_HOLD, {"tenant": session.tenant, "ids": list(ids)})).all())


async def settle(session: WriteSession, settled: Sequence[Settled]) -> None:
    now = clock.now()
    rows = [
        {
            "tenant": session.tenant,
            "id": one.id,
            "state": one.state.value,
            "outcome": one.outcome.value,
            "kind": one.kind,
            "number": one.number,
            "version": one.version,
            "now": now,
        }
        for one in settled
    ]
    if rows:
        await session.execute(_SETTLE, rows)


async def fail(session: WriteSession, event_id: UUID, reason: str, *, again_at: datetime | None) -> None:
    """Tried again at a moment, or a dead letter."""
    now = clock.now()
    values = {
        "tenant": session.tenant,
        "id": event_id,
        "state": (WebhookState.DEAD if again_at is None else WebhookState.FAILED).value,
        "reason": reason[:2_000],
        "due": again_at or now,
        "now": now,
    }
    await session.execute(_FAIL, values)


async def next_due(session: Session, store_id: UUID) -> datetime | None:
    """When the next of a store is to be looked at; None when nothing waits."""
    moment: datetime | None = await session.scalar(_NEXT, {"tenant": session.tenant_id, "store": store_id})
    return moment


async def list_same(
    session: Session, store_id: UUID, numbers: Sequence[int]
) -> Mapping[tuple[str, int], frozenset[int]]:
    """The hashes of the bodies that were applied, by the record they were about."""
    found: dict[tuple[str, int], set[int]] = {}
    values = {"tenant": session.tenant_id, "store": store_id, "numbers": list(numbers)}
    for row in await session.execute(_SAME, values):
        found.setdefault((row.kind, row.number), set()).add(row.body_hash)
    return {record: frozenset(hashes) for record, hashes in found.items()}


async def ask_for(session: WriteSession, store_id: UUID, readings: Sequence[Reading]) -> None:
    """To be read from the store: once, for however many ask before that."""
    wanted = sorted(set(readings))
    if wanted:
        values = {
            "tenant": session.tenant,
            "store": store_id,
            "now": clock.now(),
            "streams": [one[0] for one in wanted],
            "numbers": [one[1] for one in wanted],
            "seconds": [one[2] for one in wanted],
        }
        await session.execute(_ASK, values)
