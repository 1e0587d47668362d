"""Decisions about profiles: what is changed, and what stands where nothing was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from syncline.apps.accounts.contract import Preferences
from syncline.apps.accounts.people import repository as people
from syncline.apps.accounts.people.service import checked_name
from syncline.apps.accounts.profiles import repository
from syncline.apps.accounts.profiles.preferences import checked
from syncline.kernel import clock
from syncline.runtime.db.session import Session, WriteSession

_COLUMNS = (
    *("locale", "time_zone", "goals", "minutes_a_day", "reminder_times"),
    *("reduced_motion", "high_contrast", "screen_reader", "captions", "text_percent", "extra_time_percent"),
)


async def get(session: Session, user_id: UUID) -> Preferences:
    """Needs `see_own`, or a tenant that he is a member of."""
    return (await get_many(session, [user_id]))[0]


async def get_many(session: Session, user_ids: Sequence[UUID]) -> Sequence[Preferences]:
    """In the order asked; who said nothing, or is nobody here, has the defaults."""
    rows = {row.user_id: row for row in await repository.find_profiles(session, user_ids)}
    return [
        Preferences(user_id=one, **{name: _plain(getattr(rows[one], name)) for name in _COLUMNS})
        if one in rows
        else Preferences(user_id=one)
        for one in user_ids
    ]


async def change(session: WriteSession, user_id: UUID, *, name: str | None, values: Mapping[str, Any]) -> None:
    """Only what is given. Raises `InvalidInput`. Needs `see_own`."""
    changed = checked(values)
    if name is not None:
        await people.update_user(session, user_id, {"name": checked_name(name)})
    if changed:
        standing = Preferences(user_id=user_id)
        defaults = {one: _plain(getattr(standing, one)) for one in _COLUMNS}
        now = {"updated_at": clock.now()}
        await repository.keep_profile(session, {"user_id": user_id, **defaults, **changed, **now}, {**changed, **now})


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
