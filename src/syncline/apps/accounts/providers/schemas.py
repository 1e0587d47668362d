from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row

from syncline.apps.accounts.providers.service import NEWCOMERS_ROLES

_NAME = Field(max_length=40, description="Small letters, digits and -", examples=["company-login"])
_TITLE = Field(min_length=1, max_length=100, description="On the button", examples=["Company login"])
_ISSUER = Field(max_length=500, description="As its discovery document says it", examples=["https://login.example.com"])
_CLIENT = Field(min_length=1, max_length=500)
_SECRET = Field(default=None, min_length=1, max_length=2_000, description="Kept sealed, and never shown again")
_ROLE = Field(
    default=None,
    description=f"What people get whom nobody invited: one of {', '.join(NEWCOMERS_ROLES)}; null lets nobody in",
)


class ProviderCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = _NAME
    title: str = _TITLE
    issuer: str = _ISSUER
    client_id: str = _CLIENT
    client_secret: str | None = _SECRET
    new_people_role: str | None = _ROLE


class ProviderUpdate(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=40)
    title: str = Field(default="", max_length=100)
    issuer: str = Field(default="", max_length=500)
    client_id: str = Field(default="", max_length=500)
    client_secret: str | None = _SECRET
    new_people_role: str | None = _ROLE


class Provider(BaseModel):
    id: UUID
    name: str
    title: str
    issuer: str
    client_id: str
    has_secret: bool
    new_people_role: str | None
    redirect_uri: str = Field(description="Enter this at the provider")
    created_at: datetime
    created_by: str

    @classmethod
    def of(cls, row: Row[Any], redirect_uri: str) -> Provider:
        return cls(
            id=row.id,
            name=row.name,
            title=row.title,
            issuer=row.issuer,
            client_id=row.client_id,
            has_secret=row.sealed_secret is not None,
            new_people_role=row.new_people_role,
            redirect_uri=redirect_uri,
            created_at=row.created_at,
            created_by=row.created_by,
        )


class ProviderList(BaseModel):
    providers: list[Provider]
