from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from syncline.kernel.tenant import ROLES


class KeyCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        min_length=1, max_length=100, description="So that you know it again", examples=["nightly export"]
    )
    role: str = Field(description=f"One of {', '.join(ROLES)}", examples=["editor"])
    expires_at: AwareDatetime | None = Field(default=None, description="Never, when left out")


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


class NewKey(Key):
    key: str = Field(description="The bearer key. Shown this once; only its hash is kept")


class KeyList(BaseModel):
    keys: list[Key]
