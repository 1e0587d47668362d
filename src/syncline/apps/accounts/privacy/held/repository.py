"""Every question to this app's tables about one person. Rows of other tenants are never among the answers: what is
bound to a person, and not to a tenant, is named by its tenant in each query."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Table, Text, cast, delete, func, or_, select, update

from syncline.apps.accounts.friends.models import block, friendship, visibility
from syncline.apps.accounts.invitations.models import invitation
from syncline.apps.accounts.kept import forget
from syncline.apps.accounts.keys.models import api_key
from syncline.apps.accounts.mail.models import outgoing_mail
from syncline.apps.accounts.models import tenant
from syncline.apps.accounts.oidc.models import oidc_flow, oidc_identity
from syncline.apps.accounts.people.models import membership, user_account
from syncline.apps.accounts.privacy.erasures.models import erasure
from syncline.apps.accounts.privacy.exports.models import personal_export
from syncline.apps.accounts.privacy.retention.models import retention_setting
from syncline.apps.accounts.profiles.models import profile
from syncline.apps.accounts.providers.models import oidc_provider
from syncline.apps.accounts.recovery.models import one_time_token
from syncline.apps.accounts.signin.models import session as sign_in
from syncline.apps.accounts.signin.models import sign_in_challenge, sign_in_throttle
from syncline.apps.accounts.totp.models import recovery_code, totp_device
from syncline.runtime.db.session import Session, WriteSession

ERASED_PERSON = "an erased person"

AUTHORED = (
    (membership, membership.c.created_by),
    (invitation, invitation.c.created_by),
    (api_key, api_key.c.created_by),
    (personal_export, personal_export.c.requested_by),
    (erasure, erasure.c.requested_by),
    (retention_setting, retention_setting.c.changed_by),
    (oidc_provider, oidc_provider.c.created_by),
)
"""Where this app writes down who did something. `ERASED_PERSON` stands there afterwards."""


async def list_members(session: Session, *, emails: Collection[str], user_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """Accounts of the tenant's members, by address or id; somebody who belongs elsewhere only is not one."""
    query = (
        select(user_account, membership.c.role, membership.c.created_at.label("joined_at"), membership.c.created_by)
        .join(membership, membership.c.user_id == user_account.c.id)
        .where(membership.c.tenant_id == session.tenant)
        .where(or_(user_account.c.email_key.in_(emails), user_account.c.id.in_(user_ids)))
    )
    return (await session.execute(query)).all()


async def count_places(session: Session, user_id: UUID) -> int:
    """In how many tenants the person is. Needs `see_own`."""
    query = select(func.count()).select_from(membership).where(membership.c.user_id == user_id)
    return int(await session.scalar(query) or 0)


async def list_owners(session: Session) -> Sequence[UUID]:
    query = select(membership.c.user_id).where(membership.c.tenant_id == session.tenant, membership.c.role == "owner")
    return (await session.scalars(query)).all()


async def list_sessions(session: Session, user_id: UUID) -> Sequence[Row[Any]]:
    query = select(sign_in).where(sign_in.c.tenant_id == session.tenant, sign_in.c.user_id == user_id)
    return (await session.execute(query.order_by(sign_in.c.id))).all()


async def find_totp(session: Session, user_id: UUID) -> Row[Any] | None:
    query: Select[Any] = select(totp_device.c.created_at, totp_device.c.confirmed_at)
    row: Row[Any] | None = (await session.execute(query.where(totp_device.c.user_id == user_id))).one_or_none()
    return row


async def list_invitations(session: Session, emails: Collection[str]) -> Sequence[Row[Any]]:
    query = select(invitation).where(invitation.c.tenant_id == session.tenant, invitation.c.email_key.in_(emails))
    return (await session.execute(query.order_by(invitation.c.id))).all()


async def list_mails(session: Session, emails: Collection[str]) -> Sequence[Row[Any]]:
    """Without invitations: those are of the tenant that sent them, and a mail does not say which that was."""
    query = select(outgoing_mail).where(_to(emails), outgoing_mail.c.kind != "invitation")
    return (await session.execute(query.order_by(outgoing_mail.c.id))).all()


def _to(emails: Collection[str]) -> ColumnElement[bool]:
    return func.lower(outgoing_mail.c.recipient).in_(emails)


async def list_authored(session: Session, names: Collection[str]) -> Sequence[tuple[str, int]]:
    """Table and how many of its rows say that he made them."""
    found: list[tuple[str, int]] = []
    for table, column in AUTHORED:
        mine = (table.c.tenant_id == session.tenant, column.in_(names))
        count = int(await session.scalar(select(func.count()).select_from(table).where(*mine)) or 0)
        found += [(table.name, count)] if count else []
    return found


async def has_namesake(session: Session, name: str, user_ids: Collection[UUID]) -> bool:
    """Whether another member has the same name, so that a row does not tell which of them it means."""
    query = (
        select(func.count())
        .select_from(user_account)
        .join(membership, membership.c.user_id == user_account.c.id)
        .where(membership.c.tenant_id == session.tenant, user_account.c.name == name)
        .where(user_account.c.id.not_in(user_ids))
    )
    return bool(await session.scalar(query))


