from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from syncline.apps.accounts.contract import DEFAULT_OVERLAP
from syncline.kernel.tenant import ROLES


class KeyCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        min_length=1, max_length=100, description="So that you know it again", examples=["nightly export"]
    )
    role: str = Field(description=f"One of {', '.join(ROLES)}", examples=["editor"])
    expires_at: AwareDatetime | None = Field(default=None, description="Never, when left out")
    scopes: list[str] | None = Field(
        default=None,
        max_length=100,
        description="Permissions of the role that the key is limited to; all of them, when left out",
        examples=[["catalog:read"]],
    )


class KeyRotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    overlap_seconds: float = Field(
        default=DEFAULT_OVERLAP.total_seconds(), ge=0, le=30 * 86_400, description="How long the old key works yet"
    )


class Key(BaseModel):
    """A key without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    role: str
    prefix: str = Field(description="The first characters of the secret, to tell keys apart")
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    scopes: list[str] | None = Field(description="What it is limited to; null is no limit but its role")
    replaced_by: UUID | None = Field(description="The key that took its place; this one works until it expires")


class NewKey(Key):
    key: str = Field(description="The bearer key. Shown this once; only its hash is kept")


class KeyList(BaseModel):
    keys: list[Key]
