from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from syncline.apps.commerce.conflicts import repository
from syncline.apps.commerce.conflicts.repository import RuleRow
from syncline.apps.commerce.contract import ChangeNotReviewable, ChangeQuery, ChangeStatus, NothingToDo
from syncline.apps.commerce.contract.conflicts import (
    Choice,
    ConflictRule,
    ConflictRuleNotFound,
    FieldConflict,
    Settled,
    ThreeWay,
)
from syncline.apps.commerce.fields import get_editable
from syncline.apps.commerce.review.service import get_rule
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.staging import conflicting as staged
from syncline.apps.commerce.staging import service as staging
from syncline.apps.commerce.staging.diff import three_way
from syncline.apps.commerce.staging.merge import conflicting, merge_value, settle
from syncline.apps.commerce.stores import service as stores
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession

EVERY = "*"


async def get_three_way(session: Session, change_id: UUID) -> ThreeWay:
    change = await staging.get_change(session, change_id)
    if change.status is not ChangeStatus.CONFLICT or change.theirs is None:
        raise NothingToDo(f"Change {change_id} is {change.status}, in no conflict; nothing moved under it.")
    batch = await staging.get_batch(session, change.batch_id)
    row = await stores.get(session, batch.store)
    rules = _by_field(await repository.list_rules(session, row.store.id))
    verdicts = three_way(change.before, change.theirs, change.after)
    fields = [
        FieldConflict(
            field=name,
            base=change.before.get(name),
            theirs=change.theirs.get(name),
            ours=ours,
            verdict=verdicts[name].value,
            merged={
                choice: merge_value(name, change.before.get(name), change.theirs.get(name), ours, choice)
                for choice in Choice
            },
            rule=_chosen(rules, name),
        )
        for name, ours in change.after.items()
    ]
    return ThreeWay(change.id, change.label, batch.store, fields)


def _by_field(rules: Sequence[RuleRow]) -> dict[str, RuleRow]:
    """A store's own come last and go before those of all stores."""
    return {row.rule.field: row for row in rules}


def _chosen(rules: Mapping[str, RuleRow], field: str) -> Choice | None:
    row = rules.get(field, rules.get(EVERY))
    return None if row is None else row.rule.choice


async def settle_by_hand(
    session: WriteSession,
    query: ChangeQuery,
    *,
    actor: Actor,
    choices: Mapping[str, Choice],
    otherwise: Choice,
    settings: CommerceSettings,
) -> Settled:
    for field in choices:
        _check_field(field)
    query = await staging.known_query(session, query)
    not_by = actor if (await get_rule(session, settings)).four_eyes else None
    changes = await staged.lock_conflicts(session, query, not_by=[not_by] if not_by else [])
    if not changes:
        own = " that somebody else staged" if not_by else ""
        raise ChangeNotReviewable(f"No conflict{own} matches; `syncline review list --status conflict` shows them.")
    done = [
        await staged.end_conflict(
            session,
            change,
            settle(change.before, change.after, change.theirs or {}, choices, otherwise),
            actor.name,
            None,
        )
        for change in changes
    ]
    which = {name: value for name, value in asdict(query).items() if value}
    told = {"choices": {name: choice.value for name, choice in choices.items()}, "otherwise": otherwise.value}
    note_change("staged changes", after={"status": "conflict settled", "changes": len(done), "which": which, **told})
    return Settled(approved=sum(done), skipped=len(done) - sum(done))


async def settle_by_rules(session: WriteSession, store_id: UUID, *, settings: CommerceSettings) -> Settled:
    """The conflicts of a store whose every field in question has a rule; the others stay for people. Safe to do
    again."""
    rules = _by_field(await repository.list_rules(session, store_id))
    if not rules:
        return Settled(0, 0)
    four_eyes = (await get_rule(session, settings)).four_eyes
    authors = list({row.author for row in rules.values()}) if four_eyes else []
    done: list[bool] = []
    for change in await staged.lock_conflicts_of(session, store_id, not_by=authors):
        theirs = change.theirs or {}
        found = conflicting(change.before, change.after, theirs)
        used = {name: rules.get(name, rules.get(EVERY)) for name in found}
        known = {name: row for name, row in used.items() if row is not None}
        if len(known) < len(used):
            continue
        choices = {name: row.rule.choice for name, row in known.items()}
        settled = settle(change.before, change.after, theirs, choices, Choice.THEIRS)
        reviewer = next((row.author.name for row in known.values()), change.author)
        done.append(
            await staged.end_conflict(session, change, settled, reviewer, _said(known, approved=bool(settled.after)))
        )
    return Settled(approved=sum(done), skipped=len(done) - sum(done))


def _said(used: Mapping[str, RuleRow], *, approved: bool) -> str:
    rules = ", ".join(f"{name}: {row.rule.choice} (set by {row.rule.created_by})" for name, row in sorted(used.items()))
    what = "approved again over the store's value; the next push sends it" if approved else "the store's value stays"
    return f"Moved in the store; settled by rule {rules or 'of its own accord'}: {what}."


async def list_rules(session: Session, store: str | None) -> Sequence[ConflictRule]:
    row = await stores.get(session, store) if store is not None else None
    return [one.rule for one in await repository.list_rules(session, row.store.id if row is not None else None)]


async def set_rule(
    session: WriteSession, *, store: str | None, field: str, choice: Choice, actor: Actor
) -> ConflictRule:
    name = _check_field(field)
    row = await stores.get(session, store) if store is not None else None
    store_id = row.store.id if row is not None else None
    rule_id = await repository.put_rule(session, store_id=store_id, field=name, choice=choice, actor=actor)
    return next(one.rule for one in await repository.list_rules(session, None) if one.rule.id == rule_id)


def _check_field(field: str) -> str:
    if field == EVERY:
        return EVERY
    try:
        return get_editable(field).name
    except InvalidInput as error:
        raise InvalidInput(error.sentence, fields=[FieldError("field", error.sentence)]) from error


async def remove_rule(session: WriteSession, rule_id: UUID) -> None:
    if not await repository.remove_rule(session, rule_id):
        raise ConflictRuleNotFound(f"There is no rule {rule_id}; `syncline conflicts rules` lists them.")
