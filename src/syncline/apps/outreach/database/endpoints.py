"""`/api/database` and `/api/migrations`: for whoever operates the installation."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends

from syncline.apps.outreach.database import care, migrating, performance
from syncline.apps.outreach.database.care import CareUnderWay
from syncline.apps.outreach.database.operator import Operator
from syncline.apps.outreach.database.schemas import (
    DatabasePerformance,
    MigrationsRun,
    MigrationStatus,
    OptimizationOrder,
    Optimized,
    Performance,
    RollbackOrder,
    RolledBack,
    migration_status,
    migrations_run,
    optimized,
)
from syncline.kernel.errors import Unauthenticated
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.db.errors import MigrationConflict
from syncline.runtime.http.auth import require, require_key_unless_open
from syncline.runtime.http.dependencies import runtime_of
from syncline.runtime.http.problems import problems
from syncline.runtime.http.rate_limit import limited
from syncline.runtime.http.stop_gate import works_without_writes

database = APIRouter(prefix="/api/database", tags=["database"])
migrations = APIRouter(prefix="/api/migrations", tags=["database"])
ROUTERS = (database, migrations)

_Runtime = Annotated[Runtime, Depends(runtime_of)]
_Reader = Annotated[Actor, Depends(require("operations:read"))]


@database.get(
    "/performance",
    summary="How the database is doing",
    dependencies=[Depends(require_key_unless_open)],
    responses=problems(Unauthenticated),
)
async def database_performance(runtime: _Runtime) -> DatabasePerformance:
    """Measured: the pool and statements of the process that answers, and what the server counts itself."""
    found = await performance.measure(runtime.database)
    return DatabasePerformance(performance=Performance.model_validate(found))


@database.post("/optimize", summary="Care for the tables of outreach", responses=problems(CareUnderWay))
@limited("database:optimize")
async def optimize_database(_operator: Operator, runtime: _Runtime, body: OptimizationOrder | None = None) -> Optimized:
    """While others work: indexes are checked and repaired, dead rows removed, statistics refreshed, idle connections of
    this process renewed. What takes longer than 12 s is broken off, and said."""
    order = body or OptimizationOrder()
    return optimized(await care.optimize(runtime.database, order.optimizations, recreate=order.force_recreate))


@migrations.get("/status", summary="Which migrations there are")
@limited("status")
async def show_migrations(_actor: _Reader, runtime: _Runtime) -> MigrationStatus:
    return migration_status(await migrating.list_revisions(runtime))


@migrations.post("/run", summary="Run the migrations that are missing", responses=problems(MigrationConflict))
@limited("migrations:run")
async def run_migrations(_operator: Operator, runtime: _Runtime) -> MigrationsRun:
    """Each is a transaction of its own. Safe to repeat."""
    began = time.perf_counter()
    return migrations_run(await migrating.run(runtime), time.perf_counter() - began)


@migrations.post("/rollback", summary="Undo a migration", responses=problems(MigrationConflict))
@limited("migrations:rollback")
@works_without_writes
async def roll_back_migration(body: RollbackOrder, _operator: Operator, runtime: _Runtime) -> RolledBack:
    """The newest one of an app, with the data that only it can hold, while changes are stopped. Back up first."""
    began = time.perf_counter()
    undone = await migrating.roll_back(runtime, body.migration)
    took = performance.milliseconds((time.perf_counter() - began) * 1000)
    return RolledBack(rolled_back=[undone.id], execution_time=took)
