"""`/api/auth`: register, sign in, refresh, sign out; the caller's own sessions; the keys that check access tokens."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from syncline.apps.accounts.contract import (
    AccountDisabled,
    Caller,
    CodeNotRight,
    EmailTaken,
    NotAMember,
    RefreshRaced,
    RegistrationClosed,
    SecondStep,
    SessionNotFound,
    SessionOver,
    SignInRefused,
    TenantSignInOnly,
    TooManyAttempts,
    WeakPassword,
)
from syncline.apps.accounts.people.service import person_of
from syncline.apps.accounts.signin import service
from syncline.apps.accounts.signin.confinement import confined_to
from syncline.apps.accounts.signin.desk import SignInDesk
from syncline.apps.accounts.signin.refresh_cookie import RefreshCookie
from syncline.apps.accounts.signin.schemas import (
    Credentials,
    Done,
    Ended,
    KeySet,
    Registration,
    Renewal,
    SecondStepCode,
    SecondStepNeeded,
    Session,
    SessionList,
    SignOut,
    Tokens,
)
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.browser import FromAnotherSite
from syncline.runtime.http.dependencies import Reading, Writing, uses
from syncline.runtime.http.problems import problems
from syncline.runtime.http.rate_limit import limited
from syncline.runtime.http.stop_gate import works_without_writes

router = APIRouter(prefix="/api/auth", tags=["auth"])
well_known = APIRouter(prefix="/.well-known", tags=["auth"])

Desk = Annotated[SignInDesk, Depends(uses(SignInDesk))]
Cookie = Annotated[RefreshCookie, Depends(uses(RefreshCookie))]
_Anybody = Annotated[Actor, Depends(require("account:read"))]
_Self = Annotated[Actor, Depends(require("account:edit"))]


def caller_of(request: Request) -> Caller:
    address = request.client.host if request.client else "unknown"
    return Caller(address=address, device=request.headers.get("user-agent", "").strip() or "unknown")


From = Annotated[Caller, Depends(caller_of)]


@router.post(
    "/register",
    status_code=201,
    summary="Register: makes a tenant with its owner",
    responses=problems(EmailTaken, RegistrationClosed, WeakPassword, FromAnotherSite),
)
@limited("sign-in")
async def register(
    body: Registration, desk: Desk, caller: From, cookie: Cookie, request: Request, response: Response
) -> Tokens:
    """The owner is signed in."""
    cookie.check(request, wanted=body.cookie)
    made = await desk.register(
        name=body.name, email=body.email, password=body.password, shop_domain=body.shop_domain, caller=caller
    )
    return cookie.answer(request, response, made, wanted=body.cookie)


@router.post(
    "/login",
    summary="Sign in",
    responses=problems(SignInRefused, TooManyAttempts, NotAMember, AccountDisabled, FromAnotherSite),
)
@works_without_writes
@limited("sign-in")
async def login(
    body: Credentials, desk: Desk, caller: From, cookie: Cookie, request: Request, response: Response
) -> Tokens | SecondStepNeeded:
    """An e-mail that nobody has and a wrong password get the same answer, after the same time. Who has a second step
    gets a challenge instead of tokens."""
    cookie.check(request, wanted=body.cookie)
    made = await desk.sign_in(email=body.email, password=body.password, tenant=body.tenant, caller=caller)
    if isinstance(made, SecondStep):
        response.headers["Cache-Control"] = "no-store"
        return SecondStepNeeded.of(made)
    return cookie.answer(request, response, made, wanted=body.cookie)


@router.post(
    "/login/second-step",
    summary="Sign in: the code",
    responses=problems(SessionOver, CodeNotRight, TooManyAttempts, NotAMember, AccountDisabled, FromAnotherSite),
)
@works_without_writes
@limited("sign-in")
async def login_second_step(
    body: SecondStepCode, desk: Desk, caller: From, cookie: Cookie, request: Request, response: Response
) -> Tokens:
    """The code of the phone, each good once, or one of the recovery codes."""
    cookie.check(request, wanted=body.cookie)
    made = await desk.second_step(challenge=body.challenge, code=body.code, caller=caller)
    return cookie.answer(request, response, made, wanted=body.cookie)


@router.post(
    "/refresh",
    summary="Exchange a refresh token for new tokens",
    responses=problems(SessionOver, RefreshRaced, NotAMember, AccountDisabled, FromAnotherSite, TenantSignInOnly),
)
@works_without_writes
async def refresh(
    desk: Desk, caller: From, cookie: Cookie, request: Request, response: Response, body: Renewal | None = None
) -> Tokens:
    """Each refresh token is good once. One that is used again ends its session, for one of the two users is a thief.
    The token comes in the body, or in the cookie of a sign-in that asked for one; the next one goes the same way."""
    asked = body or Renewal()
    kept = None if asked.refresh_token is not None else cookie.read(request)
    token = asked.refresh_token or kept
    if token is None:
        raise SessionOver("There is no refresh token in the body, and none in a cookie. Sign in.")
    made = await desk.refresh(refresh_token=token, tenant=asked.tenant, caller=caller)
    return cookie.answer(request, response, made, wanted=kept is not None)


@router.post("/logout", summary="Sign out", responses=problems(FromAnotherSite))
@works_without_writes
async def logout(desk: Desk, cookie: Cookie, request: Request, response: Response, body: SignOut | None = None) -> Done:
    """Ends the session of the refresh token, of the body or the cookie, and its access tokens. A token that is over
    gets the same answer."""
    token = body.refresh_token if body and body.refresh_token is not None else cookie.read(request)
    if token is not None:
        await desk.sign_out(refresh_token=token)
    cookie.clear(request, response)
    return Done()


@router.get("/sessions", summary="Where you are signed in")
async def list_sessions(actor: _Self, session: Reading) -> SessionList:
    """In all tenants, the last used first."""
    found = await service.list_sessions(session, person_of(actor), within=await confined_to(session, actor))
    listed = [Session.model_validate(one) for one in found]
    return SessionList(sessions=[one.model_copy(update={"is_current": one.id == actor.session_id}) for one in listed])


@router.delete("/sessions/{session_id}", summary="Sign a device out", responses=problems(SessionNotFound))
async def end_session(session_id: UUID, actor: _Self, session: Writing) -> Done:
    """At once: its access tokens stop working too."""
    within = await confined_to(session, actor)
    await service.end_session(session, person_of(actor), session_id, because="ended by the person", within=within)
    return Done()


@router.delete("/sessions", summary="Sign all other devices out")
async def end_other_sessions(actor: _Self, session: Writing) -> Ended:
    """All but the one that asks."""
    ended = await service.end_other_sessions(
        session,
        person_of(actor),
        but=actor.session_id,
        because="ended by the person",
        within=await confined_to(session, actor),
    )
    return Ended(ended=ended)


@well_known.get("/jwks.json", summary="The public keys of access tokens")
async def jwks(desk: Desk, response: Response) -> KeySet:
    """For services that check access tokens themselves. A new key is here before it signs."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return KeySet(keys=[{name: str(value) for name, value in key.items()} for key in await desk.keys.published()])
