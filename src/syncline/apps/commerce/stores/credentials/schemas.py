"""What HTTP accepts and returns of apps."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from syncline.apps.commerce.contract.connecting import ShopifyApp


class AppPut(BaseModel):
    model_config = ConfigDict(extra="forbid")

    client_id: str = Field(description="From the app's page at Shopify", examples=["8f2c1d0e5a"])
    secret: SecretStr = Field(description="Kept sealed, never shown again")
    scopes: list[str] = Field(
        default_factory=list,
        max_length=200,
        description="What merchants are asked for; those it has when left out, a new one all",
        examples=[["read_products", "write_products"]],
    )


class Rotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    secret: SecretStr = Field(description="The new one; the one before is kept until the rotation is ended")


class AppList(BaseModel):
    apps: list[ShopifyApp]
