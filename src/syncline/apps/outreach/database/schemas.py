from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.outreach.database.care import Done, Optimization
from syncline.apps.outreach.database.performance import milliseconds
from syncline.runtime.db.migrate import Revision


class ConnectionPool(BaseModel):
    active: int
    idle: int
    max: int


class QueryPerformance(BaseModel):
    """Of this process, in the last five minutes."""

    avg_insert_time: str = Field(examples=["1.2ms"])
    avg_select_time: str = Field(examples=["0.8ms"])
    slow_queries: int = Field(description="Statements that took longer than 100 ms")
    selects: int
    inserts: int


class BulkOperations(BaseModel):
    """Events that were recorded several at once, in the last five minutes."""

    batches: int
    rows: int
    avg_batch_time: str = Field(examples=["18.5ms"])
    rows_per_second: float


class ServerFigures(BaseModel):
    connections: int
    deadlocks: int
    size_bytes: int
    cache_hit_ratio: float | None


class EventSourceFigures(BaseModel):
    rows: int = Field(description="As the server estimates it")
    dead_rows: int
    size_bytes: int
    vacuumed_at: datetime | None
    analyzed_at: datetime | None


class Performance(BaseModel):
    connection_pool: ConnectionPool
    query_performance: QueryPerformance
    bulk_operations: BulkOperations
    server: ServerFigures
    event_source: EventSourceFigures


class DatabasePerformance(BaseModel):
    success: bool = True
    performance: Performance


class OptimizationOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    optimizations: list[Optimization] = Field(
        default_factory=lambda: list(Optimization), min_length=1, description="All of them, when left out"
    )
    force_recreate: bool = Field(default=False, description="Builds every index anew")


class OptimizationDone(BaseModel):
    status: str = Field(description="`done`, or `not finished`")
    execution_time: str
    sentence: str | None = Field(description="Why it was not finished")
    facts: dict[str, Any]


class Optimized(BaseModel):
    success: bool = Field(description="Whether all were finished")
    optimizations: dict[Optimization, OptimizationDone]


class MigrationStatus(BaseModel):
    success: bool = True
    available_migrations: list[str]
    applied_migrations: list[str]
    pending_migrations: list[str]


class MigrationDetail(BaseModel):
    migration: str
    app: str
    title: str


class MigrationsRun(BaseModel):
    success: bool = True
    applied: list[str]
    failed: list[str]
    execution_time: str
    details: list[MigrationDetail]


class RollbackOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    migration: str = Field(
        max_length=200, description="The newest one of its app; named so that no other is undone", examples=["toy_0002"]
    )


class RolledBack(BaseModel):
    success: bool = True
    rolled_back: list[str]
    execution_time: str


def optimized(done: Sequence[Done]) -> Optimized:
    return Optimized(
        success=all(one.sentence is None for one in done),
        optimizations={
            one.name: OptimizationDone(
                status="done" if one.sentence is None else "not finished",
                execution_time=milliseconds(one.seconds * 1000),
                sentence=one.sentence,
                facts=one.facts,
            )
            for one in done
        },
    )


def migration_status(revisions: Sequence[Revision]) -> MigrationStatus:
    return MigrationStatus(
        available_migrations=[one.id for one in revisions],
        applied_migrations=[one.id for one in revisions if one.is_applied],
        pending_migrations=[one.id for one in revisions if not one.is_applied],
    )


def migrations_run(applied: Sequence[Revision], seconds: float) -> MigrationsRun:
    return MigrationsRun(
        applied=[one.id for one in applied],
        failed=[],
        execution_time=milliseconds(seconds * 1000),
        details=[MigrationDetail(migration=one.id, app=one.branch, title=one.title) for one in applied],
    )
