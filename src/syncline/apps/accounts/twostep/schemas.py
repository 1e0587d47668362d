from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_PASSWORD = Field(max_length=1_000, description="Your present password")


class PasswordOnly(BaseModel):
    model_config = ConfigDict(extra="forbid")

    password: str = _PASSWORD


class CodeOnly(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=50, examples=["123456"])


class PasswordAndCode(BaseModel):
    model_config = ConfigDict(extra="forbid")

    password: str = _PASSWORD
    code: str = Field(max_length=50, description="Of the phone, or a recovery code", examples=["123456"])


class Enrolment(BaseModel):
    success: Literal[True] = True
    secret: str = Field(description="For an app that cannot read the picture. Shown this once")
    otpauth_uri: str = Field(description="What the picture holds")


class RecoveryCodes(BaseModel):
    success: Literal[True] = True
    recovery_codes: list[str] = Field(description="Each is good once. Shown this once")


class SecondStepState(BaseModel):
    is_on: bool
    recovery_codes_left: int
