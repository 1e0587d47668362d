"""Keeps secrets out of logs, errors and `repr`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

MASK: Final = "[redacted]"

# Shapes of credentials that may come back in a vendor's own error text, known or not to be ours.
_SHAPES = re.compile(
    r"\bshp[a-z]{2}_[A-Za-z0-9]{8,}"
    r"|(?i:\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"
    r"|(?i:(?<=signature=)|(?<=access_token=)|(?<=api_key=)|(?<=token=))[^&\s\"']+"
)


class Redactor:
    """Replaces the given secrets, and anything that looks like a credential, by a mask."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first, so that no secret survives as the tail of a shorter one.
        self._secrets = tuple(sorted((s for s in secrets if s), key=len, reverse=True))

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return _SHAPES.sub(MASK, text)

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"


def bare_url(url: str) -> str:
    """Scheme, host and path only: a query string may carry a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
