"""What was refused at the door: counted in memory, written once a second, never one row for each.

Who knocks is unknown, so nothing he sends is kept but the name he gives, and not more than `MOST_NAMES` of these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from syncline.kernel import clock
from syncline.kernel.errors import DomainError
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session
from syncline.runtime.observe.logs import get_logger
from syncline.runtime.observe.metrics import Counter

log = get_logger(__name__)

MOST_NAMES: Final = 1_000
UNVERIFIABLE: Final = "unverifiable"
"""The secret that verifies it cannot be opened: our illness, where all other reasons are the sender's."""

_SECONDS: Final = 1.0

REFUSED = Counter("syncline_webhooks_refused_total", "Webhooks that were refused, by reason", ["reason"])

_ADD = text("""
    INSERT INTO commerce.webhook_refusal AS known (shop_domain, reason, topic, count, first_at, last_at)
    SELECT :shop_domain, :reason, :topic, :count, :at, :at
    WHERE (SELECT count(*) FROM commerce.webhook_refusal) < :most
       OR EXISTS (SELECT FROM commerce.webhook_refusal WHERE shop_domain = :shop_domain AND reason = :reason)
    ON CONFLICT (shop_domain, reason) DO UPDATE
    SET count = known.count + excluded.count, last_at = excluded.last_at, topic = excluded.topic
""")
_COUNT_OF = text("""
    SELECT count(*) FROM commerce.webhook_refusal WHERE reason = :reason AND last_at >= :since
""")
_LIST = text("""
    SELECT shop_domain, reason, topic, count, first_at, last_at FROM commerce.webhook_refusal
    ORDER BY last_at DESC LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Refusal:
    shop_domain: str
    reason: str
    topic: str
    count: int
    first_at: datetime
    last_at: datetime


class Refusals:
    """One per process, for one event loop. What was counted within the last second is lost with the process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counted: dict[tuple[str, str], tuple[int, str]] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, shop_domain: str, reason: str, topic: str) -> None:
        """`reason` is one of a few words."""
        REFUSED.labels(reason).inc()
        key = (shop_domain, reason)
        if key not in self._counted and len(self._counted) >= MOST_NAMES:
            return
        self._counted[key] = (self._counted.get(key, (0, ""))[0] + 1, topic)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write_soon(), name="webhook refusals")

    async def written(self) -> None:
        """Returns once what was noted so far is written, or could not be."""
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write_soon(self) -> None:
        while self._counted:
            await asyncio.sleep(_SECONDS)
            counted, self._counted = self._counted, {}
            try:
                await self._write(counted)
            except (DomainError, SQLAlchemyError, psycopg.Error) as error:
                log.warning("refused webhooks were not written down", names=len(counted), error=repr(error))

    async def _write(self, counted: dict[tuple[str, str], tuple[int, str]]) -> None:
        now = clock.now()
        rows = [
            {"shop_domain": shop, "reason": reason, "topic": topic, "count": count, "at": now, "most": MOST_NAMES}
            for (shop, reason), (count, topic) in sorted(counted.items())
        ]
        async with self._database.system() as session:
            for row in rows:
                await session.execute(_ADD, row)
        log.warning("webhooks were refused", names=len(rows), count=sum(count for count, _ in counted.values()))


async def count_unverifiable(session: Session, since: datetime) -> int:
    """Shops of which one came since then whose secret cannot be opened, of all tenants."""
    return int(await session.scalar(_COUNT_OF, {"reason": UNVERIFIABLE, "since": since}) or 0)


async def list_refusals(session: Session, limit: int) -> Sequence[Refusal]:
    """The latest first. For the operator: it names shops that are nobody's."""
    return [Refusal(*row) for row in await session.execute(_LIST, {"limit": limit})]
