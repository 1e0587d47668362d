"""Decisions about one-time tokens: for what, how long, and what using one changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from syncline.apps.accounts.contract import EmailTaken, TokenNotGood
from syncline.apps.accounts.opaque import OpaqueToken, new_token, parse_token
from syncline.apps.accounts.people import repository as people
from syncline.apps.accounts.people.email import email_key
from syncline.apps.accounts.recovery import repository
from syncline.apps.accounts.signin import service as signin
from syncline.kernel import clock
from syncline.runtime.db.session import Session, WriteSession

ONE_TIME = "slo"
VERIFY, CHANGE, RESET = "verify_email", "change_email", "reset_password"
_AGAIN_AFTER = timedelta(minutes=1)
NOW = timedelta(0)


async def issue(
    session: WriteSession,
    user: Row[Any],
    purpose: str,
    *,
    email: str,
    lifetime: timedelta,
    again_after: timedelta = _AGAIN_AFTER,
) -> OpaqueToken | None:
    """A token in place of the earlier ones for the same purpose; None within `again_after` of the last, so that nobody
    fills a mailbox by asking. Needs `see_own`."""
    now = clock.now()
    last = await repository.newest_token(session, user.id, purpose)
    if last is not None and now - last < again_after:
        return None
    await repository.delete_tokens(session, user.id, purpose)
    made = new_token(ONE_TIME, user.id)
    values = {
        "digest": made.digest,
        "user_id": user.id,
        "purpose": purpose,
        "email": email,
        "created_at": now,
        "expires_at": now + lifetime,
    }
    await repository.insert_token(session, values)
    return made


async def look_at(session: Session, text: str, *purposes: str) -> tuple[OpaqueToken, Row[Any], Row[Any]]:
    """A token that is good, its row, and its person; it stays unused. Raises `TokenNotGood`."""
    token = parse_token(ONE_TIME, text)
    if token is None:
        raise _not_good()
    await people.see_own(session, token.owner)
    row = await repository.find_good_token(session, token.digest, purposes, clock.now())
    user = None if row is None else await people.find_user(session, row.user_id, lock=True)
    if row is None or user is None or user.disabled_at is not None:
        raise _not_good()
    if row.purpose != CHANGE and email_key(row.email) != user.email_key:
        raise _not_good()  # sent to an address he has left since
    return token, row, user


async def use(session: WriteSession, token: OpaqueToken) -> None:
    """Raises `TokenNotGood` when somebody else was first."""
    if not await repository.take_token(session, token.digest, clock.now()):
        raise _not_good()


async def confirm_address(session: WriteSession, text: str) -> Row[Any]:
    """The mailbox of the token is the person's. Answers the person as he was. Raises `TokenNotGood`, `EmailTaken`."""
    token, row, user = await look_at(session, text, VERIFY, CHANGE)
    await use(session, token)
    values = {"email": row.email, "email_key": email_key(row.email), "email_verified_at": clock.now()}
    try:
        async with session.begin_nested():
            await people.update_user(session, user.id, values)
    except IntegrityError as taken:
        raise EmailTaken("Another account has this e-mail by now.") from taken
    return user


async def set_password(session: WriteSession, user: Row[Any], password_hash: str, *, keep: Any, because: str) -> int:
    """Also ends the sessions of the person, all but `keep`, and what was mailed to reset it. Answers how many ended."""
    now = clock.now()
    await people.update_user(session, user.id, {"password_hash": password_hash, "password_changed_at": now})
    await repository.delete_tokens(session, user.id, RESET)
    return await signin.end_other_sessions(session, user.id, but=keep, because=because)


def _not_good() -> TokenNotGood:
    return TokenNotGood("This token is not valid: it was used, has expired, or was replaced by a newer one. Ask again.")
