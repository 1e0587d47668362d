"""Names for people that tell nothing: the same for the same address, and made with a secret key, so that nobody finds
them out by trying addresses on a dump."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from syncline.runtime.privacy.subject import Subject


def digests(key: bytes, subject: Subject) -> Sequence[bytes]:
    """HMAC-SHA256 of each address, account and record of his."""
    named = [
        *(f"email:{email}" for email in sorted(subject.emails)),
        *(f"user:{user_id}" for user_id in sorted(subject.user_ids, key=str)),
        *(f"{kind}:{one}" for kind, ids in sorted(subject.records.items()) for one in sorted(ids)),
    ]
    return [digest(key, name) for name in named]


def digest(key: bytes, name: str) -> bytes:
    return hmac.new(key, name.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
