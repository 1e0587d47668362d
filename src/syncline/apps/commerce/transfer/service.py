from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import BinaryIO
from uuid import UUID

from syncline.apps.commerce.contract import ImportProblem, ImportResult, SheetRefused, Store
from syncline.apps.commerce.mirror.repository import list_locations
from syncline.apps.commerce.nearest import did_you_mean, join_or, nearest
from syncline.apps.commerce.staging.repository import Proposal as StagedProposal
from syncline.apps.commerce.staging.repository import add_batch, add_changes, find_batch
from syncline.apps.commerce.transfer import repository
from syncline.apps.commerce.transfer.matching import Matched, Matcher, Proposal
from syncline.apps.commerce.transfer.problems import Problem, Severity
from syncline.apps.commerce.transfer.product_csv import SheetBatch, read_products
from syncline.kernel.errors import InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import Session, WriteSession

NAMED = 1_000
"""Problems listed one by one; the counts are always whole."""

_SUGGESTED = 50
"""Unknown handles that get a suggestion: beyond it the sheet is of another store."""


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    products: int = 0
    staged: int = 0
    unchanged: int = 0
    errors: int = 0
    notes: int = 0
    stopped: bool = False
    problems: list[ImportProblem] = field(default_factory=list)

    def add(self, problems: Sequence[Problem]) -> None:
        for problem in problems:
            is_error = problem.severity is Severity.ERROR
            self.errors += is_error
            self.notes += not is_error
            self.stopped = self.stopped or problem.stops
            if len(self.problems) < NAMED:
                self.problems.append(
                    ImportProblem(
                        row=problem.row,
                        column=problem.column,
                        value=problem.value,
                        reason=problem.reason,
                        severity=problem.severity.value,
                    )
                )


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`keep_good` stages the rows without errors and leaves the others; without it one error refuses the sheet."""

    keep_good: bool = False
    ignore_unknown: bool = False
    encoding: str | None = None
    location: str | None = None


async def _location(session: Session, store: Store, name: str | None) -> int | None:
    """The location the sheet's quantities are for: the named one, or the only one."""
    known = await list_locations(session, store.id)
    if name is None:
        return known[0][0] if len(known) == 1 else None
    for number, title in known:
        if title.casefold() == name.casefold():
            return number
    titles = [title for _, title in known]
    if not titles:
        raise InvalidInput(f"{store.name} has no location {name!r}: none is mirrored yet; pull the store first.")
    raise InvalidInput(f"{store.name} has no location {name!r}.{did_you_mean(name, titles)} It has {join_or(titles)}.")


def _suggester(handles: Sequence[str]) -> Callable[[str], Sequence[str]]:
    left = _SUGGESTED

    def near(handle: str) -> Sequence[str]:
        nonlocal left
        left -= 1
        return nearest(handle, handles, 3) if left >= 0 else ()

    return near


def _staged(proposal: Proposal) -> StagedProposal:
    return StagedProposal(
        kind=proposal.owner.value,
        resource_id=proposal.id,
        location_id=proposal.location_id,
        product_id=proposal.product_id,
        label=proposal.label,
        before={change.field: change.before for change in proposal.changes},
        after={change.field: change.after for change in proposal.changes},
    )


def _result(tally: _Tally) -> ImportResult:
    return ImportResult(
        batch=None,
        rows=tally.rows,
        products=tally.products,
        staged=tally.staged,
        unchanged=tally.unchanged,
        errors=tally.errors,
        notes=tally.notes,
        problems=tuple(tally.problems),
        problems_cut=tally.errors + tally.notes > len(tally.problems),
    )


def _refusal(tally: _Tally, options: ImportOptions) -> SheetRefused:
    one = tally.errors == 1
    advice = (
        "The file cannot be read to its end, so nothing of it is staged."
        if tally.stopped
        else "Mend the sheet, or stage the rows without errors with --keep-good."
    )
    found = f"{tally.errors:,} {'error' if one else 'errors'} in {tally.rows:,} rows"
    sentence = f"The sheet has {found}; nothing was staged. {advice}"
    return SheetRefused(sentence, extra={"result": asdict(_result(tally)), "keep_good": options.keep_good})


async def import_sheet(
    session: WriteSession,
    *,
    store: Store,
    file: BinaryIO,
    name: str,
    actor: Actor,
    options: ImportOptions,
    progress: Callable[[int, int], None] | None = None,
) -> ImportResult:
    """Compare a sheet with the mirror and stage what differs, all in the caller's transaction.

    A blank cell changes nothing. Raises `SheetRefused`, with every problem in `extra`, when there are errors and good
    rows were not asked for. `progress` is told rows and bytes read.
    """
    place = await _location(session, store, options.location)
    batch_id = await add_batch(session, store_id=store.id, kind="import", summary=f"Import of {name}", author=actor)
    matcher: Matcher | None = None
    tally = _Tally()
    batches = read_products(
        file, currency=store.currency, encoding=options.encoding, ignore_unknown=options.ignore_unknown
    )
    while (batch := await asyncio.to_thread(_next, batches)) is not None:
        if matcher is None:
            handles = await repository.list_handles(session, store.id)
            places = {name: number for number, name in await list_locations(session, store.id)}
            matcher = Matcher(location_id=place, near_handles=_suggester(handles), locations=places)
        await _take(session, store, matcher, batch, tally, batch_id=batch_id, actor=actor)
        if progress is not None:
            progress(batch.rows, batch.position)
    if tally.errors and (tally.stopped or not options.keep_good):
        raise _refusal(tally, options)
    staged = await find_batch(session, batch_id) if tally.staged else None
    if staged is None:
        await repository.drop_batch(session, batch_id)
    result = _result(tally)
    values = {name: getattr(result, name) for name in ImportResult.__dataclass_fields__}
    return ImportResult(**{**values, "batch": staged})


def _next(batches: Iterator[SheetBatch]) -> SheetBatch | None:
    return next(batches, None)


async def _take(
    session: WriteSession,
    store: Store,
    matcher: Matcher,
    batch: SheetBatch,
    tally: _Tally,
    *,
    batch_id: UUID,
    actor: Actor,
) -> None:
    mirror = await repository.find_products(
        session, store.id, [sheet.handle for sheet in batch.products], currency=store.currency
    )
    matched: Matched = matcher.match(batch.products, mirror)
    tally.rows = batch.rows
    tally.products += len(batch.products)
    tally.unchanged += matched.unchanged
    tally.add([*batch.problems, *matched.problems])
    if matched.proposals:
        tally.staged += await add_changes(
            session,
            batch_id=batch_id,
            store_id=store.id,
            author=actor.name,
            note=None,
            proposals=map(_staged, matched.proposals),
        )
