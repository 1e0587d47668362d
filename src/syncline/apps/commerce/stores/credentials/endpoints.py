"""`/api/shopify/apps`: the apps at Shopify that stores are connected through."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from syncline.apps.commerce.contract import Commerce
from syncline.apps.commerce.contract.connecting import AppInUse, AppNotFound, ShopifyApp
from syncline.apps.commerce.stores.credentials.schemas import AppList, AppPut, Rotation
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/shopify/apps", tags=["stores"])
ROUTERS = (router,)

_Commerce = Annotated[Commerce, Depends(uses(Commerce))]
_Keeper = Annotated[Actor, Depends(require("stores:manage"))]


@router.get("", summary="List your apps at Shopify")
async def list_apps(actor: _Keeper, commerce: _Commerce) -> AppList:
    """Without their secrets."""
    return AppList(apps=list(await commerce.list_apps(actor=actor)))


@router.put("", summary="Enter an app")
async def set_app(body: AppPut, actor: _Keeper, commerce: _Commerce) -> ShopifyApp:
    """Or replace its secret and scopes. Enter `redirect_uri` of the answer on the app's page at Shopify."""
    secret = body.secret.get_secret_value()
    return await commerce.set_app(actor=actor, client_id=body.client_id, secret=secret, scopes=body.scopes)


@router.put("/{client_id}/rotation", summary="Replace an app's secret", responses=problems(AppNotFound))
async def rotate_app(client_id: str, body: Rotation, actor: _Keeper, commerce: _Commerce) -> ShopifyApp:
    """What Shopify signed with the one before is believed until the rotation is ended."""
    return await commerce.rotate_app(actor=actor, client_id=client_id, secret=body.secret.get_secret_value())


@router.delete("/{client_id}/rotation", summary="Forget an app's old secret", responses=problems(AppNotFound))
async def end_rotation(client_id: str, actor: _Keeper, commerce: _Commerce) -> ShopifyApp:
    """After it was revoked at Shopify, and an hour more: so long Shopify may still sign with it."""
    return await commerce.rotate_app(actor=actor, client_id=client_id, secret=None)


@router.delete("/{client_id}", status_code=204, summary="Remove an app", responses=problems(AppNotFound, AppInUse))
async def remove_app(client_id: str, actor: _Keeper, commerce: _Commerce) -> None:
    """Refused while stores are connected through it."""
    await commerce.remove_app(actor=actor, client_id=client_id)
