"""`PersonalData` of accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from syncline.apps.accounts.friends import service as friends
from syncline.apps.accounts.oidc import service as identities
from syncline.apps.accounts.people.repository import see_own
from syncline.apps.accounts.privacy.consents import repository as consents
from syncline.apps.accounts.privacy.held import repository
from syncline.apps.accounts.privacy.held.retention import RULES
from syncline.apps.accounts.profiles import service as profiles
from syncline.apps.accounts.signin.throttle import account_digest
from syncline.kernel import clock
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import Counts, Holding, Record, RetentionRule
from syncline.runtime.privacy.subject import Subject

_LAST_OWNER = (
    "This is the last owner of the tenant. Make somebody else an owner first: syncline users role EMAIL owner."
)
_STAYS = "stays: with the person it says nothing of anybody"
HOLDINGS = (
    Holding(
        "account",
        "The account of a person: address, name, password hash",
        "emptied when this was his last tenant; else it stays, for it is his in the others",
    ),
    Holding("member", "His place and role in the tenant", "removed"),
    Holding("session", "Where he is or was signed in: address and device", "removed, which signs him out"),
    Holding("second_step", "The seed of his codes (sealed) and recovery codes (hashed)", "removed with the account"),
    Holding("profile", "Language, time zone, learning preferences, accessibility", "removed with the account"),
    Holding(
        "identity",
        "Identities at sign-in providers: subject and address",
        "removed with the account; those at the tenant's own providers with his place",
    ),
    Holding("friend", "Friends, blocks, and who may see what of him, in the tenant", "removed"),
    Holding("token", "Tokens mailed to him (hashed)", "removed with the account"),
    Holding("invitation", "Invitations to his address", "removed"),
    Holding("mail", "Mails written to his address (kept for 30 days)", "removed"),
    Holding("throttle", "Failed sign-ins, under a hash of his address", "removed"),
    Holding("authored", "His name on what he made: keys, invitations, memberships", "becomes “an erased person”"),
    Holding("subject", "His address beside consents and choices", "removed"),
    Holding("consent", "What he agreed to, when and how", _STAYS),
    Holding("export", "Exports of his data that wait to be fetched", "removed"),
)


class AccountsData:
    @property
    def holdings(self) -> Sequence[Holding]:
        return HOLDINGS

    @property
    def rules(self) -> Sequence[RetentionRule]:
        return RULES

    async def identify(self, session: Session, subject: Subject) -> Subject:
        """A customer's address is nobody's account, unless the person himself is meant."""
        if not subject.is_person:
            return subject
        for row in await _members(session, subject):
            alone = not await repository.has_namesake(session, row.name, [row.id])
            subject = subject.known_as(emails=[row.email_key], user_ids=[row.id], names=[row.name] if alone else [])
        return subject

    async def objections(self, session: Session, subject: Subject) -> Sequence[str]:
        mine = {row.id for row in await _members(session, subject)} if subject.is_person else set()
        owners = set(await repository.list_owners(session))
        if mine & owners and owners <= mine:
            return [_LAST_OWNER]
        return ()

    async def export(self, session: Session, subject: Subject) -> AsyncIterator[Record]:
        for held in await _kept(session, subject):
            values = {"email": held.email_key, "record": held.record, "may_not_be_sold": held.may_not_be_sold}
            yield Record("subject", {**values, "created_at": held.created_at})
            for row in await consents.list_consents(session, [held.id]):
                yield Record("consent", _plain(row, without={"id", "tenant_id", "subject_id"}))
        if not subject.is_person:
            return
        for member in await _members(session, subject):
            async for record in _of_member(session, member):
                yield record
        for row in await repository.list_invitations(session, subject.emails):
            yield Record("invitation", _plain(row, without={"tenant_id", "digest"}))
        for table, count in await repository.list_authored(session, subject.names):
            yield Record("authored", {"table": table, "rows": count})

    async def erase(self, session: WriteSession, subject: Subject, *, keep_out: bool) -> Counts:
        del keep_out  # nothing of it comes again from outside
        now, counts = clock.now(), Counter[str]()
        known = await _kept(session, subject)
        if known:
            counts["subject"] = await consents.forget_subjects(session, [row.id for row in known], now)
        if not subject.is_person:
            return counts
        for member in await _members(session, subject):
            await see_own(session, member.id)
            is_last = await repository.count_places(session, member.id) == 1
            counts.update(await repository.delete_in_tenant(session, member.id))
            if is_last:
                counts.update(await repository.empty_account(session, member.id, now))
                counts["mail"] += await repository.delete_mails(session, [member.email_key])
                counts["throttle"] += await repository.delete_throttles(session, [account_digest(member.email_key)])
        counts["invitation"] += await repository.delete_invitations(session, subject.emails)
        counts["mail"] += await repository.delete_invitation_mails(session, subject.emails)
        counts["authored"] += await repository.anonymise_authored(session, subject.names)
        counts["mail"] += await repository.hide_inviter(session, subject.names)
        return counts


async def _members(session: Session, subject: Subject) -> Sequence[Row[Any]]:
    return await repository.list_members(session, emails=subject.emails, user_ids=subject.user_ids)


async def _of_member(session: Session, member: Row[Any]) -> AsyncIterator[Record]:
    """His sessions in other tenants are none of this one's business."""
    yield Record(
        "account",
        {
            "id": member.id,
            "email": member.email,
            "name": member.name,
            "has_password": member.password_hash is not None,
            "password_changed_at": member.password_changed_at,
            "email_verified_at": member.email_verified_at,
            "created_at": member.created_at,
            "disabled_at": member.disabled_at,
        },
    )
    yield Record("member", {"role": member.role, "joined_at": member.joined_at, "added_by": member.created_by})
    for row in await repository.list_sessions(session, member.id):
        yield Record("session", _plain(row, without={"tenant_id", "user_id"}))
    await see_own(session, member.id)
    device = await repository.find_totp(session, member.id)
    if device is not None:
        yield Record("second_step", _plain(device))
    said = await profiles.get(session, member.id)
    yield Record("profile", {name: value for name, value in asdict(said).items() if name != "user_id"})
    for row in await identities.list_identities(session, member.id):
        yield Record("identity", _plain(row, without={"user_id"}))
    for tie in await friends.list_acquaintances(session, member.id):
        yield Record("friend", asdict(tie))
    for row in await repository.list_mails(session, [member.email_key]):
        yield Record("mail", _plain(row, without={"sealed_text"}))


async def _kept(session: Session, subject: Subject) -> Sequence[Row[Any]]:
    """Under what consents are kept: addresses, and records as people name them. The address of a customer is left alone
    where it is a member's too, for then it is the member's consent."""
    emails, records = subject.emails, [one for ids in subject.records.values() for one in ids]
    if not subject.is_person and emails:
        rows = await repository.list_members(session, emails=emails, user_ids=())
        emails = emails - {row.email_key for row in rows}
    return await consents.list_subjects(session, email_keys=sorted(emails), records=sorted(records))


def _plain(row: Row[Any], *, without: frozenset[str] | set[str] = frozenset()) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name not in without}  # noqa: SLF001 - public name


PERSONAL_DATA = AccountsData()
