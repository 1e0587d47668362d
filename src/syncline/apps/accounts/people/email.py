"""E-mail addresses that are accepted."""

from __future__ import annotations

import unicodedata

from syncline.kernel.email_address import email_key, is_email
from syncline.kernel.errors import FieldError, InvalidInput

__all__ = ["checked_email", "email_key"]


def checked_email(text: str, *, field: str = "email") -> str:
    """The address without surrounding blanks. Raises `InvalidInput`."""
    address = unicodedata.normalize("NFC", text.strip())
    if not is_email(address):
        raise InvalidInput(
            "This is not an e-mail address. Give one like ada@example.com.",
            fields=[FieldError(field, "must be an e-mail address")],
        )
    return address
