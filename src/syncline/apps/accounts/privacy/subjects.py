"""Finds out whom somebody means, and by what else every app knows him."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from secrets import token_hex

from syncline.apps.accounts.contract import SubjectRef, SubjectUnclear
from syncline.apps.accounts.people.email import checked_email, email_key
from syncline.apps.accounts.privacy import repository
from syncline.kernel import clock
from syncline.kernel.errors import FieldError
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import PersonalData
from syncline.runtime.privacy.pseudonyms import digests
from syncline.runtime.privacy.subject import Subject
from syncline.runtime.secrets import SecretBox

CUSTOMER = "customer"
"""Records named as people name them: `<store>/<number>`. The app that has stores knows which they are."""


def named(ref: SubjectRef) -> Subject:
    """Raises `SubjectUnclear` unless exactly one way was used, and used whole."""
    ways = (ref.email is not None, ref.user_id is not None, ref.store is not None or ref.customer is not None)
    if sum(ways) != 1 or (ways[2] and (ref.store is None or ref.customer is None)):
        raise SubjectUnclear(
            "Say whom it is about in one way: an e-mail address, the id of a person, or a store and the number of its"
            " customer.",
            fields=[FieldError("subject", "needs email, or userId, or store and customer")],
        )
    if ref.email is not None:
        return Subject(emails=frozenset({email_key(checked_email(ref.email))}))
    if ref.user_id is not None:
        return Subject(user_ids=frozenset({ref.user_id}))
    return Subject(records={CUSTOMER: frozenset({f"{ref.store}/{ref.customer}"})}, is_person=False)


async def identified(session: Session, apps: Mapping[str, PersonalData], subject: Subject) -> Subject:
    """With what every app knows of him. Twice, because what one finds may lead another further."""
    for _ in range(2):
        for app in apps.values():
            subject = await app.identify(session, subject)
    return subject


async def references(session: Session, secrets: SecretBox, subject: Subject) -> Sequence[bytes]:
    """Keyed digests of all his names; none while the tenant has no key, for then nothing can have been kept under
    one."""
    sealed = await repository.find_key(session)
    return [] if sealed is None else digests(bytes.fromhex(secrets.open(sealed)), subject)


async def ensure_references(session: WriteSession, secrets: SecretBox, subject: Subject) -> Sequence[bytes]:
    """The same, making the tenant's key when it is the first time."""
    if await repository.find_key(session) is None:
        values = {
            "tenant_id": session.tenant,
            "sealed_key": secrets.seal(token_hex(32)),
            "created_at": clock.now(),
        }
        await repository.insert_key(session, values)
    return await references(session, secrets, subject)
