from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from syncline.apps.commerce.contract import OperationKind
from syncline.apps.operations.contract import Channel, ChannelKind, Delivery
from syncline.runtime.http.schemas import Pagination

_OPERATIONS: list[OperationKind] = Field(default_factory=list, description="Only of these; of all when empty")


class ChannelCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(examples=["night-shift"])
    kind: ChannelKind
    target: SecretStr = Field(description="A mail address, or the URL of a webhook, which is kept sealed")
    operations: list[OperationKind] = _OPERATIONS
    only_failures: bool = Field(default=False, description="Also what ended with conflicts or errors")


class ChannelUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    operations: list[OperationKind] | None = Field(default=None, description="Left as it is, when left out")
    only_failures: bool | None = None
    is_enabled: bool | None = None


class ChannelCreated(BaseModel):
    channel: Channel
    secret: str | None = Field(description="Signs what a webhook is sent, by Standard Webhooks; shown only now")


class ChannelList(BaseModel):
    channels: list[Channel]


class DeliveryList(BaseModel):
    deliveries: list[Delivery]
    pagination: Pagination
