"""Looks at routines. Pure but for what each routine looks up itself."""

from __future__ import annotations

from collections.abc import Sequence

from syncline.apps.outreach.contract import RoutineNotFound, RoutineState, RoutineStatus
from syncline.apps.outreach.routines.declaration import LastRun, Routine
from syncline.kernel import clock
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs.cron import next_time


async def list_states(session: Session, routines: Sequence[Routine]) -> list[RoutineState]:
    return [await look(session, one) for one in routines]


async def look(session: Session, routine: Routine) -> RoutineState:
    last, is_enabled = await routine.find_last(session), await routine.is_enabled(session)
    status, sentence = judge(routine, last, is_enabled=is_enabled)
    return RoutineState(
        name=routine.name,
        about=routine.about,
        is_enabled=is_enabled,
        is_running=last is not None and last.ended_at is None,
        last_run=last.started_at if last else None,
        next_run=next_time(routine.schedule.cron, clock.now()) if is_enabled else None,
        lag_seconds=last.lag.total_seconds() if last and last.lag is not None else None,
        status=status,
        sentence=sentence,
    )


async def switch(session: WriteSession, routine: Routine, *, is_enabled: bool) -> RoutineState:
    await routine.switch(session, is_enabled)
    note_change(f"job {routine.name}", after={"enabled": is_enabled})
    return await look(session, routine)


def judge(routine: Routine, last: LastRun | None, *, is_enabled: bool) -> tuple[RoutineStatus, str | None]:
    """How it is, and what is wrong."""
    if not is_enabled:
        return RoutineStatus.DISABLED, None
    if last is not None and last.sentence is not None:
        return RoutineStatus.FAILING, last.sentence
    if last is not None and last.lag is not None and last.lag > routine.most_lag:
        behind, most = last.lag.total_seconds(), routine.most_lag.total_seconds()
        return RoutineStatus.LATE, f"It is {behind:.0f} s behind; more than {most:.0f} s is late."
    return RoutineStatus.HEALTHY, None


def named(routines: Sequence[Routine], name: str) -> Routine:
    """Raises `RoutineNotFound`."""
    found = next((one for one in routines if one.name == name), None)
    if found is None:
        names = ", ".join(one.name for one in routines) or "none at present"
        raise RoutineNotFound(f"There is no routine “{name[:80]}”. There are: {names}.")
    return found
