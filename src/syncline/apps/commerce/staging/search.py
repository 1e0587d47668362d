"""The one search syntax of the product: what `--where`, the review list and the API's `search` accept.

| written                            | finds                                                                          |
|------------------------------------|--------------------------------------------------------------------------------|
| `vendor:Acme`                      | the value, without regard to case                                              |
| `status:active,draft`              | any of them                                                                    |
| `type:"Gift card"`                 | a value with blanks; `\\"` `\\,` `\\*` `\\\\` are the character itself         |
| `title:*shirt*`                    | `*` stands for any characters, in quotes too                                   |
| `price:>=10` `price>20`            | numbers, exact; the colon may be left out before `>` and `<`                   |
| `price:10..20` `price:..9.99`      | both ends of a range belong to it, either may be left out                      |
| `before.price<10` `after.price:5`  | of a staged change: what was and what is wanted; `price` alone is `after.price` |
| `percent.price<-20`                | of a staged change: by how many per cent the amount becomes another            |
| `updated_at:>=2026-11-01`          | dates (whole days, UTC) and moments (`2026-11-01T10:00Z`)          |
| `sku:none`                         | no value; `sku:"none"` is the word                                             |
| `-type:"Gift card"`                | not that                                                                       |
| `metafield.custom.material:Wool`   | a metafield of the product, of the variant with `variant_metafield`            |
| `red shirt` `"red shirt"`          | free text: every word, or the phrase, in any of the free-text fields           |

All terms must hold. The result is a small tree of frozen values; whoever holds the rows turns it into a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from syncline.apps.commerce.field_text import shortened
from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.nearest import did_you_mean, join_or
from syncline.apps.commerce.staging.search_scan import Operand, Word, scan
from syncline.kernel.errors import FieldError, InvalidInput

MAX_LENGTH = 20_000
"""Characters of one search; enough for a pasted list of a thousand SKUs."""

_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,6})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_COMPARISON = re.compile(r"(>=|<=|>|<)\s*(.*)", re.DOTALL)
_BOOLEANS = {**dict.fromkeys(("true", "yes"), True), **dict.fromkeys(("false", "no"), False)}


class SearchKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    ENUM = "enum"
    BOOLEAN = "boolean"
    TAG = "tag"
    METAFIELD = "metafield"
    """Text, or a number where it is compared."""
    FIELD = "field"
    """The name of a field: one of the choices, or a metafield."""


class Op(StrEnum):
    """`IS`: any of the values, each a string, a `Pattern`, a number, a boolean, or None for no value. `GT` to `LE`: one
    number or moment. `RANGE`: low and high, either None; the high end belongs to a range of numbers and does not belong
    to one of moments. `TEXT`: one string or `Pattern` anywhere in any free-text field."""

    IS = "is"
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="
    RANGE = "range"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class SearchField:
    """One name that a search may use. `entity` is the record it speaks of (product, variant, inventory_level, change);
    a term on another entity than the listed one holds when it holds for any of its records."""

    name: str
    kind: SearchKind
    entity: str
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """Literal parts with anything between them: `*shirt` is `("", "shirt")`."""

    parts: tuple[str, ...]

    @property
    def like(self) -> str:
        """For SQL `ILIKE … ESCAPE '\\'`."""
        return "%".join(re.sub(r"([%_\\])", r"\\\1", part) for part in self.parts)


SearchValue = str | Pattern | Decimal | datetime | bool | None


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `field` is None for free text. `position` counts characters from 1."""

    field: SearchField | None
    op: Op
    values: tuple[SearchValue, ...]
    negated: bool = False
    position: int = 1


@dataclass(frozen=True, slots=True)
class Search:
    """All terms must hold; no terms is everything."""

    terms: tuple[Term, ...]


def parse_search(text: str, fields: Sequence[SearchField], *, metafields: bool = False) -> Search:
    """`metafields`: they may be searched by too, under the names of their fields.

    Raises `InvalidInput`, with the position in the sentence and in `extra`, for anything that is not clear."""
    if len(text) > MAX_LENGTH:
        raise _wrong(f"A search has at most {MAX_LENGTH:,} characters, this one {len(text):,}", MAX_LENGTH)
    try:
        words = scan(text)
    except ValueError as error:
        sentence, position = error.args
        raise _wrong(sentence, position) from error
    names = _names(fields)
    return Search(tuple(_term(word, names, fields, metafields=metafields) for word in words))


def _wrong(sentence: str, position: int) -> InvalidInput:
    whole = f"{sentence} (at character {position} of the search)."
    return InvalidInput(whole, fields=[FieldError("search", whole)], extra={"position": position})


def _names(fields: Iterable[SearchField]) -> Mapping[str, SearchField]:
    return {name: field for field in fields for name in (field.name, *field.aliases)}


def _term(word: Word, names: Mapping[str, SearchField], fields: Sequence[SearchField], *, metafields: bool) -> Term:
    if word.name is None:
        return Term(None, Op.TEXT, (_text_value(word.operands[0]),), word.negated, word.position)
    field = names.get(word.name.lower()) or (_metafield(word.name) if metafields else None)
    if field is None:
        known = join_or([*(each.name for each in fields), *(["metafield.NAMESPACE.KEY"] if metafields else [])])
        raise _wrong(
            f"There is no search field {word.name!r}.{did_you_mean(word.name, names)} Use {known}; "
            "put a text with a colon in quotes",
            word.position,
        )
    try:
        op, values = _condition(field, word.operands)
    except ValueError as error:
        raise _wrong(f"{field.name}: {error}", word.position) from error
    return Term(field, op, values, word.negated, word.position)


