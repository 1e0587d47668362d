"""The form of a bearer key: `sl_<tenant, 32 hex digits>_<secret, 43 URL-safe characters>`.

The tenant stands in the key because the database shows a key's row only to its own tenant. It proves nothing: only the
secret does.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from syncline.kernel.tenant import TenantId

_FORM = re.compile(r"sl_([0-9a-f]{32})_([A-Za-z0-9_-]{32,128})")
_PUBLIC_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class Bearer:
    tenant_id: TenantId
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        return f"sl_{self.tenant_id.hex}_{self.secret}"

    @property
    def prefix(self) -> str:
        """May be shown and indexed: 48 of the secret's 256 bits."""
        return self.secret[:_PUBLIC_CHARACTERS]

    @property
    def digest(self) -> bytes:
        # A fast hash is right here: the secret is 256 random bits, there is nothing to guess slowly.
        return hashlib.sha256(self.secret.encode()).digest()

    def matches(self, digest: bytes) -> bool:
        return hmac.compare_digest(self.digest, digest)


def new_bearer(tenant_id: TenantId) -> Bearer:
    return Bearer(tenant_id, secrets.token_urlsafe(32))


def parse_bearer(text: str) -> Bearer | None:
    """None for anything that is not of our form."""
    found = _FORM.fullmatch(text)
    return Bearer(TenantId(UUID(found[1])), found[2]) if found else None
