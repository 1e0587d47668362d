from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_PROVIDER_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def is_provider_name(text: str) -> bool:
    """A slug, and no id: those are the tenants' own."""
    try:
        UUID(text)
    except ValueError:
        return _PROVIDER_NAME.fullmatch(text) is not None
    return False


class OpenIdProvider(BaseModel):
    """A provider of the installation: its word is taken for everybody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str = Field(default="", max_length=60)
    issuer: str = Field(pattern="^https?://")
    client_id: str = Field(min_length=1, max_length=500)
    client_secret: SecretStr | None = None

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if not is_provider_name(value):
            raise ValueError("must be 1 to 40 of a-z, 0-9 and -, beginning with a letter")
        return value


class AccountsSettings(BaseModel):
    """SYNCLINE_ACCOUNTS_*"""

    last_used_every: timedelta = Field(
        default=timedelta(minutes=1), description="The last use of a key or a session is written at most this often"
    )
    standing_kept: timedelta = Field(
        default=timedelta(seconds=2),
        ge=timedelta(0),
        le=timedelta(minutes=1),
        description="Another process may take an ended session, a revoked key or an old role for so long yet",
    )
    refused_keys_kept: timedelta = Field(
        default=timedelta(seconds=30),
        ge=timedelta(0),
        le=timedelta(minutes=5),
        description="So long a key that is not valid is refused again without asking the database",
    )
    registration_is_open: bool = Field(
        default=True, description="Whether anybody may register, which makes a tenant; people can be invited either way"
    )
    public_url: str = Field(
        default="http://127.0.0.1:8080",
        pattern="^https?://",
        description="Where people reach Syncline; links begin with it",
    )
    verification_lifetime: timedelta = Field(
        default=timedelta(days=1), gt=timedelta(0), description="How long a link to confirm an address is good"
    )
    reset_lifetime: timedelta = Field(
        default=timedelta(hours=1), gt=timedelta(0), description="How long a link to set a new password is good"
    )
    invitation_lifetime: timedelta = Field(
        default=timedelta(days=7), gt=timedelta(0), description="How long an invitation is good"
    )
    export_lifetime: timedelta = Field(
        default=timedelta(days=7), gt=timedelta(0), description="How long the file of a personal data export is kept"
    )
    authenticator_name: str = Field(
        default="Syncline", min_length=1, max_length=40, description="What authenticator apps call this installation"
    )
    issuer: str = Field(default="syncline", min_length=1, description="`iss` of access tokens")
    access_lifetime: timedelta = Field(
        default=timedelta(minutes=10), gt=timedelta(0), description="How long an access token is good"
    )
    refresh_lifetime: timedelta = Field(
        default=timedelta(days=30), gt=timedelta(0), description="A session that is not renewed for so long has ended"
    )
    session_lifetime: timedelta = Field(
        default=timedelta(days=90), gt=timedelta(0), description="A session ends after this, however often renewed"
    )
    refresh_race: timedelta = Field(
        default=timedelta(seconds=10),
        ge=timedelta(0),
        description="A refresh token used twice within this is refused, but does not end the session",
    )
    signing_key_lifetime: timedelta = Field(
        default=timedelta(days=90), gt=timedelta(0), description="Access tokens are signed with a new key this often"
    )
    signing_key_lead: timedelta = Field(
        default=timedelta(minutes=15),
        ge=timedelta(minutes=2),
        description="A new signing key is published so long before it signs",
    )
    hash_memory_kib: int = Field(default=65_536, ge=8, description="Memory of one password hash (Argon2id)")
    hash_passes: int = Field(default=3, ge=1, description="Passes of one password hash")
    hash_lanes: int = Field(default=4, ge=1, description="Lanes of one password hash")
    hash_concurrency: int = Field(default=2, ge=1, description="Password hashes computed at once, per process")
    throttle_after: int = Field(
        default=5, ge=1, description="Failed sign-ins from one address before that address has to wait for that account"
    )
    throttle_longest: timedelta = Field(
        default=timedelta(minutes=15), gt=timedelta(0), description="The longest such wait; each failure doubles it"
    )
    openid_providers: tuple[OpenIdProvider, ...] = Field(
        default=(),
        description="Providers people may sign in with, as a JSON list of"
        " `{name, title, issuer, client_id, client_secret}`; tenants add their own over the API",
    )

    @field_validator("openid_providers")
    @classmethod
    def _names_differ(cls, value: tuple[OpenIdProvider, ...]) -> tuple[OpenIdProvider, ...]:
        if len({one.name for one in value}) < len(value):
            raise ValueError("two providers have the same name")
        return value
