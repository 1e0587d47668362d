"""Decides who may approve. The operator's word holds everywhere; a tenant may only ask for more."""

from __future__ import annotations

from syncline.apps.commerce.review import repository
from syncline.apps.commerce.review_contract import ReviewRule
from syncline.apps.commerce.settings import CommerceSettings
from syncline.kernel import clock
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession


async def get_rule(session: Session, settings: CommerceSettings) -> ReviewRule:
    row = await repository.find_rule(session)
    is_fixed = not settings.author_may_approve
    if row is None:
        return ReviewRule(four_eyes=is_fixed, is_fixed=is_fixed)
    return ReviewRule(row.four_eyes or is_fixed, is_fixed, row.changed_by, row.changed_at)


async def set_rule(session: WriteSession, settings: CommerceSettings, *, actor: Actor, four_eyes: bool) -> ReviewRule:
    before = await get_rule(session, settings)
    values = {"four_eyes": four_eyes, "changed_by": actor.name, "changed_at": clock.now()}
    await repository.keep_rule(session, values)
    after = await get_rule(session, settings)
    note_change("review rule", before={"four_eyes": before.four_eyes}, after={"four_eyes": after.four_eyes})
    return after
