from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from syncline.apps.commerce.contract import ChangeQuery, ChangesAssigned, ChangeStatus, NothingToDo
from syncline.apps.commerce.contract.decisions import (
    AssigneeRefused,
    ChangeCount,
    ChangeCounts,
    ChangeNote,
    CountBy,
    Selection,
)
from syncline.apps.commerce.staging import expiry, notes, repository, selected, tally
from syncline.apps.commerce.staging import service as staging
from syncline.apps.commerce.staging.models import staged_change
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import Actor, role_may
from syncline.runtime.audit.trail import record
from syncline.runtime.bus import publish
from syncline.runtime.db.session import Session, WriteSession

LONGEST_NOTE = 2_000
LATEST = timedelta(days=366)
UNDECIDED = (ChangeStatus.PENDING, ChangeStatus.CONFLICT)


async def count(
    session: Session, *, store: str | None, statuses: Sequence[ChangeStatus], by: Sequence[CountBy]
) -> ChangeCounts:
    query = await staging.known_query(session, ChangeQuery(store=store))
    wanted = [name for name in tally.GROUPS if name in set(by)]
    rows = await tally.count_groups(session, wanted or ["status"], store_name=query.store, statuses=statuses)
    groups = [ChangeCount(int(row.changes), **{name: getattr(row, name) for name in wanted}) for row in rows]
    total = sum(one.changes for one in groups)
    return ChangeCounts(total, groups if wanted else [ChangeCount(total)])


async def make_selection(session: WriteSession, query: ChangeQuery, *, actor: Actor) -> Selection:
    query = await staging.known_query(session, query)
    chosen = select(staged_change.c.id).where(repository.matching(session, query))
    made = await selected.add_selection(session, chosen, search=_said(query), created_by=actor.name)
    return await get_selection(session, made)


def _said(query: ChangeQuery) -> str:
    """In the search syntax, as far as it goes, for people."""
    parts = [f"store {query.store}" if query.store else "", f"batch:{query.batch_id}" if query.batch_id else ""]
    parts.append(f"status:{','.join(query.statuses)}" if query.statuses else "")
    parts.append(f"{len(query.ids):,} by their ids" if query.ids else "")
    return " ".join(part for part in (*parts, query.search.strip()) if part)


async def get_selection(session: Session, selection_id: UUID) -> Selection:
    row = await selected.find_selection(session, selection_id)
    if row is None:
        raise staging.no_selection(selection_id)
    counts = await repository.count_by_status(session, ChangeQuery(selection_id=selection_id))
    return Selection(row.id, row.changes, counts, row.search, row.created_by, row.created_at, row.expires_at)


async def add_note(session: WriteSession, query: ChangeQuery, *, actor: Actor, text: str) -> int:
    said = text.strip()
    if not said or len(said) > LONGEST_NOTE:
        raise _wrong("text", f"A note has between 1 and {LONGEST_NOTE:,} characters, this one {len(said):,}.")
    query = await staging.known_query(session, query)
    ids = await repository.hold(session, repository.matching(session, query))
    if not ids:
        raise NothingToDo("No staged change matches, so nothing was noted.")
    await notes.add_notes(session, ids, author=actor.name, text=said)
    staging.tell_moved(query, len(ids), "noted")
    return len(ids)


async def list_notes(session: Session, change_id: UUID) -> Sequence[ChangeNote]:
    change = await staging.get_change(session, change_id)
    found = [ChangeNote(row.author, row.text, row.created_at) for row in await notes.list_notes(session, change_id)]
    is_kept = change.note is None or any(one.text == change.note for one in found)
    return found if is_kept else [ChangeNote(change.author, change.note or "", change.created_at), *found]


def check_assignee(email: str, role: str | None) -> None:
    """`role` is the member's; None for nobody. Raises `AssigneeRefused`."""
    sentence = ""
    if role is None:
        sentence = f"Nobody with the address {email} belongs to this tenant; invite him, or wait until he has accepted."
    elif not role_may(role, "changes:approve"):
        sentence = f"{email} has the role {role}, which may not approve; ask somebody who may, or change the role."
    if sentence:
        raise AssigneeRefused(sentence, fields=[FieldError("assignee", sentence)])


async def assign(
    session: WriteSession, query: ChangeQuery, *, actor: Actor, name: str | None, user_id: UUID | None
) -> int:
    """Whoever is asked is told so, by whatever tells people; who asks himself knows."""
    query = await staging.known_query(session, query)
    is_open = staged_change.c.status.in_(UNDECIDED)
    ids = await repository.hold(session, repository.matching(session, query), is_open)
    if not ids:
        raise await staging.nothing_moved(session, query, "assigned")
    await repository.change_held(session, ids, assignee=name, assignee_id=user_id)
    staging.tell_moved(query, len(ids), "assigned" if name else "assigned to nobody")
    if name is not None and user_id != actor.user_id:
        event = ChangesAssigned(
            assignee=name, asked_by=actor.name, changes=len(ids), store=query.store, batch_id=query.batch_id
        )
        await publish(session, event)
    return len(ids)


async def set_expiry(session: WriteSession, query: ChangeQuery, *, at: datetime | None) -> int:
    if at is not None:
        _check_moment(at)
    query = await staging.known_query(session, query)
    moved = await expiry.set_expiry(session, repository.matching(session, query), at)
    if not moved:
        raise await staging.nothing_moved(session, query, "given a date")
    staging.tell_moved(query, moved, f"expires {at.isoformat()}" if at else "does not expire")
    return moved


def _check_moment(at: datetime) -> None:
    if at.tzinfo is None:
        raise _wrong("at", "Say the moment with its offset, like 2026-12-01T18:00Z.")
    if not clock.now() < at <= clock.now() + LATEST:
        raise _wrong("at", "Choose a moment between now and a year from now; what is to wait for ever needs none.")


def _wrong(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields=[FieldError(field, sentence)])


async def expire_batch(session: WriteSession, batch_id: UUID) -> int:
    """What nobody decided in time. Leaves an entry in the audit trail of the tenant."""
    count = await expiry.expire(session, batch_id, clock.now())
    if count:
        await tally.fold(session)
        actor = Actor(session.tenant, "expiry", "service", method="job")
        subject = f"batch {batch_id}"
        after = {"status": ChangeStatus.EXPIRED.value, "changes": count}
        before = {"status": ChangeStatus.PENDING.value}
        await record(session, actor=actor, action="changes.expire", subject=subject, before=before, after=after)
    return count
