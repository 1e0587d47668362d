"""The tables of jobs and events come and go by their migrations."""

from __future__ import annotations

import psycopg

from syncline.runtime.db.migrate import downgrade, upgrade
from syncline.runtime.db.server import ServerHandle
from syncline.runtime.migrations import SOURCE


def _tables(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT format('%s.%s', table_schema, table_name) FROM information_schema.tables"
            " WHERE table_schema IN ('jobs', 'bus', 'audit', 'controls', 'live', 'limits') ORDER BY 1"
        ).fetchall()
    return [name for (name,) in rows]


def test_down_removes_everything_and_up_makes_it_again(own_server: ServerHandle) -> None:
    url = own_server.url("operator")
    steps = upgrade(url, [SOURCE])
    before = _tables(url)
    assert downgrade(url, [SOURCE], "runtime@base") == steps[::-1]
    assert _tables(url) == []
    assert upgrade(url, [SOURCE]) == steps
    assert _tables(url) == before
    assert {"jobs.pgqueuer", "jobs.dead_letter", "bus.outbox", "bus.inbox", "audit.entry", "controls.pause"} <= set(
        before
    )
