"""Decisions about retention: which days hold, and what they take away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from syncline.apps.accounts.contract import RetentionRule, RuleNotFound
from syncline.apps.accounts.privacy.retention import repository
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.audit.trail import record
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import PersonalData
from syncline.runtime.privacy.personal_data import RetentionRule as Rule

MOST_DAYS = 36_500
_AT_ONCE = 2_000


def rules_of(apps: Mapping[str, PersonalData]) -> dict[str, Rule]:
    return {rule.name: rule for app in apps.values() for rule in app.rules}


async def list_rules(session: Session, apps: Mapping[str, PersonalData], *, counted: bool) -> Sequence[RetentionRule]:
    """By name."""
    own, rules = await repository.find_days(session), rules_of(apps)
    told = [_to_rule(rule, own.get(name, rule.days)) for name, rule in sorted(rules.items())]
    if not counted:
        return told
    return [replace(one, found=await _found(session, rules[one.name], one.days)) for one in told]


async def _found(session: Session, rule: Rule, days: int | None) -> int:
    return 0 if days is None else await rule.count(session, clock.now() - timedelta(days=days))


async def set_days(
    session: WriteSession, apps: Mapping[str, PersonalData], *, rule: str, days: int | None, actor: Actor
) -> RetentionRule:
    """Raises `RuleNotFound`, `InvalidInput`."""
    known = rules_of(apps).get(rule)
    if known is None:
        raise RuleNotFound(f"There is no retention rule “{rule}”. See `syncline privacy retention`.")
    if days is not None and not known.least_days <= days <= MOST_DAYS:
        raise InvalidInput(
            f"“{rule}” takes {known.least_days} to {MOST_DAYS:,} days, or none at all to keep it for ever.",
            fields=[FieldError("days", f"must be {known.least_days} to {MOST_DAYS}")],
        )
    before = (await repository.find_days(session)).get(rule, known.days)
    values = {
        "tenant_id": session.tenant,
        "rule": rule,
        "days": days,
        "changed_by": actor.name,
        "changed_at": clock.now(),
    }
    await repository.set_days(session, values)
    await record(
        session,
        actor=actor,
        action="retention changed",
        subject=rule,
        before={"days": before},
        after={"days": days},
    )
    return _to_rule(known, days)


async def apply(
    database: Database, tenant_id: TenantId, apps: Mapping[str, PersonalData], *, actor: Actor
) -> Mapping[str, int]:
    """Some thousand rows a transaction, so that nobody waits long for one; a crash in between leaves the rest to the
    next night. How many of each rule, without those that found nothing."""
    now, removed = clock.now(), dict[str, int]()
    async with database.reading(tenant_id) as session:
        own = await repository.find_days(session)
    for name, rule in sorted(rules_of(apps).items()):
        days = own.get(name, rule.days)
        if days is None:
            continue
        gone = _AT_ONCE
        while gone == _AT_ONCE:
            async with database.writing(tenant_id) as session:
                gone = await rule.remove(session, now - timedelta(days=days), _AT_ONCE)
            removed[name] = removed.get(name, 0) + gone
    told = {name: count for name, count in removed.items() if count}
    if told:
        async with database.writing(tenant_id) as session:
            await record(session, actor=actor, action="retention applied", details={"removed": told})
    return told


def _to_rule(rule: Rule, days: int | None) -> RetentionRule:
    return RetentionRule(
        name=rule.name, about=rule.about, days=days, default_days=rule.days, least_days=rule.least_days
    )
