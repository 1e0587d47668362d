"""Where the relay takes what is in the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from psycopg.sql import SQL

from syncline.runtime.bus.event import Envelope
from syncline.runtime.bus.outbox import CHANNEL
from syncline.runtime.db.session import WriteSession

SUBSCRIPTION_KEPT = timedelta(days=7)
"""A handler that no relay has declared for so long was removed from the code and gets no more events."""


class Transport(Protocol):
    """Carries published events to those who handle them. The local one writes deliveries beside the outbox; one that
    speaks to a broker returns when the broker has acknowledged, and its consumers call handlers through the inbox."""

    async def send(self, session: WriteSession, envelopes: Sequence[Envelope]) -> None:
        """Takes over `envelopes`, in their order. They count as sent when `session` commits, so a crash sends again."""
        ...


class LocalTransport:
    """One delivery for each handler, in whatever process of this deployment it runs."""

    async def send(self, session: WriteSession, envelopes: Sequence[Envelope]) -> None:
        connection = await session.driver()
        values = {"ids": [e.id for e in envelopes], "kept": SUBSCRIPTION_KEPT}
        await connection.execute(_FAN_OUT, values)
        await connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))


_FAN_OUT = SQL("""
INSERT INTO bus.delivery (handler, event_id, position, tenant)
SELECT subscription.handler, outbox.id, outbox.position, outbox.tenant
FROM bus.outbox JOIN bus.subscription ON subscription.event = outbox.name
WHERE outbox.id = ANY (%(ids)s) AND subscription.seen_at > now() - %(kept)s
ON CONFLICT DO NOTHING
""")
