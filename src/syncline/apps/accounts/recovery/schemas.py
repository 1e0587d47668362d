from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

_TOKEN = Field(max_length=200, description="From the mail")


class TokenOnly(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = _TOKEN


class ResetAsked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=254, examples=["ada@example.com"])


class PasswordReset(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = _TOKEN
    password: str = Field(max_length=1_000, description="The new one, at least 10 characters")


class PasswordChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    current_password: str = Field(max_length=1_000)
    new_password: str = Field(max_length=1_000, description="At least 10 characters")


class EmailChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=254, description="The new one", examples=["ada@example.com"])
    password: str = Field(max_length=1_000, description="Your present password")
