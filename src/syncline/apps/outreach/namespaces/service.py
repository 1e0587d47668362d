from __future__ import annotations

from collections.abc import Sequence

from syncline.apps.outreach.contract import (
    DEFAULT_NAMESPACE,
    BadNamespace,
    MatchedNamespace,
    Namespace,
    NamespaceExists,
    NamespaceNotFound,
    NamespaceStats,
)
from syncline.apps.outreach.namespaces import repository
from syncline.apps.outreach.namespaces.matching import checked_keywords, checked_name, match
from syncline.kernel import clock
from syncline.kernel.errors import FieldError
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession

_DESCRIPTION_MOST = 500


async def create(
    session: WriteSession, *, name: str, keywords: Sequence[str], description: str, made_by: str
) -> Namespace:
    made = _new(checked_name(name), checked_keywords(keywords), _checked_description(description), made_by)
    if not await repository.add(session, made):
        raise NamespaceExists(f"There is a namespace “{name}” already. Change it, or choose another name.")
    note_change(f"namespace {name}", after=made)
    return made


async def ensure(session: WriteSession, name: str, *, made_by: str) -> bool:
    """A namespace of this name, made without keywords if there is none; whether it was made. Raises `BadNamespace`."""
    made = await repository.add(session, _new(checked_name(name, field="namespace"), [], "", made_by))
    if made:
        note_change(f"namespace {name}", after={"name": name, "made": "on first use"})
    return made


async def get(session: Session, name: str) -> Namespace:
    found = await repository.find(session, name)
    if found is None:
        raise _missing(name)
    return found


async def change(
    session: WriteSession,
    name: str,
    *,
    keywords: Sequence[str] | None,
    description: str | None,
    is_active: bool | None,
) -> Namespace:
    before = await get(session, name)
    told = {
        "keywords": None if keywords is None else checked_keywords(keywords),
        "description": None if description is None else _checked_description(description),
        "is_active": is_active,
    }
    values = {name: value for name, value in told.items() if value is not None}
    after = await repository.change(session, name, values, clock.now())
    if after is None:
        raise _missing(name)
    note_change(f"namespace {name}", before=before, after=after)
    return after


async def stats(session: Session, name: str) -> NamespaceStats:
    """Of the default one also before anybody made it: what matches no keyword is in it all the same."""
    if name != DEFAULT_NAMESPACE:
        await get(session, name)
    return await repository.read_stats(session, name)


async def match_campaigns(session: Session, campaigns: Sequence[str]) -> list[MatchedNamespace]:
    known = await repository.list_all(session)
    return [match(campaign, known) for campaign in campaigns]


def _new(name: str, keywords: Sequence[str], description: str, made_by: str) -> Namespace:
    now = clock.now()
    return Namespace(name, keywords, description, is_active=True, created_by=made_by, created_at=now, updated_at=now)


def _checked_description(text: str) -> str:
    if len(text) > _DESCRIPTION_MOST or "\0" in text:
        rule = f"must be at most {_DESCRIPTION_MOST} characters of text"
        raise BadNamespace(f"The description {rule}.", fields=[FieldError("description", rule)])
    return text


def _missing(name: str) -> NamespaceNotFound:
    return NamespaceNotFound(f"There is no namespace “{name[:80]}”. GET /api/namespaces lists them.")
