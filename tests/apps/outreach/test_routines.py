"""Routines: what is said of one that ran, runs, failed, is late or is off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syncline.apps.outreach.contract import RoutineNotFound, RoutineStatus
from syncline.apps.outreach.routines.declaration import LastRun, Routine
from syncline.apps.outreach.routines.service import judge, look, named
from syncline.kernel import clock
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import Schedule

AT = datetime(2024, 1, 1, 10, 20, tzinfo=UTC)
RUN = LastRun(AT, AT + timedelta(minutes=2), lag=timedelta(minutes=30))


async def last(_: Session) -> LastRun:
    return RUN


async def enabled(_: Session) -> bool:
    return True


async def disabled(_: Session) -> bool:
    return False


async def start(_: Runtime, actor: Actor) -> str:
    return actor.name


HOURLY = Routine(
    name="periodic_sync",
    about="Fetches what is new",
    schedule=Schedule("outreach.find_due", "0 * * * *"),
    most_lag=timedelta(hours=1),
    find_last=last,
    is_enabled=enabled,
    start=start,
)


@pytest.mark.parametrize(
    ("run", "status"),
    [
        (None, RoutineStatus.HEALTHY),
        (RUN, RoutineStatus.HEALTHY),
        (replace(RUN, lag=timedelta(minutes=61)), RoutineStatus.LATE),
        (replace(RUN, lag=None), RoutineStatus.HEALTHY),
        (replace(RUN, sentence="The key is wrong."), RoutineStatus.FAILING),
    ],
)
def test_how_a_routine_is(run: LastRun | None, status: RoutineStatus) -> None:
    assert judge(HOURLY, run, is_enabled=True)[0] is status
    assert judge(HOURLY, run, is_enabled=False) == (RoutineStatus.DISABLED, None)


def test_what_is_wrong_is_said() -> None:
    assert judge(HOURLY, replace(RUN, sentence="The key is wrong."), is_enabled=True)[1] == "The key is wrong."
    assert "3660 s behind" in str(judge(HOURLY, replace(RUN, lag=timedelta(minutes=61)), is_enabled=True)[1])


async def test_the_next_time_is_the_schedules(session: WriteSession) -> None:
    with clock.frozen(AT):
        state = await look(session, HOURLY)
        off = await look(session, replace(HOURLY, is_enabled=disabled))
    assert state.next_run == datetime(2024, 1, 1, 11, tzinfo=UTC)
    assert (state.last_run, state.is_running, state.lag_seconds) == (AT, False, 1800)
    assert (off.next_run, off.status) == (None, RoutineStatus.DISABLED)


def test_a_routine_that_is_not_there_is_named_with_those_that_are() -> None:
    assert named([HOURLY], "periodic_sync") is HOURLY
    with pytest.raises(RoutineNotFound, match="periodic_sync"):
        named([HOURLY], "nightly")
