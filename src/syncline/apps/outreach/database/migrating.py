"""Migrations over HTTP: what there is, running what is missing, and undoing the newest of one app."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from syncline.runtime.app import Runtime
from syncline.runtime.controls.stops import Mode, installation_stop
from syncline.runtime.db import migrate
from syncline.runtime.db.errors import MigrationConflict
from syncline.runtime.db.migrate import Revision

NEEDED_BY_ALL: Final = frozenset({"runtime", "accounts"})
"""Without their newest tables nobody could be let in, nor what was done be written down."""


async def list_revisions(runtime: Runtime) -> list[Revision]:
    return await asyncio.to_thread(migrate.list_revisions, runtime.database.operator_url, runtime.migrations)


async def run(runtime: Runtime) -> list[Revision]:
    """Applies what is missing; answers what that was. Raises `MigrationConflict` for one that fails: those before it
    stay, each being a transaction of its own."""
    before = await list_revisions(runtime)
    missing = {one.id for one in before if not one.is_applied}
    if not missing:
        return []
    try:
        await asyncio.to_thread(migrate.upgrade, runtime.database.operator_url, runtime.migrations)
    except SQLAlchemyError as error:
        applied = [one.id for one in await list_revisions(runtime) if one.is_applied and one.id in missing]
        failed = next((one.id for one in before if one.id in missing - set(applied)), None)
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise MigrationConflict(
            f"The migration {failed} cannot be run: {reason}. Those before it stay.",
            extra={"applied": applied, "failed": [failed]},
        ) from error
    return [one for one in await list_revisions(runtime) if one.is_applied and one.id in missing]


async def roll_back(runtime: Runtime, migration: str) -> Revision:
    """Undoes `migration`, with what only it can hold. Raises `MigrationConflict` when that is not safe here and now."""
    found = undoable(await list_revisions(runtime), migration)
    async with runtime.database.system() as session:
        stop = await installation_stop(session)
    if stop is None or stop.mode is not Mode.NO_WRITES:
        raise MigrationConflict(
            f"Others may be using what {migration} made. Stop changes first, with `syncline maintenance on --reading`,"
            " and start the release that does without it before you let go on."
        )
    try:
        await asyncio.to_thread(migrate.downgrade, runtime.database.operator_url, runtime.migrations, str(found.down))
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise MigrationConflict(
            f"The migration {migration} cannot be undone: {reason}. Nothing was changed."
        ) from error
    return found


def undoable(revisions: Sequence[Revision], migration: str) -> Revision:
    """The newest one of its app that is applied, if that is `migration`. Raises `MigrationConflict`."""
    found = next((one for one in revisions if one.id == migration and one.is_applied), None)
    if found is None:
        raise MigrationConflict(f"“{migration[:80]}” is not applied; GET /api/migrations/status lists what is.")
    newest = [one for one in revisions if one.branch == found.branch and one.is_applied][-1]
    if newest.id != found.id:
        raise MigrationConflict(f"{newest.id} came after {migration}; undo that one first.")
    if found.down is None or found.branch in NEEDED_BY_ALL:
        raise MigrationConflict(
            f"{migration} cannot be undone while Syncline runs: nothing would work without it. Stop every process and"
            f" use `syncline db downgrade {found.branch}@-1`."
        )
    return found
