"""Decides who may approve. The operator's word holds everywhere; a tenant may only ask for more."""

from __future__ import annotations

from syncline.apps.commerce.review import repository
from syncline.apps.commerce.review_contract import ReviewRule
from syncline.apps.commerce.settings import CommerceSettings
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession

MOST_DAYS = 365


async def get_rule(session: Session, settings: CommerceSettings) -> ReviewRule:
    row = await repository.find_rule(session)
    is_fixed = not settings.author_may_approve
    if row is None:
        return ReviewRule(four_eyes=is_fixed, is_fixed=is_fixed)
    return ReviewRule(row.four_eyes or is_fixed, is_fixed, row.changed_by, row.changed_at, row.expire_after_days)


async def set_rule(
    session: WriteSession,
    settings: CommerceSettings,
    *,
    actor: Actor,
    four_eyes: bool | None = None,
    expire_after_days: int | None = None,
) -> ReviewRule:
    if expire_after_days is not None and not 0 <= expire_after_days <= MOST_DAYS:
        sentence = f"Choose between 1 and {MOST_DAYS} days, or 0 for never."
        raise InvalidInput(sentence, fields=[FieldError("expire_after_days", sentence)])
    before = await get_rule(session, settings)
    values = {
        "four_eyes": before.four_eyes if four_eyes is None else four_eyes,
        "expire_after_days": before.expire_after_days if expire_after_days is None else expire_after_days or None,
        "changed_by": actor.name,
        "changed_at": clock.now(),
    }
    await repository.keep_rule(session, values)
    after = await get_rule(session, settings)
    note_change("review rule", before=_told(before), after=_told(after))
    return after


def _told(rule: ReviewRule) -> dict[str, object]:
    return {"four_eyes": rule.four_eyes, "expire_after_days": rule.expire_after_days}
