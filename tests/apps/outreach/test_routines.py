"""Routines: what is said of one that ran, runs, failed, is late or is off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.apps.outreach.conftest import Call, Place

from syncline.apps.outreach.contract import RoutineNotFound, RoutineStatus
from syncline.apps.outreach.routines.declaration import LastRun, Routine
from syncline.apps.outreach.routines.registry import ROUTINES
from syncline.apps.outreach.routines.service import judge, look, named
from syncline.apps.outreach.routines.service import switch as switch_one
from syncline.apps.outreach.sync.schedules import start_periodic
from syncline.kernel import clock
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import JobContext, Schedule

AT = datetime(2024, 1, 1, 10, 20, tzinfo=UTC)
RUN = LastRun(AT, AT + timedelta(minutes=2), lag=timedelta(minutes=30))


async def last(_: Session) -> LastRun:
    return RUN


async def enabled(_: Session) -> bool:
    return True


async def disabled(_: Session) -> bool:
    return False


async def switch(_: WriteSession, is_enabled: bool) -> None:
    del is_enabled


async def start(_: Runtime, actor: Actor) -> str:
    return actor.name


HOURLY = Routine(
    name="periodic_sync",
    about="Fetches what is new",
    schedule=Schedule("outreach.find_due", "0 * * * *"),
    most_lag=timedelta(hours=1),
    find_last=last,
    is_enabled=enabled,
    switch=switch,
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


async def test_a_routine_is_turned_off_and_on_and_of_the_tenant_alone(call: Call) -> None:
    path = "/api/jobs/periodic_sync"
    off = await call("PUT", path, json={"enabled": False})
    assert (off.status_code, off.json()["job"]["status"], off.json()["job"]["next_run"]) == (200, "disabled", None)
    assert (await call("GET", "/api/jobs/status")).json()["jobs"]["periodic_sync"]["enabled"] is False
    others = (await call("GET", "/api/jobs/status", tenant="other")).json()["jobs"]
    assert others["periodic_sync"]["enabled"] is True
    on = await call("PUT", path, json={"enabled": True})
    assert on.json()["job"]["enabled"] is True


@pytest.mark.parametrize(
    ("role", "name", "body", "status"),
    [
        (None, "periodic_sync", {"enabled": False}, 401),
        ("viewer", "periodic_sync", {"enabled": False}, 403),
        ("owner", "nightly", {"enabled": False}, 404),
        ("owner", "periodic_sync", {}, 400),
        ("owner", "periodic_sync", {"enabled": "perhaps"}, 400),
        ("owner", "periodic_sync", {"enabled": True, "cron": "* * * * *"}, 400),
    ],
)
async def test_who_may_not_turn_a_routine_off_and_what_is_no_switch(
    call: Call, role: str | None, name: str, body: dict[str, Any], status: int
) -> None:
    answer = await call("PUT", f"/api/jobs/{name}", role=role, json=body)
    assert answer.status_code == status


async def test_a_routine_that_is_off_starts_nothing_at_its_times(place: Place) -> None:
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await switch_one(session, named(ROUTINES, "periodic_sync"), is_enabled=False)
    await start_periodic(JobContext(place.runtime, 1, 1, place.actor.tenant_id), {})
    assert await place.rows("SELECT id FROM outreach.sync_run") == []


@pytest.mark.parametrize(
    ("name", "what"), [("periodic_sync", "Neither lemlist nor Smartlead"), ("mixpanel_sync", "mixpanel")]
)
async def test_what_has_no_tool_to_work_with_is_not_started(call: Call, name: str, what: str) -> None:
    answer = await call("POST", f"/api/jobs/trigger/{name}")
    assert (answer.status_code, answer.json()["code"]) == (400, "SYNC_001")
    assert what in answer.json()["error"]
    assert "syncline outreach connect" in answer.json()["error"]
