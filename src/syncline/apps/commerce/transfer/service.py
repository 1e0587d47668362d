from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import BinaryIO

from syncline.apps.commerce.contract import ImportResult, Overlap, SheetRefused, Store
from syncline.apps.commerce.mirror.naming import list_metafield_names
from syncline.apps.commerce.mirror.repository import list_locations
from syncline.apps.commerce.nearest import did_you_mean, join_or
from syncline.apps.commerce.sheet_contract import MarkedSheet
from syncline.apps.commerce.staging.overlap import drop_batch, settle
from syncline.apps.commerce.staging.repository import add_batch, find_batch
from syncline.apps.commerce.transfer.intake import Intake, Tally
from syncline.apps.commerce.transfer.mapping import service as mappings
from syncline.apps.commerce.transfer.marking import Found, mark
from syncline.apps.commerce.transfer.opening import open_sheet
from syncline.apps.commerce.transfer.problems import Problem
from syncline.apps.commerce.transfer.product_csv import SheetReading
from syncline.apps.commerce.transfer.sheet import SheetUnreadable
from syncline.kernel.errors import InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import Session, WriteSession


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`keep_good` stages the rows without errors and leaves the others; without it one error refuses the sheet.
    `create` has products made that the store does not have; `mapping` is the name of one that was kept."""

    keep_good: bool = False
    ignore_unknown: bool = False
    encoding: str | None = None
    location: str | None = None
    create: bool = False
    mapping: str | None = None


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


def _result(tally: Tally) -> ImportResult:
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


def _refusal(tally: Tally, options: ImportOptions) -> SheetRefused:
    one = tally.errors == 1
    advice = (
        "The file cannot be read to its end, so nothing of it is staged."
        if tally.stopped
        else "Mend the sheet, or stage the rows without errors with --keep-good."
    )
    found = f"{tally.errors:,} {'error' if one else 'errors'} in {tally.rows:,} rows"
    sentence = f"The sheet has {found}; nothing was staged. {advice}"
    return SheetRefused(sentence, extra={"result": asdict(_result(tally)), "keep_good": options.keep_good})


async def _intake(
    session: WriteSession,
    *,
    store: Store,
    file: BinaryIO,
    name: str,
    actor: Actor,
    options: ImportOptions,
    progress: Callable[[int, int], None] | None = None,
    heard: Callable[[Sequence[Problem]], None] | None = None,
) -> Intake:
    place = await _location(session, store, options.location)
    metafields = await list_metafield_names(session, store.id)
    mapping = None if options.mapping is None else (await mappings.get(session, options.mapping)).columns
    batch_id = await add_batch(session, store_id=store.id, kind="import", summary=f"Import of {name}", author=actor)
    return Intake(
        session=session,
        store=store,
        batch_id=batch_id,
        author=actor.name,
        open=partial(
            SheetReading,
            file,
            currency=store.currency,
            encoding=options.encoding,
            ignore_unknown=options.ignore_unknown,
            metafields=[one.field for one in metafields],
            mapping=mapping,
        ),
        types={one.field: types for one, types in metafields.items()},
        place=place,
        places={title: number for number, title in await list_locations(session, store.id)},
        progress=progress,
        creates=options.create,
        heard=heard,
    )


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
    intake = await _intake(session, store=store, file=file, name=name, actor=actor, options=options, progress=progress)
    tally = await intake.take()
    if tally.errors and (tally.stopped or not options.keep_good):
        raise _refusal(tally, options)
    overlap = await settle(session, store_id=store.id, batch_id=intake.batch_id) if tally.staged else Overlap()
    batch = await find_batch(session, intake.batch_id) if tally.staged else None
    staged = sum(batch.counts.values()) if batch is not None else 0
    if not staged:
        await drop_batch(session, intake.batch_id)
    kept = replace(batch, overlap=overlap) if batch is not None and staged else None
    return replace(_result(tally), batch=kept, staged=staged, overlap=overlap)


async def examine(
    session: WriteSession, *, store: Store, file: BinaryIO, actor: Actor, options: ImportOptions
) -> Found:
    """All that is wrong with a sheet; what it would stage is taken back."""
    found = Found()

    def heard(problems: Sequence[Problem]) -> None:
        found.add(problems)

    async with session.begin_nested() as all_of_it:
        intake = await _intake(
            session, store=store, file=file, name="a check", actor=actor, options=options, heard=heard
        )
        # A sheet that is read twice, because a handle came back, is heard twice.
        first = intake.open

        def anew() -> SheetReading:
            found.clear()
            return first()

        await replace(intake, open=anew).take()
        await all_of_it.rollback()
    return found


def mark_copy(file: BinaryIO, found: Found, out: BinaryIO, options: ImportOptions) -> MarkedSheet:
    """Raises `SheetRefused` for a file of which nothing can be read."""
    file.seek(0)
    try:
        sheet = open_sheet(file, encoding=options.encoding, ignore_unknown=True)
    except SheetUnreadable as error:
        raise SheetRefused(f"The sheet cannot be read. {error.problem.reason}") from error
    return mark(sheet, found, out)
