from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.accounts.contract import Audience, Tie


class FriendAsked(BaseModel):
    """One of the two."""

    model_config = ConfigDict(extra="forbid")

    user_id: UUID | None = None
    email: str | None = Field(default=None, max_length=254, description="The whole address of a member")


class Friend(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    user_id: UUID
    name: str
    tie: Tie = Field(description="friend; asked (by you); asks (you); blocked (by you)")
    since: datetime


class FriendList(BaseModel):
    friends: list[Friend]


class Visibility(BaseModel):
    """Who sees it, of the people of this tenant."""

    model_config = ConfigDict(from_attributes=True)

    profile: Audience
    progress: Audience
    leaderboard: Audience


class VisibilityUpdate(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid")

    profile: Audience = Audience.EVERYONE
    progress: Audience = Audience.FRIENDS
    leaderboard: Audience = Audience.EVERYONE
