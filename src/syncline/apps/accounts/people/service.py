"""Decisions about people: who gets an account, and which tenant a new one owns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from syncline.apps.accounts.contract import EmailTaken, Person, PersonNeeded, Place, Tenant
from syncline.apps.accounts.people import repository
from syncline.apps.accounts.people.email import email_key
from syncline.apps.accounts.repository import insert_tenant, list_slugs_like, list_tenants
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.db.session import Session, WriteSession

_NAME_CHARACTERS = 100
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def checked_name(text: str, *, field: str = "name") -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= _NAME_CHARACTERS:
        raise InvalidInput(
            f"Give a name of 1 to {_NAME_CHARACTERS} characters.",
            fields=[FieldError(field, f"must have 1 to {_NAME_CHARACTERS} characters")],
        )
    return name


def checked_domain(text: str) -> str:
    """`summer.myshopify.com`, also from the address of its admin pages. Raises `InvalidInput`."""
    domain = text.strip().casefold().removeprefix("https://").removeprefix("http://").split("/", 1)[0]
    if not _DOMAIN.fullmatch(domain):
        raise InvalidInput(
            "This is not a shop's domain. Give one like summer.myshopify.com.",
            fields=[FieldError("shopDomain", "must be a domain like summer.myshopify.com")],
        )
    return domain


async def make_user(
    session: WriteSession, *, email: str, name: str, password_hash: str | None, is_verified: bool = False
) -> Row[Any]:
    """Raises `EmailTaken`; two at once for one address are told apart by the database."""
    now = clock.now()
    values = {
        "id": new_id(),
        "email": email,
        "email_key": email_key(email),
        "name": name,
        "password_hash": password_hash,
        "password_changed_at": now if password_hash else None,
        "email_verified_at": now if is_verified else None,
        "created_at": now,
    }
    try:
        async with session.begin_nested():
            return await repository.insert_user(session, values)
    except IntegrityError as taken:
        raise EmailTaken(
            "There is an account with this e-mail. Sign in, or have its password reset.",
            fields=[FieldError("email", "has an account")],
        ) from taken


async def make_tenant(session: WriteSession, *, shop_domain: str) -> Tenant:
    """The session's own tenant, named after the shop. Who owns the shop is not proved by this: connecting it does."""
    stem = shop_domain.partition(".")[0]
    taken = set(await list_slugs_like(session, stem))
    slug = stem
    if slug in taken:
        # Random and not counted up: a number would tell how many have registered the same shop.
        slug = f"{stem}-{new_id().hex[-6:]}"
    tenant = Tenant(session.tenant, slug, stem, clock.now())
    await insert_tenant(
        session,
        {
            "id": tenant.id,
            "slug": slug,
            "name": tenant.name,
            "shop_domain": shop_domain,
            "created_at": tenant.created_at,
        },
    )
    return tenant


async def join(session: WriteSession, user_id: UUID, role: str, *, created_by: str) -> None:
    """Makes a person a member of the session's tenant."""
    await repository.insert_membership(
        session, user_id=user_id, role=role, created_by=created_by, created_at=clock.now()
    )


@dataclass(frozen=True, slots=True)
class ActorFacts:
    person: Person | None
    place: Place
    places: Sequence[Place]


async def describe(session: Session, actor: Actor, *, only_here: bool = False) -> ActorFacts:
    """Who an actor is, and where else he may go: nowhere, when his session is for this tenant only."""
    (here,) = await list_tenants(session, [actor.tenant_id])
    place = Place(to_tenant(here), actor.role)
    if actor.user_id is None:
        return ActorFacts(None, place, (place,))
    await repository.see_own(session, actor.user_id)
    user = await repository.find_user(session, actor.user_id)
    assert user is not None
    rows = await repository.list_places(session, actor.user_id)
    places = [to_place(row) for row in rows if not only_here or row.id == actor.tenant_id]
    return ActorFacts(to_person(user), place, places)


def person_of(actor: Actor) -> UUID:
    """Raises `PersonNeeded` for a key."""
    if actor.user_id is None:
        raise PersonNeeded("A key belongs to no person. Sign in to do this.")
    return actor.user_id


async def see_own_of(session: Session, actor: Actor) -> UUID:
    """The person an actor is, whose own rows the transaction sees from here on. Raises `PersonNeeded`."""
    user_id = person_of(actor)
    await repository.see_own(session, user_id)
    return user_id


def to_person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        email=row.email,
        name=row.name,
        email_verified=row.email_verified_at is not None,
        has_password=row.password_hash is not None,
        created_at=row.created_at,
    )


def to_place(row: Row[Any]) -> Place:
    return Place(to_tenant(row), row.role)


def to_tenant(row: Row[Any]) -> Tenant:
    return Tenant(TenantId(row.id), row.slug, row.name, row.created_at)
