"""Decisions about identities: whom a provider's word is taken for, and what is linked to whom.

The word of an installation's provider is the operator's: with a confirmed e-mail it links to the account of that
e-mail, if that was confirmed here too (else somebody could register another's address first, and wait). The word of a
tenant's provider is its owner's: it is taken for members of that tenant, and opens that tenant only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import (
    EmailTaken,
    IdentityNotFound,
    IdentityTaken,
    LastWayIn,
    NoAccountYet,
    SignInNotGood,
)
from syncline.apps.accounts.members.repository import find_member
from syncline.apps.accounts.oidc import repository
from syncline.apps.accounts.oidc.id_token import Identity
from syncline.apps.accounts.people import repository as people
from syncline.apps.accounts.people import service as people_service
from syncline.apps.accounts.people.email import checked_email, email_key
from syncline.apps.accounts.providers.provider import Provider
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import Session, WriteSession


async def find_person(db: WriteSession, provider: Provider, identity: Identity) -> tuple[Row[Any], bool]:
    """Whose identity this is, and whether it was linked, or the person made, just now. From here on the transaction
    sees what is his own. Raises `NoAccountYet`."""
    known = await repository.find_identity(db, provider.key, identity.issuer, identity.subject)
    if known is not None:
        user = await people.find_user(db, known.user_id, lock=True)
        assert user is not None  # his identities go with him
        await _require_belongs(db, provider, user)
        await people.see_own(db, user.id)
        await repository.mark_used(db, known.id, clock.now())
        return user, False
    user = await _by_email(db, provider, identity)
    await people.see_own(db, user.id)
    await link(db, user.id, provider, identity)
    return user, True


async def link(db: WriteSession, user_id: UUID, provider: Provider, identity: Identity) -> None:
    """Raises `IdentityTaken` when it is another person's. Linking one's own again changes nothing."""
    now = clock.now()
    values = {
        "id": new_id(),
        "user_id": user_id,
        "provider": provider.key,
        "issuer": identity.issuer,
        "subject": identity.subject,
        "email": identity.email,
        "created_at": now,
        "last_used_at": now,
    }
    if await repository.insert_identity(db, values):
        return
    known = await repository.find_identity(db, provider.key, identity.issuer, identity.subject)
    if known is None or known.user_id != user_id:
        raise IdentityTaken(f"This {provider.title} account is linked to another person here. Unlink it there first.")


async def _by_email(db: WriteSession, provider: Provider, identity: Identity) -> Row[Any]:
    """The account that a first sign-in is taken for, or a new one where the tenant lets people in."""
    if identity.email is None or not identity.email_is_verified:
        raise NoAccountYet(
            f"{provider.title} did not say that your e-mail address is confirmed, so we cannot tell whose account it"
            " is. Sign in another way, and link it under POST /api/auth/identities."
        )
    try:
        address = checked_email(identity.email)
    except InvalidInput as error:
        raise _unknown(provider) from error
    user = await people.find_user_by_email(db, email_key(address))
    if user is None:
        return await _make(db, provider, identity, address)
    await _require_belongs(db, provider, user)
    if user.email_verified_at is None:
        raise NoAccountYet(
            "There is an account with your e-mail address whose owner has not confirmed it. If it is yours, have the"
            " password reset by mail, which confirms it; then sign in again."
        )
    return user


async def _make(db: WriteSession, provider: Provider, identity: Identity, address: str) -> Row[Any]:
    if provider.tenant_id is None or provider.new_people_role is None:
        raise _unknown(provider)
    name = people_service.checked_name((identity.name or address.partition("@")[0])[:100])
    try:
        # Not confirmed: that a tenant's provider says so is no reason for the rest of the installation.
        user = await people_service.make_user(db, email=address, name=name, password_hash=None)
    except EmailTaken as raced:
        raise SignInNotGood("Two sign-ins met. Try again.") from raced
    await people.see_own(db, user.id)
    await people_service.join(db, user.id, provider.new_people_role, created_by=f"the login {provider.name}")
    return user


async def _require_belongs(db: Session, provider: Provider, user: Row[Any]) -> None:
    """For a tenant's provider: it is asked about its own people only. Raises `NoAccountYet`."""
    if provider.tenant_id is not None and await find_member(db, user.id) is None:
        raise _unknown(provider)


def _unknown(provider: Provider) -> NoAccountYet:
    return NoAccountYet(
        f"Nobody is known here by this {provider.title} account. Ask for an invitation; or sign in another way, and"
        " link it under POST /api/auth/identities."
    )


async def list_identities(db: Session, user_id: UUID) -> Sequence[Row[Any]]:
    return await repository.list_identities(db, user_id)


async def get_own(db: Session, user_id: UUID, identity_id: UUID) -> Row[Any]:
    """Raises `IdentityNotFound`, also for somebody else's."""
    listed = await repository.list_identities(db, user_id)
    found = next((one for one in listed if one.id == identity_id), None)
    if found is None:
        raise IdentityNotFound(f"You have no identity {identity_id}. See GET /api/auth/identities.")
    return found


async def unlink(db: WriteSession, user: Row[Any], identity_id: UUID) -> Row[Any]:
    """Raises `IdentityNotFound`, also for somebody else's, and `LastWayIn`. The person is locked: of two at once the
    second sees what is left."""
    listed = await repository.list_identities(db, user.id)
    found = await get_own(db, user.id, identity_id)
    if user.password_hash is None and len(listed) == 1:
        raise LastWayIn(
            "You could not sign in any more. Set a password first: POST /api/auth/forgot-password mails you a link."
        )
    await repository.delete_identity(db, identity_id)
    return found
