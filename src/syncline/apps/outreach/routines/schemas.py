from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.outreach.contract import RoutineState, RoutineStatus


class Routine(BaseModel):
    enabled: bool
    running: bool
    last_run: datetime | None
    next_run: datetime | None = Field(description="Null while it is off")
    lag_seconds: float | None = Field(description="How far it is behind; null where there is nothing to be behind of")
    status: RoutineStatus
    sentence: str | None = Field(description="What is wrong, when something is")
    about: str


class RoutineList(BaseModel):
    success: bool = True
    jobs: dict[str, Routine]


class RoutineSwitch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    enabled: bool = Field(description="Whether it runs at its times", examples=[False])


class RoutineSwitched(BaseModel):
    success: bool = True
    name: str
    job: Routine


class RoutineTriggered(BaseModel):
    success: bool = True
    name: str
    started: str = Field(description="The id of what was started")


def as_list(states: Sequence[RoutineState]) -> RoutineList:
    return RoutineList(jobs={one.name: as_one(one) for one in states})


def as_one(state: RoutineState) -> Routine:
    return Routine(
        enabled=state.is_enabled,
        running=state.is_running,
        last_run=state.last_run,
        next_run=state.next_run,
        lag_seconds=state.lag_seconds,
        status=state.status,
        sentence=state.sentence,
        about=state.about,
    )
