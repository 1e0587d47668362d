"""Opaque tokens: `<kind>_<owner, 32 hex digits>_<secret, 43 URL-safe characters>`.

The owner stands in the token because the database shows a token's row only to its own person or tenant. It proves
nothing: only the secret does. Kinds: `slr` refresh, `slo` one-time (in mails), `slc` second step of a sign-in, `sli`
invitation.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from uuid import UUID

_FORM = re.compile(r"(sl[a-z])_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class OpaqueToken:
    kind: str
    owner: UUID
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        return f"{self.kind}_{self.owner.hex}_{self.secret}"

    @property
    def digest(self) -> bytes:
        """What is stored. Of kind and owner too, so that a token of one kind is none of another. A fast hash is right:
        the secret is 256 random bits, there is nothing to guess slowly."""
        return hashlib.sha256(self.text.encode()).digest()


def new_token(kind: str, owner: UUID) -> OpaqueToken:
    return OpaqueToken(kind, owner, secrets.token_urlsafe(32))


def parse_token(kind: str, text: str) -> OpaqueToken | None:
    """None for anything that is not of our form, or of another kind."""
    found = _FORM.fullmatch(text)
    return OpaqueToken(kind, UUID(found[2]), found[3]) if found and found[1] == kind else None
