"""`/api/auth/totp`: the second step of one's own sign-in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from syncline.apps.accounts.contract import CodeNotRight, PersonNeeded, SecondStepIsOn, SignInRefused, TooManyAttempts
from syncline.apps.accounts.people.service import person_of, see_own_of
from syncline.apps.accounts.signin.endpoints import From
from syncline.apps.accounts.signin.schemas import Done
from syncline.apps.accounts.totp import service
from syncline.apps.accounts.twostep.desk import TwoStepDesk
from syncline.apps.accounts.twostep.schemas import (
    CodeOnly,
    Enrolment,
    PasswordAndCode,
    PasswordOnly,
    RecoveryCodes,
    SecondStepState,
)
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading, uses
from syncline.runtime.http.problems import problems
from syncline.runtime.http.rate_limit import limited

router = APIRouter(prefix="/api/auth/totp", tags=["auth"])

Desk = Annotated[TwoStepDesk, Depends(uses(TwoStepDesk))]
_Self = Annotated[Actor, Depends(require("account:edit"))]


@router.get("", summary="Is your second step on", responses=problems(PersonNeeded))
async def second_step(actor: _Self, session: Reading) -> SecondStepState:
    """And how many recovery codes are left."""
    user_id = await see_own_of(session, actor)
    return SecondStepState(
        is_on=await service.is_on(session, user_id),
        recovery_codes_left=await service.count_recovery_codes(session, user_id),
    )


@router.post(
    "", summary="Set a phone up", responses=problems(SignInRefused, TooManyAttempts, SecondStepIsOn, PersonNeeded)
)
async def begin_second_step(
    body: PasswordOnly, actor: _Self, desk: Desk, caller: From, response: Response
) -> Enrolment:
    """Answers the secret for the phone. Nothing changes until a code of it was sent to `/confirm`."""
    made = await desk.begin(person_of(actor), password=body.password, caller=caller)
    response.headers["Cache-Control"] = "no-store"
    return Enrolment(secret=made.secret, otpauth_uri=made.uri)


@router.post(
    "/confirm", summary="Turn the second step on", responses=problems(CodeNotRight, SecondStepIsOn, PersonNeeded)
)
@limited("sign-in")
async def confirm_second_step(body: CodeOnly, actor: _Self, desk: Desk, response: Response) -> RecoveryCodes:
    """With a code of the phone. From now on signing in takes one."""
    made = await desk.confirm(person_of(actor), code=body.code)
    response.headers["Cache-Control"] = "no-store"
    return RecoveryCodes(recovery_codes=made)


@router.post(
    "/recovery-codes",
    summary="New recovery codes",
    responses=problems(SignInRefused, TooManyAttempts, CodeNotRight, PersonNeeded),
)
@limited("sign-in")
async def renew_recovery_codes(
    body: PasswordAndCode, actor: _Self, desk: Desk, caller: From, response: Response
) -> RecoveryCodes:
    """The earlier ones stop working."""
    made = await desk.renew_recovery_codes(person_of(actor), password=body.password, code=body.code, caller=caller)
    response.headers["Cache-Control"] = "no-store"
    return RecoveryCodes(recovery_codes=made)


@router.post(
    "/off",
    summary="Turn the second step off",
    responses=problems(SignInRefused, TooManyAttempts, CodeNotRight, PersonNeeded),
)
@limited("sign-in")
async def turn_second_step_off(body: PasswordAndCode, actor: _Self, desk: Desk, caller: From) -> Done:
    """Takes the password and a code, or a stolen session would be enough."""
    await desk.turn_off(person_of(actor), password=body.password, code=body.code, caller=caller)
    return Done()
