from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from syncline.apps.accounts.contract import SubjectRef


class Subject(BaseModel):
    """Whom it is about: one of an address, the id of a person, or a store and the number of its customer."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(default=None, max_length=320, examples=["ada@example.com"])
    user_id: UUID | None = None
    store: str | None = Field(default=None, max_length=255)
    customer: int | None = Field(default=None, ge=1, le=2**63 - 1, description="The store's own number of the customer")

    def ref(self) -> SubjectRef:
        return SubjectRef(email=self.email, user_id=self.user_id, store=self.store, customer=self.customer)


class About(BaseModel):
    model_config = ConfigDict(extra="forbid")

    subject: Subject


class ErasurePreview(About):
    keep_out: bool = Field(
        default=True, description="Also empty what the store sends of the same records again, for good"
    )


class ErasureCreate(ErasurePreview):
    reason: str = Field(max_length=200, examples=["Asked for by letter of 3 November"])


class ConsentCreate(About):
    document: str = Field(max_length=200, examples=["newsletter"])
    version: str = Field(max_length=200, examples=["2026-11"])
    is_given: bool = Field(description="False when it is withdrawn")
    method: str = Field(max_length=200, description="How he said so", examples=["web form"])
    at: AwareDatetime | None = Field(default=None, description="When; now, when left out")


class SaleChoice(About):
    may_not_be_sold: bool = Field(description="Do not sell or share my personal information (CCPA)")
    method: str = Field(max_length=200, examples=["web form"])


class RetentionUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    days: int | None = Field(ge=1, le=36_500, description="null keeps it for ever")


class PersonalExport(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    status: str = Field(description="queued, running, completed, failed or expired")
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    size_bytes: int | None
    manifest: dict[str, Any] | None = Field(description="How many records of what are in the file")
    error: str | None


class ErasureStep(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    app: str
    counts: dict[str, int] | None = Field(description="How many of what; null until it is done")
    finished_at: datetime | None


class ErasurePlan(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    steps: list[ErasureStep]
    objections: list[str] = Field(description="What stands against it, and what to do about it")
    total: int


class Erasure(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    status: str = Field(description="queued, running or completed")
    reason: str
    keep_out: bool
    reference: str = Field(description="A digest of whom it was about, which only this installation can make")
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    error: str | None
    steps: list[ErasureStep]


class ErasureList(BaseModel):
    erasures: list[Erasure]


class Consent(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    document: str
    version: str
    is_given: bool
    method: str
    at: datetime
    recorded_by: str
    recorded_at: datetime


class Choices(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    standing: list[Consent] = Field(description="The last word on each document")
    history: list[Consent] = Field(description="Newest first; nothing is ever taken out of it")
    may_not_be_sold: bool


class RetentionRule(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    about: str
    days: int | None = Field(description="null keeps it for ever")
    default_days: int | None
    least_days: int
    found: int | None = Field(description="How many are older; only where it was asked for")


class RetentionList(BaseModel):
    rules: list[RetentionRule]


class Removed(BaseModel):
    removed: dict[str, int] = Field(description="Rule -> how many")
