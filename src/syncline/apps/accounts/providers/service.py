"""Decisions about a tenant's own sign-in providers: only owners make them, for whoever does can be anybody here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from syncline.apps.accounts.contract import OwnerNeeded, ProviderNameTaken, ProviderNotFound
from syncline.apps.accounts.members.service import PEOPLES_ROLES, checked_role
from syncline.apps.accounts.people.service import checked_name as checked_title
from syncline.apps.accounts.providers import repository
from syncline.apps.accounts.providers.provider import Provider, checked_issuer, checked_name
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.audit.trail import record
from syncline.runtime.connect.guard import Guard
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.secrets import SecretBox

NEWCOMERS_ROLES = tuple(role for role in PEOPLES_ROLES if role not in {"owner", "admin"})
"""Whoever may add people at the provider must not become an administrator here by it."""


def require_owner(actor: Actor) -> None:
    """Raises `OwnerNeeded`. An administrator who could name a provider could sign in as the owner."""
    if actor.role != "owner":
        raise OwnerNeeded("Only an owner looks after sign-in providers. Ask one.")


def checked(values: dict[str, Any], guard: Guard) -> dict[str, Any]:
    """What of a provider is given, in the form it is kept. Raises `InvalidInput`, `UnknownRole`, `AddressRefused`."""
    rules: dict[str, Callable[[Any], str | None]] = {
        "name": checked_name,
        "title": lambda text: checked_title(text, field="title"),
        "issuer": lambda text: checked_issuer(text, guard),
        "new_people_role": _checked_newcomers_role,
    }
    return {name: rules[name](value) if name in rules else value for name, value in values.items()}


def _checked_newcomers_role(role: str | None) -> str | None:
    if role is None:
        return None
    if checked_role(role) not in NEWCOMERS_ROLES:
        wrong = FieldError("new_people_role", f"must be one of {', '.join(NEWCOMERS_ROLES)}")
        raise InvalidInput("Nobody becomes an owner or administrator by himself. Give a narrower role.", fields=[wrong])
    return role


def draft(values: dict[str, Any], tenant_id: TenantId, *, provider_id: UUID) -> Provider:
    """A provider as it would be, to try it out before it is kept."""
    return Provider(
        key=str(provider_id),
        name=values["name"],
        title=values["title"],
        issuer=values["issuer"],
        client_id=values["client_id"],
        client_secret=values["client_secret"],
        tenant_id=tenant_id,
        new_people_role=values["new_people_role"],
    )


async def create(session: WriteSession, actor: Actor, made: Provider, *, secrets: SecretBox) -> Row[Any]:
    """Raises `ProviderNameTaken`."""
    values = {
        "id": UUID(made.key),
        "tenant_id": session.tenant,
        **_columns(made, secrets),
        "created_at": clock.now(),
        "created_by": actor.name,
    }
    try:
        async with session.begin_nested():
            row = await repository.insert_provider(session, values)
    except IntegrityError as taken:
        raise _taken(made.name) from taken
    await _note(session, actor, "sign_in_provider.create", row.name, after=shown(row))
    return row


async def change(session: WriteSession, actor: Actor, changed: Provider, *, secrets: SecretBox) -> Row[Any]:
    """Raises `ProviderNotFound`, `ProviderNameTaken`."""
    before = await get(session, UUID(changed.key), lock=True)
    try:
        async with session.begin_nested():
            row = await repository.update_provider(session, before.id, _columns(changed, secrets))
    except IntegrityError as taken:
        raise _taken(changed.name) from taken
    await _note(session, actor, "sign_in_provider.change", row.name, before=shown(before), after=shown(row))
    return row


async def delete(session: WriteSession, actor: Actor, provider_id: UUID) -> Row[Any]:
    """Raises `ProviderNotFound`."""
    row = await get(session, provider_id, lock=True)
    await repository.delete_provider(session, provider_id)
    await _note(session, actor, "sign_in_provider.delete", row.name, before=shown(row))
    return row


async def list_rows(session: Session) -> Sequence[Row[Any]]:
    return await repository.list_providers(session)


async def get(session: Session, provider_id: UUID, *, lock: bool = False) -> Row[Any]:
    """Raises `ProviderNotFound`."""
    row = await repository.find_provider(session, provider_id, lock=lock)
    if row is None:
        raise ProviderNotFound(f"There is no sign-in provider {provider_id} here. See GET /api/sign-in-providers.")
    return row


def to_provider(row: Row[Any], secrets: SecretBox | None = None) -> Provider:
    """Without `secrets` its own stays sealed: only exchanging a code takes it."""
    secret = None if row.sealed_secret is None or secrets is None else secrets.open(row.sealed_secret)
    return Provider(
        key=str(row.id),
        name=row.name,
        title=row.title,
        issuer=row.issuer,
        client_id=row.client_id,
        client_secret=secret,
        tenant_id=TenantId(row.tenant_id),
        new_people_role=row.new_people_role,
    )


def shown(row: Row[Any]) -> dict[str, Any]:
    """What people and the trail may see."""
    return {
        "name": row.name,
        "title": row.title,
        "issuer": row.issuer,
        "client_id": row.client_id,
        "client_secret": "none" if row.sealed_secret is None else "set",
        "new_people_role": row.new_people_role,
    }


def _columns(made: Provider, secrets: SecretBox) -> dict[str, Any]:
    return {
        "name": made.name,
        "title": made.title,
        "issuer": made.issuer,
        "client_id": made.client_id,
        "sealed_secret": None if made.client_secret is None else secrets.seal(made.client_secret),
        "new_people_role": made.new_people_role,
    }


def _taken(name: str) -> ProviderNameTaken:
    wrong = FieldError("name", "is taken")
    return ProviderNameTaken(f"There is a sign-in provider “{name}” here. Choose another name.", fields=[wrong])


async def _note(
    session: WriteSession,
    actor: Actor,
    action: str,
    name: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    await record(session, actor=actor, action=action, subject=f"sign-in provider {name}", before=before, after=after)
