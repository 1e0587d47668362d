"""What an e-mail address looks like, and when two are the same."""

from __future__ import annotations

import re
import unicodedata

# Not the whole grammar of RFC 5321: what a person has, and nothing that could break a header or a log line.
_FORM = re.compile(r"[^\s@\"<>(),:;\\\x00-\x1f\x7f]{1,64}@[^\s@\"<>(),:;\\\x00-\x1f\x7f]{1,190}")


def is_email(text: str) -> bool:
    domain = text.rpartition("@")[2]
    return (
        _FORM.fullmatch(text) is not None
        and not domain.startswith(".")
        and not domain.endswith(".")
        and ".." not in text
    )


def email_key(address: str) -> str:
    """What an address is compared by, wherever a person is looked for: accounts, consents, erasures, who is kept out.
    Servers may tell capitals apart before the @; none that people use does.

    It is not `str.lower`, by which event keys and Mixpanel know an address: `straße@…` and `STRASSE@…` are one here and
    two there."""
    return unicodedata.normalize("NFC", address.strip()).casefold()
