"""What an e-mail address looks like."""

from __future__ import annotations

import re

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
