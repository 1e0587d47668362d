"""What our mails say. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Letter:
    kind: str
    subject: str
    text: str = field(repr=False)


def verification(*, name: str, address: str, token: str, good_for: timedelta) -> Letter:
    return _letter(
        "verify_email",
        "Confirm your e-mail address",
        f"Hello {name},",
        "somebody, we hope you, gave this address to Syncline. Confirm that it is yours:",
        _link(address, "verify-email", token),
        f"The link is good once, for {_told(good_for)}. If it was not you, do nothing.",
    )


def change_of_address(*, name: str, address: str, token: str, good_for: timedelta) -> Letter:
    return _letter(
        "change_email",
        "Confirm your new e-mail address",
        f"Hello {name},",
        "you want to sign in to Syncline with this address from now on. Confirm it:",
        _link(address, "verify-email", token),
        f"The link is good once, for {_told(good_for)}. Until then your old address stays.",
    )


def reset(*, name: str, address: str, token: str, good_for: timedelta) -> Letter:
    return _letter(
        "reset_password",
        "Set a new password",
        f"Hello {name},",
        "somebody, we hope you, asked for a new password. Set it here:",
        _link(address, "reset-password", token),
        f"The link is good once, for {_told(good_for)}. If it was not you, do nothing: your password stays as it is.",
    )


def invitation(*, tenant: str, inviter: str, role: str, address: str, token: str, good_for: timedelta) -> Letter:
    return _letter(
        "invitation",
        f"{inviter} invites you to {tenant}",
        "Hello,",
        f"{inviter} invites you to {tenant} on Syncline, as {role}. Accept here:",
        _link(address, "accept-invitation", token),
        f"The link is good once, for {_told(good_for)}.",
    )


def notice(*, name: str, what: str) -> Letter:
    """Tells of a change that somebody else may have made."""
    return _letter(
        "notice",
        "Your account was changed",
        f"Hello {name},",
        f"{what} If this was not you, ask for a new password at once, and tell an administrator of your company.",
    )


def _letter(kind: str, subject: str, *paragraphs: str) -> Letter:
    return Letter(kind, " ".join(subject.split()), "\n\n".join(paragraphs) + "\n")


def _link(address: str, page: str, token: str) -> str:
    # Behind the #: a browser does not send it, so no log on the way holds the token.
    return f"  {address.rstrip('/')}/account/{page}#token={token}\n\nor send this token to the API: {token}"


def _told(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes % 1440 == 0:
        return _many(minutes // 1440, "day")
    return _many(minutes // 60, "hour") if minutes % 60 == 0 else _many(minutes, "minute")


def _many(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
