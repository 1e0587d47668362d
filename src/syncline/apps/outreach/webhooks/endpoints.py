"""`/api/outreach/webhooks`: addresses that lemlist and Smartlead send to, and what they send."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from syncline.apps.outreach.connections.service import ConnectionNotFound
from syncline.apps.outreach.sync_contract import Platform
from syncline.apps.outreach.webhooks import service
from syncline.apps.outreach.webhooks.service import Door, DoorNotFound, WebhookNotProven
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading, runtime_of
from syncline.runtime.http.limits import accepts_bytes
from syncline.runtime.http.problems import VendorRefused, VendorUnavailable, problems
from syncline.runtime.http.rate_limit import limited

router = APIRouter(prefix="/api/outreach/webhooks", tags=["outreach"])
ROUTERS = (router,)

_Runtime = Annotated[Runtime, Depends(runtime_of)]
_Manager = Annotated[Actor, Depends(require("outreach:manage"))]


class DoorCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    platform: Platform
    public_url: str | None = Field(
        default=None,
        max_length=500,
        pattern=r"^https?://[^\s]+$",
        description="Where the tool reaches this installation; it is then told to send there",
        examples=["https://syncline.example.com"],
    )
    signing_secret: SecretStr | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="Smartlead's own, if it signs; unsigned webhooks are refused then",
    )

    @model_validator(mode="after")
    def _only_smartlead_signs(self) -> DoorCreate:
        if self.platform is Platform.LEMLIST and self.signing_secret is not None:
            raise ValueError("lemlist does not sign; leave signing_secret out, its webhooks carry a secret of ours")
        return self


class DoorOpened(BaseModel):
    webhook: Door
    path: str = Field(description="To give to the tool, after this installation's address; shown this once")


class DoorList(BaseModel):
    webhooks: list[Door]
    received: dict[str, int] = Field(description="By tool and state")


class Received(BaseModel):
    success: bool = True
    received: bool = Field(description="It is kept, for good")
    idempotent: bool = Field(description="The same was kept before; it is done once")


@router.get("", summary="List the webhook addresses")
async def list_webhooks(_: _Manager, session: Reading) -> DoorList:
    return DoorList(webhooks=list(await service.list_doors(session)), received=await service.received(session))


@router.post(
    "",
    status_code=201,
    summary="Make a webhook address",
    responses=problems(ConnectionNotFound, VendorRefused, VendorUnavailable),
)
async def open_webhook(body: DoorCreate, actor: _Manager, runtime: _Runtime) -> DoorOpened:
    secret = None if body.signing_secret is None else body.signing_secret.get_secret_value()
    opened = await service.open_door(runtime, actor, body.platform, public_url=body.public_url, signing_secret=secret)
    return DoorOpened(webhook=opened.door, path=opened.path)


@router.delete("/{webhook_id}", status_code=204, summary="Remove a webhook address", responses=problems(DoorNotFound))
async def close_webhook(webhook_id: UUID, actor: _Manager, runtime: _Runtime) -> None:
    """The tool is told, if it was told of the address."""
    await service.close_door(runtime, actor, webhook_id)


@router.post("/receive/{token}", summary="Take a webhook in", responses=problems(DoorNotFound, WebhookNotProven))
@limited("outreach-webhooks")
@accepts_bytes(1_000_000)
async def receive(
    token: str, request: Request, runtime: _Runtime, x_smartlead_signature: Annotated[str | None, Header()] = None
) -> Received:
    """Kept as it came and answered; understood later. The address is a secret, and so is what lemlist's body holds
    and Smartlead's header signs."""
    is_new = await service.receive(runtime, token, await request.body(), x_smartlead_signature)
    return Received(received=True, idempotent=not is_new)
