from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import BinaryIO

from syncline.apps.commerce.contract import SheetRefused
from syncline.apps.commerce.field_text import shortened
from syncline.apps.commerce.nearest import did_you_mean
from syncline.apps.commerce.sheet_contract import MappingNotFound, SheetColumn, SheetMapping
from syncline.apps.commerce.transfer.mapping import repository
from syncline.apps.commerce.transfer.mapping.words import LEFT_OUT, checked, guess, is_known
from syncline.apps.commerce.transfer.metafield_columns import find_title
from syncline.apps.commerce.transfer.opening import open_sheet
from syncline.apps.commerce.transfer.sheet import Sheet, SheetUnreadable
from syncline.apps.commerce.transfer.sheet_columns import KNOWN, Role, plain
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession

MOST_MAPPINGS = 200
MOST_COLUMNS = 1_000
LONGEST_NAME = 100
_LOOKED_AT = 50


async def get(session: Session, name: str) -> SheetMapping:
    found = await repository.find(session, name)
    if found is None:
        known = [one.name for one in await repository.list_all(session)]
        hint = did_you_mean(name, known) if known else " None was kept yet."
        raise MappingNotFound(f"There is no mapping {shortened(name)!r}.{hint}")
    return found


async def keep(session: WriteSession, *, name: str, columns: Mapping[str, str], actor: Actor) -> SheetMapping:
    bare = " ".join(name.split())
    if not bare or len(bare) > LONGEST_NAME:
        raise _wrong("name", f"A mapping needs a name of 1 to {LONGEST_NAME} characters.")
    if not columns or len(columns) > MOST_COLUMNS:
        raise _wrong("columns", f"Say what 1 to {MOST_COLUMNS:,} columns mean, like Artikelnummer=sku.")
    try:
        made = checked(columns)
    except ValueError as error:
        raise _wrong("columns", f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    held = await repository.find(session, bare)
    if held is None and await repository.count(session) >= MOST_MAPPINGS:
        raise _wrong("name", f"There are {MOST_MAPPINGS} mappings; remove one that nobody needs.")
    values = {"columns": made, "changed_by": actor.name, "changed_at": clock.now()}
    await repository.keep(session, held.name if held else bare, values)
    note_change("sheet mapping", before=asdict(held) if held else None, after={"name": bare, "columns": made})
    return await get(session, bare)


async def remove(session: WriteSession, name: str) -> None:
    held = await get(session, name)
    await repository.remove(session, name)
    note_change("sheet mapping", before=asdict(held), after=None)


def describe(file: BinaryIO, *, encoding: str | None, columns: Mapping[str, str], name: str) -> Sequence[SheetColumn]:
    """Raises `SheetRefused` for a file that cannot be read."""
    try:
        sheet = open_sheet(file, encoding=encoding, ignore_unknown=True)
        samples = _samples(sheet)
    except SheetUnreadable as error:
        raise SheetRefused(f"{name} cannot be read. {error.problem.reason}") from error
    mapped = {plain(title): word for title, word in columns.items()}
    taken = {word for word in mapped.values() if word != LEFT_OUT}
    return list(_described(sheet.titles, samples, mapped, taken))


def _described(
    titles: Sequence[str], samples: Sequence[str], mapped: Mapping[str, str], taken: set[str]
) -> Iterator[SheetColumn]:
    for title, sample in zip(titles, samples, strict=True):
        word, how = _meaning(title, mapped)
        if how == "guessed" and word in taken:
            word, how = None, "unknown"
        if word is not None:
            taken.add(word)
        yield SheetColumn(title, word, how, sample)


def _meaning(title: str, mapped: Mapping[str, str]) -> tuple[str | None, str]:
    word = mapped.get(plain(title))
    if word is not None:
        return (None, "left") if word == LEFT_OUT else (word, "mapped")
    if not is_known(title):
        found = guess(title)
        return found, "unknown" if found is None else "guessed"
    metafield = find_title(" ".join(title.split()))
    role, target = KNOWN.get(plain(title), (Role.METAFIELD, metafield.name.field if metafield else ""))
    if role in {Role.LEFT, Role.FACT}:
        return None, "left"
    return _word(role, target), "known"


def _word(role: Role, target: str | int) -> str:
    match role:
        case Role.OPTION_NAME:
            return f"option{int(target) + 1}_name"
        case Role.OPTION_VALUE:
            return f"option{int(target) + 1}_value"
        case Role.IMAGE:
            return "image_url"
        case Role.FIELD | Role.METAFIELD:
            return str(target)
        case _:
            return role.value


def _samples(sheet: Sheet) -> list[str]:
    samples = [""] * len(sheet.titles)
    for _, cells, _ in islice(sheet.lines, _LOOKED_AT):
        for at, cell in enumerate(cells[: len(samples)]):
            samples[at] = samples[at] or shortened(cell)
    return samples


def _wrong(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields=[FieldError(field, sentence)])
