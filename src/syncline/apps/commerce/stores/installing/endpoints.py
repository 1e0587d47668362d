"""`/api/shopify/oauth`: joining stores through Shopify's consent page or by a token that Shopify gives."""

from __future__ import annotations

import html
import secrets
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from syncline.apps.commerce.contract import Commerce, Store, StoreExists, StoreNotFound, StoreRefused
from syncline.apps.commerce.contract.connecting import (
    AppNotFound,
    CallbackNotBelieved,
    Install,
    InstallNotFound,
    InstallOver,
    ShopifyUnavailable,
    ShopTaken,
    StoreAccess,
)
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.installing import flow
from syncline.apps.commerce.stores.installing.schemas import (
    AccessList,
    ApiSecret,
    CredentialsConnect,
    InstallList,
    TokenExchange,
)
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.browser import BrowserCookie
from syncline.runtime.http.dependencies import runtime_of, uses
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/shopify/oauth", tags=["stores"])
stores = APIRouter(prefix="/api/shopify/stores", tags=["stores"])
ROUTERS = (router, stores)

_Commerce = Annotated[Commerce, Depends(uses(Commerce))]
_Keeper = Annotated[Actor, Depends(require("stores:manage"))]
_Reader = Annotated[Actor, Depends(require("stores:read"))]
_ASKED = (ShopTaken, StoreRefused, StoreExists, ShopifyUnavailable)
_DONE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Connected</title></head>
<body><h1>{shop} is connected</h1><p>It is called {store}. You can close this page.</p></body></html>"""


@router.get(
    "/install",
    summary="Connect a shop by its consent page",
    responses={302: {"description": "For a browser: to Shopify"}, **problems(AppNotFound, StoreExists)},
    response_model=Install,
)
async def start_install(
    request: Request,
    actor: _Keeper,
    commerce: _Commerce,
    shop: Annotated[str, Query(max_length=300, description="Its address, or a store's name to ask it again")],
    name: Annotated[
        str | None, Query(max_length=63, description="What you call it; its address, when left out")
    ] = None,
    client_id: Annotated[str | None, Query(description="Through which app; the only one, when left out")] = None,
    base_url: Annotated[str | None, Query(description="Only for a sandbox on this machine")] = None,
    return_to: Annotated[str | None, Query(description="A page of ours to come back to", examples=["/stores"])] = None,
) -> Install | Response:
    """Send the merchant's browser to `authorize_url` within ten minutes, and follow the install by its id. A request
    that accepts `text/html` is led there itself, and only the browser that sent it can come back."""
    wants_page = "text/html" in request.headers.get("accept", "")
    browser = secrets.token_urlsafe(32) if wants_page else None
    begun = await commerce.start_install(
        actor=actor,
        shop=shop,
        name=name,
        client_id=client_id,
        base_url=base_url,
        return_to=return_to,
        browser=browser,
    )
    if browser is None or begun.authorize_url is None:
        return begun
    response = RedirectResponse(begun.authorize_url, status_code=302, headers={"Cache-Control": "no-store"})
    cookie = _cookie(flow.state_in(begun.authorize_url))
    assert cookie is not None
    cookie.put(response, browser, lasts=flow.LIFETIME, is_secure=_is_secure(request))
    return response


@router.get(
    "/callback",
    summary="Back from Shopify's consent page",
    response_class=Response,
    responses={
        200: {"description": "Connected: a page says so", "content": {"text/html": {"schema": {"type": "string"}}}},
        303: {"description": "Connected: to the page that was asked for"},
        **problems(CallbackNotBelieved, InstallOver, *_ASKED),
    },
)
async def finish_install(request: Request, commerce: _Commerce) -> Response:
    """Shopify sends the merchant's browser here. Good once, within ten minutes, and only as Shopify signed it within
    90 seconds."""
    cookie = _cookie(request.query_params.get("state", ""))
    is_secure = _is_secure(request)
    browser = None if cookie is None else cookie.read(request, is_secure=is_secure)
    done = await commerce.finish_install(query=request.query_params.multi_items(), browser=browser)
    if done.return_to is not None:
        response: Response = RedirectResponse(done.return_to, status_code=303)
    else:
        page = _DONE.format(shop=html.escape(done.shop_domain), store=html.escape(done.store))
        response = HTMLResponse(page)
    if cookie is not None and browser is not None:
        cookie.clear(response, is_secure=is_secure)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.get("/installs", summary="List installs")
async def list_installs(actor: _Keeper, commerce: _Commerce) -> InstallList:
    """Of the last day, the newest first."""
    return InstallList(installs=list(await commerce.list_installs(actor=actor)))


@router.get("/installs/{install_id}", summary="Follow an install", responses=problems(InstallNotFound))
async def get_install(install_id: UUID, actor: _Keeper, commerce: _Commerce) -> Install:
    return await commerce.get_install(actor=actor, install_id=install_id)


@router.post(
    "/token-exchange",
    summary="Connect a shop by a session token",
    responses=problems(CallbackNotBelieved, *_ASKED),
)
async def exchange_token(body: TokenExchange, actor: _Keeper, commerce: _Commerce) -> Store:
    """For a page inside Shopify's admin. A shop that is connected already gets its new token."""
    return await commerce.exchange_session_token(
        actor=actor, session_token=body.session_token.get_secret_value(), name=body.name, base_url=body.base_url
    )


@router.post(
    "/client-credentials",
    summary="Connect a shop of the app's own organisation",
    responses=problems(AppNotFound, *_ASKED),
)
async def connect_by_credentials(body: CredentialsConnect, actor: _Keeper, commerce: _Commerce) -> Store:
    """Without a merchant: the app's own word is enough there."""
    return await commerce.connect_by_credentials(
        actor=actor, shop=body.shop, name=body.name, client_id=body.client_id, base_url=body.base_url
    )


@router.get("/status", summary="How the stores are connected", responses=problems(StoreNotFound))
async def list_access(
    actor: _Reader, commerce: _Commerce, store: Annotated[str | None, Query(description="Only this one")] = None
) -> AccessList:
    """Whether each token lasts, what keeps it from being renewed, which features lack scopes, and whether the merchant
    has to allow the app again, which `/api/shopify/oauth/install?shop=` begins."""
    return AccessList(stores=list(await commerce.list_access(actor=actor, store=store)))


@stores.put("/{name}/api-secret", summary="Give a custom app's API secret key", responses=problems(StoreNotFound))
async def set_api_secret(name: str, body: ApiSecret, actor: _Keeper, commerce: _Commerce) -> StoreAccess:
    """It signs the webhooks of a store that is connected by a token. The one before is kept beside it."""
    return await commerce.set_api_secret(actor=actor, store=name, secret=body.secret.get_secret_value())


def _cookie(state: str) -> BrowserCookie | None:
    name = flow.cookie_of(state)
    # Lax, for Shopify leads the browser here.
    return None if name is None else BrowserCookie(name)


def _is_secure(request: Request) -> bool:
    """Also behind a proxy that ends TLS and is not known as ours."""
    public_url = runtime_of(request).settings_of("commerce", CommerceSettings).public_url
    return request.url.scheme == "https" or (public_url or "").startswith("https:")