async def anonymise_authored(session: WriteSession, names: Collection[str]) -> int:
    changed = 0
    for table, column in AUTHORED:
        query = update(table).where(table.c.tenant_id == session.tenant, column.in_(names))
        changed += await _count(session, query.values({column.name: ERASED_PERSON}), column)
    return changed


async def delete_in_tenant(session: WriteSession, user_id: UUID) -> Mapping[str, int]:
    """His place here and what he signed in with here."""
    forget(user_id)
    counts = {"identity": await _count(session, _identities_here(session, user_id), oidc_identity.c.id)}
    counts["friend"] = await _delete_ties(session, user_id)
    for name, table in (("session", sign_in), ("member", membership)):
        query = delete(table).where(table.c.tenant_id == session.tenant, table.c.user_id == user_id)
        counts[name] = await _count(session, query, table.c.user_id)
    return counts


def _identities_here(session: Session, user_id: UUID) -> Any:
    """At the tenant's own sign-in providers."""
    here = select(cast(oidc_provider.c.id, Text)).where(oidc_provider.c.tenant_id == session.tenant)
    return delete(oidc_identity).where(oidc_identity.c.user_id == user_id, oidc_identity.c.provider.in_(here))


async def _delete_ties(session: WriteSession, user_id: UUID) -> int:
    """Friends, blocks and what he showed; they would go with his place, and are counted here."""
    mine = (
        (friendship, or_(friendship.c.first_id == user_id, friendship.c.second_id == user_id)),
        (block, or_(block.c.blocker_id == user_id, block.c.blocked_id == user_id)),
        (visibility, visibility.c.user_id == user_id),
    )
    counts = [
        await _count(session, delete(table).where(table.c.tenant_id == session.tenant, his), table.c.tenant_id)
        for table, his in mine
    ]
    return sum(counts)


async def delete_invitations(session: WriteSession, emails: Collection[str]) -> int:
    query = delete(invitation).where(invitation.c.tenant_id == session.tenant, invitation.c.email_key.in_(emails))
    return await _count(session, query, invitation.c.id)


async def delete_mails(session: WriteSession, emails: Collection[str]) -> int:
    return await _count(session, delete(outgoing_mail).where(_to(emails)), outgoing_mail.c.id)


async def delete_invitation_mails(session: WriteSession, emails: Collection[str]) -> int:
    """Those of this tenant, which their subject ends in."""
    name = await session.scalar(select(tenant.c.name).where(tenant.c.id == session.tenant))
    ours = outgoing_mail.c.subject.endswith(f" invites you to {name}", autoescape=True)
    query = delete(outgoing_mail).where(_to(emails), outgoing_mail.c.kind == "invitation", ours)
    return await _count(session, query, outgoing_mail.c.id)


async def hide_inviter(session: WriteSession, names: Collection[str]) -> int:
    """In invitations to others, whose subject begins with who invites."""
    changed = 0
    for name in names:
        written = f"{name} invites you to "
        query = (
            update(outgoing_mail)
            .where(outgoing_mail.c.kind == "invitation", outgoing_mail.c.subject.startswith(written, autoescape=True))
            .values(subject=func.replace(outgoing_mail.c.subject, written, f"{ERASED_PERSON.capitalize()} invites to "))
        )
        changed += await _count(session, query, outgoing_mail.c.id)
    return changed


async def delete_throttles(session: WriteSession, digests: Collection[bytes]) -> int:
    query = delete(sign_in_throttle).where(sign_in_throttle.c.account.in_(digests))
    return await _count(session, query, sign_in_throttle.c.account)


async def empty_account(session: WriteSession, user_id: UUID, now: datetime) -> Mapping[str, int]:
    """Where he belongs nowhere any more: nothing is left but an id that nobody has. Needs `see_own`."""
    own: Sequence[tuple[str, Table]] = (
        ("second_step", totp_device),
        ("second_step", recovery_code),
        ("token", one_time_token),
        ("token", sign_in_challenge),
        ("session", sign_in),
        ("profile", profile),
        ("identity", oidc_identity),
        ("identity", oidc_flow),
    )
    counts: dict[str, int] = {}
    for name, table in own:
        query = delete(table).where(table.c.user_id == user_id)
        counts[name] = counts.get(name, 0) + await _count(session, query, table.c.user_id)
    nobody = f"{user_id}@erased.invalid"
    values = {
        "email": nobody,
        "email_key": nobody,
        "name": ERASED_PERSON,
        "password_hash": None,
        "password_changed_at": None,
        "email_verified_at": None,
        "disabled_at": now,
    }
    query_account = update(user_account).where(user_account.c.id == user_id, user_account.c.email_key != nobody)
    return {**counts, "account": await _count(session, query_account.values(**values), user_account.c.id)}


async def _count(session: WriteSession, query: Any, column: Any) -> int:
    return len((await session.execute(query.returning(column))).all())
