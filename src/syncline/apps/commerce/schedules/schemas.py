"""What HTTP accepts and returns beyond the contract's own types."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.commerce.alignment_contract import AlignedBy
from syncline.apps.commerce.schedule_contract import Schedule, ScheduledAction


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ScheduleCreate(_Body):
    timing: str = Field(description="`every 15m` (m, h, d), or five fields of cron", examples=["every 1h", "0 3 * * 0"])
    action: ScheduledAction = ScheduledAction.PULL
    zone: str = Field(default="UTC", description="In which the cron is read", examples=["Europe/Berlin"])


class AlignmentCreate(_Body):
    source: str = Field(description="The store whose values are copied", examples=["main-store"])
    fields: list[str] = Field(min_length=1, max_length=50, examples=[["price", "title"]])
    timing: str = Field(description="`every 15m` (m, h, d), or five fields of cron", examples=["every 1h"])
    by: AlignedBy = Field(default=AlignedBy.SKU, description="What tells that two records are the same thing")
    where: str = Field(default="", description="Which records of the source", examples=["vendor:Acme"])
    zone: str = Field(default="UTC", description="In which the cron is read", examples=["Europe/Berlin"])


class ScheduleUpdate(_Body):
    """What is left out stays."""

    timing: str | None = Field(default=None, examples=["every 1h"])
    action: ScheduledAction | None = None
    zone: str | None = Field(default=None, examples=["Europe/Berlin"])
    is_enabled: bool | None = Field(default=None, description="Off pauses it; on goes on from now")


class ScheduleList(BaseModel):
    schedules: list[Schedule]
