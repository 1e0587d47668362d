"""What HTTP accepts and returns beyond the contract's own types."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.commerce.schedule_contract import Schedule, ScheduledAction


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ScheduleCreate(_Body):
    timing: str = Field(description="`every 15m` (m, h, d), or five fields of cron", examples=["every 1h", "0 3 * * 0"])
    action: ScheduledAction = ScheduledAction.PULL
    zone: str = Field(default="UTC", description="In which the cron is read", examples=["Europe/Berlin"])


class ScheduleUpdate(_Body):
    """What is left out stays."""

    timing: str | None = Field(default=None, examples=["every 1h"])
    action: ScheduledAction | None = None
    zone: str | None = Field(default=None, examples=["Europe/Berlin"])
    is_enabled: bool | None = Field(default=None, description="Off pauses it; on goes on from now")


class ScheduleList(BaseModel):
    schedules: list[Schedule]
