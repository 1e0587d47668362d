"""Decisions about the second step. Every function needs `see_own`."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from uuid import UUID

from syncline.apps.accounts.contract import CodeNotRight, SecondStepIsOn
from syncline.apps.accounts.totp import codes, repository
from syncline.kernel import clock
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.secrets import SecretBox

BY_CODE, BY_RECOVERY = "otp", "recovery"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a phone needs to know, shown once."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


async def is_on(session: Session, user_id: UUID) -> bool:
    device = await repository.find_device(session, user_id)
    return device is not None and device.confirmed_at is not None


async def begin(session: WriteSession, user_id: UUID, *, email: str, issuer: str, secrets: SecretBox) -> Enrolment:
    """A new secret, which counts once a code of it was given. Raises `SecondStepIsOn`."""
    if await is_on(session, user_id):
        raise SecondStepIsOn("The second step is on already. Turn it off first, to set it up on another phone.")
    secret = codes.new_secret()
    sealed = secrets.seal(base64.b64encode(secret).decode())
    values = {"user_id": user_id, "sealed_secret": sealed, "created_at": clock.now()}
    await repository.replace_device(session, values)
    return Enrolment(codes.shown(secret), codes.otpauth_uri(secret, email=email, issuer=issuer))


async def confirm(session: WriteSession, user_id: UUID, code: str, *, secrets: SecretBox) -> list[str]:
    """The phone works: from now on signing in takes a code. Answers the recovery codes, which are shown once.

    Raises `CodeNotRight`, `SecondStepIsOn`.
    """
    if await is_on(session, user_id):
        raise SecondStepIsOn("The second step is on already.")
    if not await _take_phone_code(session, user_id, code, secrets):
        raise _wrong()
    await repository.confirm_device(session, user_id, clock.now())
    return await renew_recovery_codes(session, user_id)


async def check(session: WriteSession, user_id: UUID, code: str, *, secrets: SecretBox) -> str:
    """Uses up a code of the phone, or a recovery code, and answers which it was. Raises `CodeNotRight`."""
    if await is_on(session, user_id):
        if await _take_phone_code(session, user_id, code, secrets):
            return BY_CODE
        digest = codes.recovery_digest(user_id, code)
        if digest is not None and await repository.take_code(session, user_id, digest):
            return BY_RECOVERY
    raise _wrong()


async def _take_phone_code(session: WriteSession, user_id: UUID, code: str, secrets: SecretBox) -> bool:
    device = await repository.find_device(session, user_id)
    if device is None:
        return False
    secret = base64.b64decode(secrets.open(device.sealed_secret))
    step = codes.matching_step(secret, code, clock.now(), after=device.last_step)
    return step is not None and await repository.take_step(session, user_id, step)


async def renew_recovery_codes(session: WriteSession, user_id: UUID) -> list[str]:
    made = codes.new_recovery_codes()
    digests = [digest for one in made if (digest := codes.recovery_digest(user_id, one)) is not None]
    await repository.replace_codes(session, user_id, digests)
    return made


async def turn_off(session: WriteSession, user_id: UUID) -> None:
    await repository.delete_device(session, user_id)


async def count_recovery_codes(session: Session, user_id: UUID) -> int:
    return await repository.count_codes(session, user_id)


def _wrong() -> CodeNotRight:
    return CodeNotRight("The code is not right, or was used before. Wait for the next one, or use a recovery code.")
