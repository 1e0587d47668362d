"""`/api/auth`: confirm an address, reset and change the password, change the address."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from syncline.apps.accounts.contract import (
    EmailTaken,
    PersonNeeded,
    SignInRefused,
    TokenNotGood,
    TooManyAttempts,
    WeakPassword,
)
from syncline.apps.accounts.people.service import person_of
from syncline.apps.accounts.recovery.desk import RecoveryDesk
from syncline.apps.accounts.recovery.jobs import RESET_JOB
from syncline.apps.accounts.recovery.schemas import (
    EmailChange,
    PasswordChange,
    PasswordReset,
    ResetAsked,
    TokenOnly,
)
from syncline.apps.accounts.signin.endpoints import From
from syncline.apps.accounts.signin.schemas import Done, Ended
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import runtime_of, uses
from syncline.runtime.http.problems import problems
from syncline.runtime.http.rate_limit import limited

router = APIRouter(prefix="/api/auth", tags=["auth"])

Desk = Annotated[RecoveryDesk, Depends(uses(RecoveryDesk))]
_Self = Annotated[Actor, Depends(require("account:edit"))]


@router.post("/verify-email", summary="Confirm an address", responses=problems(TokenNotGood, EmailTaken))
@limited("sign-in")
async def verify_email(body: TokenOnly, desk: Desk) -> Done:
    """With the token of the mail; also the one that was sent to a new address."""
    await desk.verify(body.token)
    return Done()


@router.post(
    "/verify-email/resend", status_code=202, summary="Mail me the link again", responses=problems(PersonNeeded)
)
async def resend_verification(actor: _Self, desk: Desk) -> Done:
    """At most once a minute; nothing when the address is confirmed."""
    await desk.send_verification(person_of(actor))
    return Done()


@router.post("/forgot-password", status_code=202, summary="Mail me a link to set a new password")
@limited("sign-in")
async def forgot_password(body: ResetAsked, runtime: Annotated[Runtime, Depends(runtime_of)]) -> Done:
    """The answer is the same, after the same time, whether the address has an account or not."""
    async with runtime.database.system() as session:
        await runtime.queue.enqueue(session, RESET_JOB, {"email": body.email})
    return Done()


@router.post("/reset-password", summary="Set a new password", responses=problems(TokenNotGood, WeakPassword))
@limited("sign-in")
async def reset_password(body: PasswordReset, desk: Desk) -> Done:
    """With the token of the mail. Ends every session. A password that is refused leaves the token good."""
    await desk.reset(token=body.token, password=body.password)
    return Done()


@router.post(
    "/change-password",
    summary="Change your password",
    responses=problems(SignInRefused, TooManyAttempts, WeakPassword, PersonNeeded),
)
async def change_password(body: PasswordChange, actor: _Self, desk: Desk, caller: From) -> Ended:
    """Ends your other sessions."""
    ended = await desk.change_password(
        user_id=person_of(actor),
        session_id=actor.session_id,
        current=body.current_password,
        new=body.new_password,
        caller=caller,
    )
    return Ended(ended=ended)


@router.post(
    "/change-email",
    status_code=202,
    summary="Change your address",
    responses=problems(SignInRefused, TooManyAttempts, PersonNeeded),
)
async def change_email(body: EmailChange, actor: _Self, desk: Desk, caller: From) -> Done:
    """Mails a link to the new address; the old one stays until it is used. The answer does not tell whether the new one
    has an account."""
    await desk.change_email(user_id=person_of(actor), email=body.email, password=body.password, caller=caller)
    return Done()
