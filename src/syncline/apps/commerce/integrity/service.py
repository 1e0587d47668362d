from __future__ import annotations

from collections.abc import Sequence

from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.integrity import repository
from syncline.apps.commerce.integrity.repository import Broken
from syncline.apps.commerce.integrity_contract import IntegrityFinding
from syncline.apps.commerce.mirror.kind import Kind, Parent
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.mirror.repository import find_parents_with_wrong_count
from syncline.apps.commerce.pull.repository import find_live
from syncline.runtime.db.session import Session

_MEND = "Run: syncline reconcile {store}"
_PULLING = "a pull of it is running, and reads parents and children side by side"
_MOST = 50


async def check_store(session: Session, store: Store) -> Sequence[IntegrityFinding]:
    """Every rule, in the order of the kinds of record."""
    busy = _PULLING if await find_live(session, store.id) is not None else None
    found = [await _products(session, store, busy)]
    for kind in KINDS.values():
        for parent in kind.parents:
            found += await _children(session, store, kind, parent, busy)
    return [*found, *await _changes(session, store)]


async def _products(session: Session, store: Store, busy: str | None) -> IntegrityFinding:
    rule = "products have variants"
    if busy is not None:
        return _left_out(rule, busy)
    broken = await repository.find_products_without_variants(session, store.id)
    return _finding(rule, broken, _MEND.format(store=store.name))


async def _children(
    session: Session, store: Store, kind: Kind, parent: Parent, busy: str | None
) -> list[IntegrityFinding]:
    """Grave where parent and child are read together. Streams of their own are read at different moments, and a record
    that was made between them has its parent with the next pull."""
    ones, other = kind.name.replace("_", " "), parent.kind.replace("_", " ")
    there, living = f"every {ones} has its {other}", f"no {ones} outlives its {other}"
    counted = [f"every {other} has as many {ones}s as it says"] if parent.counted_in is not None else []
    if busy is None and not await repository.is_held(session, store.id, parent.kind):
        busy = f"no {other} was ever read of it"
    if busy is not None:
        return [_left_out(rule, busy) for rule in (there, living, *counted)]
    grave, mend = kind.stream == KINDS[parent.kind].stream, _MEND.format(store=store.name)
    alone = await repository.find_alone(session, store.id, kind, parent, buried=False)
    outlived = await repository.find_alone(session, store.id, kind, parent, buried=True)
    wrong = [await _count_wrong(session, store, kind, parent) for _ in counted]
    return [
        _finding(there, alone, mend, is_grave=grave),
        _finding(living, outlived, mend, is_grave=grave),
        *(_finding(rule, broken, mend) for rule, broken in zip(counted, wrong, strict=True)),
    ]


async def _count_wrong(session: Session, store: Store, kind: Kind, parent: Parent) -> Broken:
    wrong = await find_parents_with_wrong_count(session, store.id, kind, parent, limit=_MOST)
    return Broken(len(wrong), [str(number) for number in wrong[:10]])


async def _changes(session: Session, store: Store) -> list[IntegrityFinding]:
    again = f"Run: syncline push {store.name}"
    return [
        _finding(
            "staged changes belong to a batch",
            await repository.find_changes_without_batch(session, store.id),
            "Nobody can review them any more; please report it.",
        ),
        _finding(
            "changes are being sent only while a push runs",
            await repository.find_stuck_changes(session, store.id),
            again,
        ),
        _finding(
            "receipts have an outcome",
            await repository.find_open_receipts(session, store.id),
            again,
        ),
        _finding(
            "changes that wait are of products that exist",
            await repository.find_changes_of_gone_products(session, store.id),
            f"Their products are gone from the store. Look, then: syncline review reject --store {store.name}",
            is_grave=False,
        ),
        _finding(
            "changes that wait are of collections that exist",
            await repository.find_changes_of_gone_collections(session, store.id),
            f"Their collections are gone from the store. Look, then: syncline review reject --store {store.name}",
            is_grave=False,
        ),
        _finding(
            "staged changes are as many as their counts say",
            await repository.find_miscounted_changes(session, store.id),
            "What is shown as a count is wrong, the changes are not; please report it.",
        ),
    ]


def _finding(rule: str, broken: Broken, advice: str, *, is_grave: bool = True) -> IntegrityFinding:
    return IntegrityFinding(rule, broken.count, tuple(broken.examples), advice, is_grave)


def _left_out(rule: str, reason: str) -> IntegrityFinding:
    return IntegrityFinding(rule, 0, (), "", is_grave=False, left_out=reason)
