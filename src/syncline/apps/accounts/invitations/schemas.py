from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.accounts.members.service import PEOPLES_ROLES

_TOKEN = Field(max_length=200, description="From the mail")


class InvitationCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=254, examples=["ada@example.com"])
    role: str = Field(description=f"One of {', '.join(PEOPLES_ROLES)}", examples=["editor"])


class Invitation(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    role: str
    created_at: datetime
    created_by: str
    expires_at: datetime


class InvitationList(BaseModel):
    invitations: list[Invitation]


class InvitationToken(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = _TOKEN


class Acceptance(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = _TOKEN
    name: str | None = Field(default=None, max_length=100, description="For who has no account yet")
    password: str = Field(max_length=1_000, description="Of the account, or for the one that is made")
    cookie: bool = Field(default=False, description="Keep the refresh token in a cookie, and not in the answer")


class InvitedTo(BaseModel):
    """What an invitation is to."""

    tenant: str = Field(description="Its name")
    email: str
    role: str
    invited_by: str
    expires_at: datetime
    has_account: bool = Field(description="Whether the address has an account, whose password it then takes")
