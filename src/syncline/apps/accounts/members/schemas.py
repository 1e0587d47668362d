from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.accounts.members.service import PEOPLES_ROLES


class Member(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    user_id: UUID
    name: str
    email: str
    email_verified: bool
    role: str
    joined_at: datetime
    added_by: str
    is_disabled: bool


class MemberList(BaseModel):
    members: list[Member]


class MemberUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: str = Field(description=f"One of {', '.join(PEOPLES_ROLES)}", examples=["editor"])
