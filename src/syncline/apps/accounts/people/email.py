"""E-mail addresses: which are accepted, and when two are the same."""

from __future__ import annotations

import re
import unicodedata

from syncline.kernel.errors import FieldError, InvalidInput

# Not the whole grammar of RFC 5321: what a person has, and nothing that could break a header or a log line.
_FORM = re.compile(r"[^\s@\"<>(),:;\\\x00-\x1f\x7f]{1,64}@[^\s@\"<>(),:;\\\x00-\x1f\x7f]{1,190}")


def checked_email(text: str, *, field: str = "email") -> str:
    """The address without surrounding blanks. Raises `InvalidInput`."""
    address = unicodedata.normalize("NFC", text.strip())
    domain = address.rpartition("@")[2]
    if not _FORM.fullmatch(address) or domain.startswith(".") or domain.endswith(".") or ".." in address:
        raise InvalidInput(
            "This is not an e-mail address. Give one like ada@example.com.",
            fields=[FieldError(field, "must be an e-mail address")],
        )
    return address


def email_key(address: str) -> str:
    """What an account is found by. Servers may tell capitals apart before the @; none that people use does."""
    return unicodedata.normalize("NFC", address.strip()).casefold()
