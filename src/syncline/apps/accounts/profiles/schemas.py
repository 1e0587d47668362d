from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.accounts.contract import Person as PersonFacts
from syncline.apps.accounts.contract import Preferences
from syncline.apps.accounts.signin.schemas import Person, Place

_Minutes = Annotated[int, Field(ge=1, le=720)]
_Percent = Annotated[int, Field(ge=50, le=300, description="Size of text")]
_Extra = Annotated[int, Field(ge=0, le=300, description="More time where time is limited, in percent")]


class Learning(BaseModel):
    goals: list[str]
    minutes_a_day: int | None
    reminder_times: list[str] = Field(description="In your time zone", examples=[["07:30"]])


class Accessibility(BaseModel):
    reduced_motion: bool
    high_contrast: bool
    screen_reader: bool
    captions: bool
    text_percent: int
    extra_time_percent: int


class Profile(BaseModel):
    locale: str | None = Field(examples=["de-AT"])
    time_zone: str | None = Field(examples=["Europe/Vienna"])
    learning: Learning
    accessibility: Accessibility

    @classmethod
    def of(cls, facts: Preferences) -> Profile:
        return cls(
            locale=facts.locale,
            time_zone=facts.time_zone,
            learning=Learning(
                goals=list(facts.goals),
                minutes_a_day=facts.minutes_a_day,
                reminder_times=list(facts.reminder_times),
            ),
            accessibility=Accessibility(
                reduced_motion=facts.reduced_motion,
                high_contrast=facts.high_contrast,
                screen_reader=facts.screen_reader,
                captions=facts.captions,
                text_percent=facts.text_percent,
                extra_time_percent=facts.extra_time_percent,
            ),
        )


class Me(BaseModel):
    """Who the caller is. A key has no user."""

    success: Literal[True] = True
    user: Person | None
    name: str
    role: str
    method: str = Field(description="`session` or `key`")
    permissions: list[str] = Field(description="`*` is everything inside the tenant")
    tenant: Place
    tenants: list[Place]
    session_id: UUID | None
    profile: Profile | None

    @staticmethod
    def person(facts: PersonFacts | None) -> Person | None:
        return None if facts is None else Person.model_validate(facts)


class LearningUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    goals: list[str] = Field(default_factory=list, max_length=50)
    minutes_a_day: _Minutes | None = None
    reminder_times: list[str] = Field(default_factory=list, max_length=50)


class AccessibilityUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reduced_motion: bool = False
    high_contrast: bool = False
    screen_reader: bool = False
    captions: bool = False
    text_percent: _Percent = 100
    extra_time_percent: _Extra = 0


class ProfileUpdate(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=200)
    locale: str | None = Field(default=None, max_length=35)
    time_zone: str | None = Field(default=None, max_length=64)
    learning: LearningUpdate = Field(default_factory=LearningUpdate)
    accessibility: AccessibilityUpdate = Field(default_factory=AccessibilityUpdate)

    def given(self) -> dict[str, Any]:
        """What was sent, flat, without the name."""
        sent = self.model_dump(exclude_unset=True)
        nested = {name: sent.pop(name, {}) for name in ("learning", "accessibility")}
        sent.pop("name", None)
        return {**sent, **nested["learning"], **nested["accessibility"]}
