"""Under which name somebody is counted."""

from __future__ import annotations

import hashlib

from syncline.kernel.tenant import Actor, TenantId


def caller(actor: Actor) -> str:
    """A key or a person, in a tenant. By id: two keys may have the same name, and a name may change."""
    return f"{actor.tenant_id.hex}:{_who(actor)}"


def _who(actor: Actor) -> str:
    if actor.key_id is not None:
        return f"key:{actor.key_id.hex}"
    if actor.user_id is not None:
        return f"person:{actor.user_id.hex}"
    # A name is people's data and may be long; a count needs neither.
    return f"name:{hashlib.blake2b(actor.name.encode(errors='replace'), digest_size=12).hexdigest()}"


def tenant(tenant_id: TenantId) -> str:
    return tenant_id.hex
