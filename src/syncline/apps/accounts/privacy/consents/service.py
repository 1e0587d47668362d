"""Decisions about consents: what a line of the history says, and which line is the last word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import DO_NOT_SELL, Choices, Consent, SubjectRef, SubjectUnclear
from syncline.apps.accounts.members.repository import find_member
from syncline.apps.accounts.people.email import email_key
from syncline.apps.accounts.people.repository import find_user
from syncline.apps.accounts.privacy.consents import repository
from syncline.apps.accounts.privacy.subjects import named
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import Session, WriteSession

_LONGEST = 200


async def record(
    session: WriteSession,
    *,
    actor: Actor,
    ref: SubjectRef,
    document: str,
    version: str,
    is_given: bool,
    method: str,
    at: datetime | None,
) -> Consent:
    """Raises `SubjectUnclear`, `InvalidInput`."""
    now = clock.now()
    if at is not None and at > now:
        raise InvalidInput("A consent cannot be from the future.", fields=[FieldError("at", "must not be later")])
    values = {
        "id": new_id(),
        "tenant_id": session.tenant,
        "subject_id": await _ensure_subject(session, ref),
        "document": _said(document, "document"),
        "version": _said(version, "version"),
        "is_given": is_given,
        "method": _said(method, "method"),
        "at": at or now,
        # This row can never be changed, so it holds no name of a person: his id, which tells nothing once he is erased.
        "recorded_by": actor.name if actor.user_id is None else f"user {actor.user_id}",
        "recorded_at": now,
    }
    return _to_consent(await repository.insert_consent(session, values))


async def choose_sale(
    session: WriteSession, *, actor: Actor, ref: SubjectRef, may_not_be_sold: bool, method: str
) -> Choices:
    """The history says it too, where consent to the sale is given or withdrawn."""
    await record(
        session,
        actor=actor,
        ref=ref,
        document=DO_NOT_SELL,
        version="1",
        is_given=may_not_be_sold,
        method=method,
        at=None,
    )
    await repository.set_sale(session, await _ensure_subject(session, ref), may_not_be_sold=may_not_be_sold)
    return await choices_of(session, ref)


async def choices_of(session: Session, ref: SubjectRef) -> Choices:
    email, record_name = await _names(session, ref)
    row = await repository.find_subject(session, email_key=email, record=record_name)
    if row is None:
        return Choices()
    history = [_to_consent(one) for one in await repository.list_consents(session, [row.id])]
    return Choices(standing=_last_words(history), history=history, may_not_be_sold=row.may_not_be_sold)


def _last_words(history: Sequence[Consent]) -> Sequence[Consent]:
    newest: dict[str, Consent] = {}
    for one in history:
        newest.setdefault(one.document, one)
    return [newest[document] for document in sorted(newest)]


async def _names(session: Session, ref: SubjectRef) -> tuple[str | None, str | None]:
    """The address or the record under which he is kept: a person by his address, however he was named."""
    subject = named(ref)
    if ref.email is not None:
        return email_key(ref.email), None
    if ref.user_id is not None:
        user = await find_user(session, ref.user_id) if await find_member(session, ref.user_id) is not None else None
        if user is None:
            raise SubjectUnclear(f"There is no member {ref.user_id} here. See `syncline users list`.")
        return str(user.email_key), None
    ((record_name,),) = subject.records.values()
    return None, record_name


async def _ensure_subject(session: WriteSession, ref: SubjectRef) -> UUID:
    email, record_name = await _names(session, ref)
    values = {
        "id": new_id(),
        "tenant_id": session.tenant,
        "email_key": email,
        "record": record_name,
        "may_not_be_sold": False,
        "created_at": clock.now(),
    }
    return await repository.ensure_subject(session, values)


def _said(text: str, field: str) -> str:
    words = " ".join(text.split())
    if not 1 <= len(words) <= _LONGEST:
        raise InvalidInput(
            f"Give the {field} in 1 to {_LONGEST} characters.",
            fields=[FieldError(field, f"must have 1 to {_LONGEST} characters")],
        )
    if "@" in words:
        raise InvalidInput(
            f"Leave addresses out of the {field}: this history cannot be changed, not even by an erasure.",
            fields=[FieldError(field, "must hold no address")],
        )
    return words


def _to_consent(row: Row[Any]) -> Consent:
    return Consent(
        id=row.id,
        document=row.document,
        version=row.version,
        is_given=row.is_given,
        method=row.method,
        at=row.at,
        recorded_by=row.recorded_by,
        recorded_at=row.recorded_at,
    )
