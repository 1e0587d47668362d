from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

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


class RoutineTriggered(BaseModel):
    success: bool = True
    name: str
    started: str = Field(description="The id of what was started")


def as_list(states: Sequence[RoutineState]) -> RoutineList:
    return RoutineList(
        jobs={
            one.name: Routine(
                enabled=one.is_enabled,
                running=one.is_running,
                last_run=one.last_run,
                next_run=one.next_run,
                lag_seconds=one.lag_seconds,
                status=one.status,
                sentence=one.sentence,
                about=one.about,
            )
            for one in states
        }
    )
