"""Figures of the database, each measured: by this process for its own statements, by the server for the rest."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session
from syncline.runtime.db.timings import TIMINGS, Kind

_SERVER = text("""
    SELECT numbackends AS connections, deadlocks, pg_database_size(current_database()) AS size_bytes,
           round(blks_hit::numeric / nullif(blks_hit + blks_read, 0), 4)::float AS cache_hit_ratio
    FROM pg_stat_database WHERE datname = current_database()
""")
_EVENTS = text("""
    SELECT n_live_tup AS rows, n_dead_tup AS dead_rows, pg_total_relation_size(relid) AS size_bytes,
           greatest(last_vacuum, last_autovacuum) AS vacuumed_at,
           greatest(last_analyze, last_autoanalyze) AS analyzed_at
    FROM pg_stat_user_tables WHERE schemaname = 'outreach' AND relname = 'event_source'
""")


async def measure(database: Database) -> dict[str, Any]:
    """As the API tells it. Averages are of the last five minutes, and of this process."""
    async with database.system() as session:
        server, events = await _row(session, _SERVER), await _row(session, _EVENTS)
    pool = database.pool_status()
    selects, inserts, bulk = (TIMINGS.taken(kind) for kind in Kind)
    return {
        "connection_pool": {"active": pool.active, "idle": pool.idle, "max": pool.limit},
        "query_performance": {
            "avg_insert_time": milliseconds(inserts.average_ms),
            "avg_select_time": milliseconds(selects.average_ms),
            "slow_queries": selects.slow + inserts.slow,
            "selects": selects.count,
            "inserts": inserts.count,
        },
        "bulk_operations": {
            "batches": bulk.count,
            "rows": bulk.rows,
            "avg_batch_time": milliseconds(bulk.average_ms),
            "rows_per_second": round(bulk.rows / bulk.seconds, 1) if bulk.seconds else 0.0,
        },
        "server": server,
        "event_source": events,
    }


def milliseconds(value: float) -> str:
    return f"{value:.1f}ms"


async def _row(session: Session, query: Any) -> dict[str, Any]:
    return dict((await session.execute(query)).mappings().one())
