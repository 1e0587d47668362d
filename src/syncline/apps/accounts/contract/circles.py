from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from syncline.kernel.tenant import TenantId


class Audience(StrEnum):
    """Of the people of one tenant."""

    EVERYONE = "everyone"
    FRIENDS = "friends"
    NOBODY = "nobody"


class Shown(StrEnum):
    """What a person may show or hide."""

    PROFILE = "profile"
    PROGRESS = "progress"
    LEADERBOARD = "leaderboard"


class Tie(StrEnum):
    """What is between two people, as one of them sees it."""

    FRIEND = "friend"
    ASKED = "asked"
    ASKS = "asks"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Acquaintance:
    user_id: UUID
    name: str
    tie: Tie
    since: datetime


@dataclass(frozen=True, slots=True)
class Visibility:
    """Who sees what of a person. The defaults are those of who said nothing: learning is shown to friends only."""

    user_id: UUID
    profile: Audience = Audience.EVERYONE
    progress: Audience = Audience.FRIENDS
    leaderboard: Audience = Audience.EVERYONE


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person said of himself; the defaults are those of who said nothing. Reminder times are `HH:MM` in his own
    zone; `text_percent` 100 is the usual size; `extra_time_percent` is added where time is limited."""

    user_id: UUID
    locale: str | None = None
    time_zone: str | None = None
    goals: Sequence[str] = ()
    minutes_a_day: int | None = None
    reminder_times: Sequence[str] = ()
    reduced_motion: bool = False
    high_contrast: bool = False
    screen_reader: bool = False
    captions: bool = False
    text_percent: int = 100
    extra_time_percent: int = 0


class Circles(Protocol):
    """Who is near whom in a tenant, and what people said of themselves."""

    async def friends_of(self, *, tenant_id: TenantId, user_id: UUID) -> Sequence[UUID]:
        """Those who accepted. Nobody for who is no member of the tenant."""
        ...

    async def visible_to(
        self, *, tenant_id: TenantId, viewer: UUID | None, user_ids: Sequence[UUID], what: Shown
    ) -> Sequence[UUID]:
        """Those of `user_ids` whose `what` the viewer may see, in the order asked. Oneself always, across a block
        never; a viewer who is no person (None) sees what everyone may. Who is no member of the tenant is left out."""
        ...

    async def preferences_of(self, *, tenant_id: TenantId, user_ids: Sequence[UUID]) -> Sequence[Preferences]:
        """In the order asked; the defaults for who said nothing, and for who is no member of the tenant."""
        ...
