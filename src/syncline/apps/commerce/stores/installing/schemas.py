"""What HTTP accepts and returns of installs and access."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from syncline.apps.commerce.contract.connecting import Install, StoreAccess


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TokenExchange(_Body):
    session_token: SecretStr = Field(description="What App Bridge gave the page; good for a minute")
    name: str | None = Field(default=None, description="What you call the store; its address, when left out")
    base_url: str | None = Field(default=None, description="Only for a sandbox on this machine")


class CredentialsConnect(_Body):
    shop: str = Field(examples=["summer-store.myshopify.com"])
    name: str | None = Field(default=None, description="What you call the store; its address, when left out")
    client_id: str | None = Field(default=None, description="Through which app; the only one, when left out")
    base_url: str | None = Field(default=None, description="Only for a sandbox on this machine")


class ApiSecret(_Body):
    secret: SecretStr = Field(
        description="A custom app's API secret key; kept sealed, never shown again",
        examples=["shpss_of_the_custom_app"],
    )


class InstallList(BaseModel):
    installs: list[Install]


class AccessList(BaseModel):
    stores: list[StoreAccess]
