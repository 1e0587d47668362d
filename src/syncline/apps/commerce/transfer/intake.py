"""A sheet on its way into a batch: what the mirror says just so is settled by one question for each chunk, the rest is
read row by row and staged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from uuid import UUID

from syncline.apps.commerce.contract import ImportProblem, Store
from syncline.apps.commerce.nearest import nearest
from syncline.apps.commerce.products.service import propose_deletions
from syncline.apps.commerce.staging.repository import Proposal as StagedProposal
from syncline.apps.commerce.staging.repository import add_changes
from syncline.apps.commerce.transfer import repository
from syncline.apps.commerce.transfer.chunk_table import Layout, Stock
from syncline.apps.commerce.transfer.chunks import Chunk, HandlesReturn
from syncline.apps.commerce.transfer.comparing import Question, question_of
from syncline.apps.commerce.transfer.matching import Matcher, Proposal
from syncline.apps.commerce.transfer.metafield_cells import MetafieldTypes
from syncline.apps.commerce.transfer.problems import Problem, Severity
from syncline.apps.commerce.transfer.product_csv import SheetReading
from syncline.apps.commerce.transfer.product_rows import SheetBatch
from syncline.apps.commerce.transfer.row_index import RowIndex
from syncline.apps.commerce.transfer.sheet_columns import Role
from syncline.runtime.connect.paging import one_ahead
from syncline.runtime.db.session import WriteSession

NAMED = 1_000
"""Problems listed one by one; the counts are always whole."""

_SUGGESTED = 50
"""Unknown handles that get a suggestion: beyond it the sheet is of another store."""


@dataclass(slots=True)
class Tally:
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
class Intake:
    """Where a sheet goes. `open` begins to read it anew; `place` is the location its quantities are meant for, `places`
    are all locations by name, `types` the types that each metafield has in the store. With `creates` a product that
    the store does not have is to be made. `heard` is told of every problem, also of those beyond the ones listed."""

    session: WriteSession
    store: Store
    batch_id: UUID
    author: str
    open: Callable[[], SheetReading]
    place: int | None
    places: dict[str, int]
    progress: Callable[[int, int], None] | None
    types: Mapping[str, Sequence[str]] = field(default_factory=dict)
    creates: bool = False
    heard: Callable[[Sequence[Problem]], None] | None = None

    async def take(self) -> Tally:
        """Stage what the sheet would change. A handle that stands in several places of the sheet is read at all of
        them, and where that shows only later, all that was done is taken back and done again."""
        try:
            async with self.session.begin_nested():
                return await _Taking(self, self.open()).run(None)
        except HandlesReturn:
            returning = await asyncio.to_thread(self.open().survey)
            return await _Taking(self, self.open()).run(returning)


class _Suggester:
    """Handles that look like one the store does not have; they are fetched when the first is asked for."""

    def __init__(self) -> None:
        self.handles: Sequence[str] | None = None
        self._left = _SUGGESTED

    def near(self, handle: str) -> Sequence[str]:
        self._left -= 1
        return nearest(handle, self.handles or (), 3) if self._left >= 0 else ()


class _Taking:
    def __init__(self, intake: Intake, reading: SheetReading) -> None:
        self._intake = intake
        self._reading = reading
        self._suggester = _Suggester()
        self._matcher = Matcher(
            location_id=intake.place,
            near_handles=self._suggester.near,
            locations=intake.places,
            metafields=MetafieldTypes.of([] if reading.is_stopped else reading.columns, intake.types),
            creates=intake.creates,
        )
        self._fields = _fields_of(reading)
        self._tally = Tally()

    async def run(self, returning: RowIndex | None) -> Tally:
        async with aclosing(one_ahead(self._asked(returning))) as chunks:
            async for chunk, question in chunks:
                settled = await self._settle(question)
                batches = self._reading.read(chunk, settled)
                while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                    await self._take(batch)
                self._tally.rows = chunk.rows
                if self._intake.progress is not None:
                    self._intake.progress(chunk.rows, chunk.position)
        batch = self._reading.last()
        await self._take(batch)
        if self._intake.progress is not None:
            self._intake.progress(self._tally.rows, batch.position)
        return self._tally

    async def _asked(self, returning: RowIndex | None) -> AsyncGenerator[tuple[Chunk, Question | None], None]:
        chunks = self._reading.chunks(returning=returning)
        layout = (
            None
            if self._reading.is_stopped
            else Layout.of(self._reading.columns, self._reading.rows, self._intake.store.currency)
        )

        def advance() -> tuple[Chunk, Question | None] | None:
            chunk = next(chunks, None)
            if chunk is None or layout is None:
                return None
            stock = Stock(self._intake.place, self._matcher.has_told_of_stock, self._intake.places)
            return chunk, question_of(layout, chunk, stock)

        while (item := await asyncio.to_thread(advance)) is not None:
            yield item

    async def _settle(self, question: Question | None) -> frozenset[int]:
        """The products of a chunk that nobody has to read, and which the tally has now."""
        if question is None:
            return frozenset()
        intake = self._intake
        unlike = await repository.find_unlike(intake.session, intake.store, question, places=intake.places)
        settled = frozenset(question.settled).difference(unlike)
        named = {number: images for number, images in question.images.items() if number in settled}
        settled -= await repository.find_unshown(intake.session, intake.store.id, named)
        for number in settled:
            self._tally.unchanged += question.settled[number].unchanged
            self._tally.products += question.settled[number].is_said
        return settled

    async def _take(self, batch: SheetBatch) -> None:
        intake, tally = self._intake, self._tally
        mirror = await repository.find_products(
            intake.session, intake.store, [sheet.handle for sheet in batch.products], fields=self._fields
        )
        if self._suggester.handles is None and not all(sheet.handle in mirror for sheet in batch.products):
            self._suggester.handles = await repository.list_handles(intake.session, intake.store.id)
        matched = await asyncio.to_thread(self._matcher.match, batch.products, mirror)
        tally.rows = batch.rows
        tally.products += len(batch.products)
        tally.unchanged += matched.unchanged
        found = [*batch.problems, *matched.problems]
        tally.add(found)
        if intake.heard is not None:
            intake.heard(found)
        async for deletions in propose_deletions(intake.session, intake.store, matched.deletions):
            tally.staged += await self._stage(deletions)
        if matched.proposals:
            tally.staged += await self._stage(map(_staged, matched.proposals))

    async def _stage(self, proposals: Iterable[StagedProposal]) -> int:
        intake = self._intake
        return await add_changes(
            intake.session,
            batch_id=intake.batch_id,
            store_id=intake.store.id,
            author=intake.author,
            note=None,
            proposals=proposals,
        )


def _fields_of(reading: SheetReading) -> frozenset[str]:
    """Those that the sheet has columns for, and those that their matching looks at."""
    if reading.is_stopped:
        return frozenset()
    found = {str(column.target) for column in reading.columns if column.role in {Role.FIELD, Role.METAFIELD}}
    found |= {"images"} if any(column.role is Role.IMAGE for column in reading.columns) else set()
    weighs = "weight_unit" in found or any(column.role is Role.GRAMS for column in reading.columns)
    return frozenset(found | {"weight", "weight_unit"} if weighs else found)


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
