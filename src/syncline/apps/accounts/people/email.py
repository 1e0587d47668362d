"""E-mail addresses: which are accepted, and when two are the same."""

from __future__ import annotations

import unicodedata

from syncline.kernel.email_address import is_email
from syncline.kernel.errors import FieldError, InvalidInput


def checked_email(text: str, *, field: str = "email") -> str:
    """The address without surrounding blanks. Raises `InvalidInput`."""
    address = unicodedata.normalize("NFC", text.strip())
    if not is_email(address):
        raise InvalidInput(
            "This is not an e-mail address. Give one like ada@example.com.",
            fields=[FieldError(field, "must be an e-mail address")],
        )
    return address


def email_key(address: str) -> str:
    """What an account is found by. Servers may tell capitals apart before the @; none that people use does."""
    return unicodedata.normalize("NFC", address.strip()).casefold()