def _metafield(word: str) -> SearchField | None:
    name = find_name(word)
    return SearchField(name.field, SearchKind.METAFIELD, name.owner, nullable=True) if name else None


def _condition(field: SearchField, operands: tuple[Operand, ...]) -> tuple[Op, tuple[SearchValue, ...]]:
    if not any(operand.is_quoted or operand.text for operand in operands):
        msg = "write a value right after the colon, or none for no value"
        raise ValueError(msg)
    if field.kind in {SearchKind.NUMBER, SearchKind.DATE, SearchKind.METAFIELD}:
        special = _comparison(field, operands) or _range(field, operands)
        if special is not None:
            return special
    elif not operands[0].is_quoted and _COMPARISON.fullmatch(operands[0].text):
        msg = f"{operands[0].text[0]} compares numbers and dates only"
        raise ValueError(msg)
    given = [operand for operand in operands if operand.is_quoted or operand.text]
    if field.kind is SearchKind.DATE and not _is_none(field, given[0]):
        if len(given) > 1:
            msg = "write one day, or a range like 2026-11-01..2026-11-30"
            raise ValueError(msg)
        begin, end = _span(given[0].text, given[0].text)
        if begin == end:
            msg = "a moment is compared with > >= < or <=; a day like 2026-11-22 is found as a whole"
            raise ValueError(msg)
        return Op.RANGE, (begin, end)
    return Op.IS, tuple(_value(field, operand) for operand in given)


def _comparison(field: SearchField, operands: tuple[Operand, ...]) -> tuple[Op, tuple[SearchValue, ...]] | None:
    found = None if operands[0].is_quoted else _COMPARISON.fullmatch(operands[0].text)
    if found is None:
        return None
    if len(operands) > 1:
        msg = f"write one value after {found[1]}; the sign for decimals is a point"
        raise ValueError(msg)
    op, text = Op(found[1]), found[2]
    if field.kind is not SearchKind.DATE:
        return op, (_number(text),)
    begin, end = _moments(text)
    if begin == end:
        return op, (begin,)
    # A day is compared as a whole: after it is from its end on, up to and including it is before its end.
    match op:
        case Op.GT | Op.LE:
            return (Op.GE if op is Op.GT else Op.LT), (end,)
        case _:
            return op, (begin,)


def _range(field: SearchField, operands: tuple[Operand, ...]) -> tuple[Op, tuple[SearchValue, ...]] | None:
    low, dots, high = operands[0].text.partition("..")
    if not dots or operands[0].is_quoted:
        return None
    if field.kind is SearchKind.METAFIELD and not all(_NUMBER.fullmatch(end.strip() or "0") for end in (low, high)):
        return None
    if len(operands) > 1 or not (low or high):
        msg = "write one range, like 10..20, 10.. or ..20"
        raise ValueError(msg)
    if field.kind is SearchKind.DATE:
        return Op.RANGE, _span(low, high)
    ends = (_number(low) if low else None, _number(high) if high else None)
    if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
        msg = f"the range ends before it begins; write {high}..{low}"
        raise ValueError(msg)
    return Op.RANGE, ends


def _span(low: str, high: str) -> tuple[datetime | None, datetime | None]:
    """From the beginning of `low` to, not including, the end of `high`."""
    begin = _moments(low)[0] if low else None
    end = _moments(high)[1] if high else None
    if begin is not None and end is not None and begin > end:
        msg = f"the range ends before it begins; write {high}..{low}"
        raise ValueError(msg)
    return begin, end


def _moments(text: str) -> tuple[datetime, datetime]:
    """The beginning and the end of a day, or one moment twice. Without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        return (moment, moment + timedelta(days=1)) if _DAY.fullmatch(text.strip()) else (moment, moment)
    except (ValueError, OverflowError):
        msg = f"{shortened(text)!r} is not a date; write 2026-11-22 or 2026-11-22T10:00"
        raise ValueError(msg) from None


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text.strip()):
        msg = f"{shortened(text)!r} is not a number; write digits with a point, like 12.50"
        raise ValueError(msg)
    return Decimal(text.strip())


def _is_none(field: SearchField, operand: Operand) -> bool:
    if operand.is_quoted or operand.text.lower() != "none":
        return False
    if not field.nullable:
        msg = "every record has one, so none finds nothing"
        raise ValueError(msg)
    return True


def _value(field: SearchField, operand: Operand) -> SearchValue:
    if _is_none(field, operand):
        return None
    match field.kind:
        case SearchKind.NUMBER:
            return _number(operand.text)
        case SearchKind.BOOLEAN:
            return _choice(operand, _BOOLEANS)
        case SearchKind.ENUM:
            return _choice(operand, {choice: choice for choice in field.choices})
        case SearchKind.FIELD:
            name = find_name(operand.text)
            return name.field if name else _choice(operand, {choice: choice for choice in field.choices})
        case SearchKind.DATE:
            msg = "none and a date cannot be in one list"
            raise ValueError(msg)
        case _:
            return _text_value(operand)


def _choice(operand: Operand, choices: Mapping[str, SearchValue]) -> SearchValue:
    word = operand.text.strip().lower()
    if word not in choices:
        msg = (
            f"{shortened(operand.text)!r} is not possible; write {join_or(list(choices))}.{did_you_mean(word, choices)}"
        )
        raise ValueError(msg)
    return choices[word]


def _text_value(operand: Operand) -> str | Pattern:
    return operand.text if len(operand.parts) == 1 else Pattern(operand.parts)
