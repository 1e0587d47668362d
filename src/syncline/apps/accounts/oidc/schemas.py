from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

_RETURN = Field(default="/", max_length=500, description="The page to come back to: a path of ours")


class SignInStart(BaseModel):
    model_config = ConfigDict(extra="forbid")

    provider: str = Field(max_length=40, description="Name or id", examples=["google"])
    tenant: str | None = Field(
        default=None, max_length=100, description="Slug: whose provider it is, or where you want to go"
    )
    return_to: str = _RETURN


class LinkStart(SignInStart):
    password: str | None = Field(default=None, max_length=1_000, description="Yours, if you have one")


class UnlinkAsked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    password: str | None = Field(default=None, max_length=1_000, description="Yours, if you have one")


class Departure(BaseModel):
    authorization_url: str = Field(description="Send the browser there, which got a cookie to come back with")
    expires_in: int = Field(description="Seconds to come back")


class OfferedProvider(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    title: str = Field(description="For the button")


class OfferedProviders(BaseModel):
    providers: list[OfferedProvider]


class Identity(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    provider: str
    issuer: str
    email: str | None = Field(description="What the provider said when it was linked")
    created_at: datetime
    last_used_at: datetime | None


class IdentityList(BaseModel):
    identities: list[Identity]
