"""A session by the word of a tenant's own provider is for that tenant only.

The owner of a tenant chooses its provider, and the provider says who somebody is: without this, an owner could be any
of his people in every other tenant they belong to.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncline.apps.accounts.contract import TenantSignInOnly
from syncline.apps.accounts.signin import repository
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.db.session import Session

BY_TENANT = "sso"
"""The method of such a session; `oidc` is that of the installation's own providers."""


def is_confined(methods: Sequence[str]) -> bool:
    return BY_TENANT in methods


async def confined_to(db: Session, actor: Actor) -> TenantId | None:
    """The one tenant this actor's session is for; None when it is for all of his."""
    if actor.session_id is None:
        return None
    methods = await repository.find_methods(db, actor.session_id)
    return actor.tenant_id if methods is not None and is_confined(methods) else None


async def require_unconfined(db: Session, actor: Actor) -> None:
    """Raises `TenantSignInOnly`. Needs `see_own`, or the tenant's session."""
    if await confined_to(db, actor) is not None:
        raise refusal()


def refusal() -> TenantSignInOnly:
    return TenantSignInOnly(
        "You signed in with the login of this tenant, which is good for this tenant only. Sign in with your password to"
        " do this."
    )
