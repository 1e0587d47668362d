"""Under which name somebody is counted."""

from __future__ import annotations

import hashlib

from syncline.kernel.tenant import TenantId


def caller(tenant_id: TenantId, name: str) -> str:
    """A key or a person of a tenant. Names are people's data and may be long; a count needs neither."""
    return f"{tenant_id.hex}:{hashlib.blake2b(name.encode(errors='replace'), digest_size=12).hexdigest()}"


def tenant(tenant_id: TenantId) -> str:
    return tenant_id.hex
