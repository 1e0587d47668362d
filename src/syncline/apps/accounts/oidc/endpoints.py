"""`/api/auth/openid` and `/api/auth/identities`: sign in with a provider, link one and unlink it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from syncline.apps.accounts.contract import (
    AccountDisabled,
    FreshSignInNeeded,
    IdentityNotFound,
    IdentityTaken,
    LastWayIn,
    NoAccountYet,
    NotAMember,
    PersonNeeded,
    ProviderNotBelieved,
    ProviderNotFound,
    ProviderRefused,
    ProviderUnavailable,
    SecondStep,
    SignInNotGood,
    SignInRefused,
    TenantSignInOnly,
    TooManyAttempts,
)
from syncline.apps.accounts.oidc import flow, service
from syncline.apps.accounts.oidc.desk import Answer, OpenIdDesk
from syncline.apps.accounts.oidc.desk import Departure as Leaving
from syncline.apps.accounts.oidc.schemas import (
    Departure,
    Identity,
    IdentityList,
    LinkStart,
    OfferedProvider,
    OfferedProviders,
    SignInStart,
    UnlinkAsked,
)
from syncline.apps.accounts.people.service import see_own_of
from syncline.apps.accounts.providers.desk import ProviderDesk
from syncline.apps.accounts.signin.endpoints import Cookie, From
from syncline.apps.accounts.signin.refresh_cookie import RefreshCookie
from syncline.apps.accounts.signin.schemas import Done
from syncline.kernel.tenant import Actor
from syncline.runtime.connect.guard import AddressRefused
from syncline.runtime.http.auth import require
from syncline.runtime.http.browser import BrowserCookie
from syncline.runtime.http.dependencies import Reading, uses
from syncline.runtime.http.problems import problems
from syncline.runtime.http.rate_limit import limited
from syncline.runtime.http.stop_gate import works_without_writes

router = APIRouter(prefix="/api/auth", tags=["auth"])

Desk = Annotated[OpenIdDesk, Depends(uses(OpenIdDesk))]
Providers = Annotated[ProviderDesk, Depends(uses(ProviderDesk))]
_Self = Annotated[Actor, Depends(require("account:edit"))]
_Text = Annotated[str | None, Query(max_length=4_000)]
_CALLED = (AddressRefused, ProviderNotFound, ProviderUnavailable, ProviderRefused, ProviderNotBelieved)
_CONFIRMED = (NotAMember, SignInRefused, TooManyAttempts, FreshSignInNeeded, TenantSignInOnly, PersonNeeded)


@router.get("/providers", summary="What one can sign in with")
async def offered_providers(
    desk: Providers,
    tenant: Annotated[str | None, Query(max_length=100, description="Slug: also that tenant's own")] = None,
) -> OfferedProviders:
    """A tenant that does not exist has none of its own, and no more is said."""
    return OfferedProviders(providers=[OfferedProvider.model_validate(one) for one in await desk.offered(tenant)])


@router.post("/openid/start", summary="Sign in with a provider", responses=problems(*_CALLED))
@works_without_writes
@limited("sign-in")
async def start_openid(
    body: SignInStart, desk: Desk, cookie: Cookie, request: Request, response: Response
) -> Departure:
    """Answers where to send the browser, and sets the cookie that it has to come back with within ten minutes."""
    leaving = await desk.start(body.provider, tenant=body.tenant, return_to=body.return_to)
    return _depart(leaving, cookie, request, response)


@router.get(
    "/openid/callback/{provider}",
    status_code=303,
    summary="Back from a provider",
    response_class=RedirectResponse,
    responses={
        303: {"description": "Signed in: the refresh token is in a cookie; or a second step is asked for"},
        **problems(*_CALLED, SignInNotGood, NoAccountYet, IdentityTaken, AccountDisabled, NotAMember),
    },
)
async def openid_callback(
    provider: str,
    desk: Desk,
    cookie: Cookie,
    caller: From,
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: _Text = None,
    iss: _Text = None,
    error: _Text = None,
) -> RedirectResponse:
    """The provider sends the browser here. Good once, for the browser that began."""
    kept = _flow_cookie(state)
    browser = None if kept is None else kept.read(request, is_secure=cookie.is_secure(request))
    answer = Answer(state=state, code=code, issuer=iss, error=error, browser=browser)
    arrival = await desk.finish(provider, answer, caller=caller)
    if isinstance(arrival.signed_in, SecondStep):
        # Behind the #, which browsers send to nobody, like the tokens of mails.
        response = RedirectResponse(f"/account/second-step#challenge={arrival.signed_in.challenge}", status_code=303)
    else:
        response = RedirectResponse(arrival.return_to, status_code=303)
        if arrival.signed_in is not None:
            cookie.put(request, response, arrival.signed_in)
    if kept is not None:
        kept.clear(response, is_secure=cookie.is_secure(request))
    response.headers["Cache-Control"] = "no-store"
    return response


@router.get("/identities", summary="What is linked to your account", responses=problems(PersonNeeded))
async def list_identities(actor: _Self, session: Reading) -> IdentityList:
    """Each opens your account."""
    user_id = await see_own_of(session, actor)
    found = await service.list_identities(session, user_id)
    return IdentityList(identities=[Identity.model_validate(one) for one in found])


@router.post("/identities", summary="Link an identity", responses=problems(*_CALLED, *_CONFIRMED))
async def link_identity(
    body: LinkStart, actor: _Self, desk: Desk, cookie: Cookie, caller: From, request: Request, response: Response
) -> Departure:
    """With your password, if you have one, else within ten minutes of signing in. Then send the browser on."""
    leaving = await desk.start_linking(
        actor,
        body.provider,
        tenant=body.tenant,
        password=body.password,
        return_to=body.return_to,
        caller=caller,
    )
    return _depart(leaving, cookie, request, response)


@router.post(
    "/identities/{identity_id}/unlink",
    summary="Unlink an identity",
    responses=problems(IdentityNotFound, LastWayIn, *_CONFIRMED),
)
async def unlink_identity(
    identity_id: UUID, actor: _Self, desk: Desk, caller: From, body: UnlinkAsked | None = None
) -> Done:
    """It opens your account no more. The only way in stays."""
    await desk.unlink(actor, identity_id, password=body.password if body else None, caller=caller)
    return Done()


def _depart(leaving: Leaving, cookie: RefreshCookie, request: Request, response: Response) -> Departure:
    kept = _flow_cookie(leaving.secrets.state)
    assert kept is not None
    kept.put(response, leaving.secrets.browser, lasts=flow.LIFETIME, is_secure=cookie.is_secure(request))
    response.headers["Cache-Control"] = "no-store"
    return Departure(authorization_url=leaving.url, expires_in=int(flow.LIFETIME.total_seconds()))


def _flow_cookie(state: str) -> BrowserCookie | None:
    name = flow.cookie_of(state)
    # Lax, for the provider leads the browser here.
    return None if name is None else BrowserCookie(name)
