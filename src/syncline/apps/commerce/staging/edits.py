"""Bulk edits as people write them (`price=+10%~.99`, `tags=+sale,-old`), and what each makes of one record.

| written                              | means                                                                        |
|--------------------------------------|------------------------------------------------------------------------------|
| `price=19.99`                        | this amount                                                                  |
| `price=+2` `price=-5` `price=+10%`   | that much more or less                                                       |
| `price=*1.2`                         | times                                                                        |
| `price=+10%~.99`                     | then to the nearest amount that ends in .99; `~80` where there is no point   |
| `price=+10%~.99 up` `price=+7%~down` | to the next one over it; rounded down to the minor unit, not half up         |
| `compare_at_price=price`             | the value of another amount, which may be adjusted: `price=cost*2.5~.95`     |
| `compare_at_price=none`              | cleared; `none` in quotes is the word                                        |
| `tags=+sale,-old` `tags=a,b`         | add and remove; replace all                                                  |
| `inventory=+5` `inventory=10@Main`   | adjust or set the available quantity, at one location when it is named       |
| `title="New title"` `status=draft`   | this value                                                                   |
| `metafield.custom.material=Wool`     | this metafield of the product, in the type it has in this store              |
| `metafield.custom.fit:boolean=true`  | made in this type where there is none                                        |
| `variant_metafield.custom.size=none` | this metafield of the variant deleted                                        |
| `metafield.custom.uses=a,"b, c"`     | a list; JSON is taken as it is                                               |
| `collections=+summer,-winter`        | the product put into a collection and taken out of one, by handle            |
| `collection_title="Summer"`          | a collection's own field                                                     |
| `image_alt="Front view"`             | of every image of the products found                                         |
| `images=+https://shop.example/a.jpg` | an image added; `"+https://shop.example/a.jpg Front view"` with its alt text  |
| `images=-2` `images=-id:38,-id:39`   | the second image taken away; those of these ids; all with `-all`             |
| `image_order=3,1`                    | the third image put first, then the first, then the others                   |

Adjusting a value that is not there leaves it so. Nothing here reads or writes anything: `apply` is a function of its
arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from syncline.apps.commerce.field_text import (
    check_tags,
    check_text,
    parse_quantity,
    parse_value,
    shortened,
)
from syncline.apps.commerce.fields import (
    FIELDS,
    AnyValue,
    Field,
    Kind,
    Owner,
    Value,
    get_editable,
    get_field,
    same_value,
)
from syncline.apps.commerce.staging.diff import render_value
from syncline.apps.commerce.staging.gallery_edits import (
    ChangeImages,
    OrderImages,
    describe_images,
    describe_order,
    parse_images_edit,
    parse_order_edit,
)
from syncline.apps.commerce.staging.membership_edits import (
    ChangeMembership,
    describe_membership,
    parse_membership_edit,
)
from syncline.apps.commerce.staging.metafield_edits import (
    SetMetafield,
    metafield_after,
    parse_metafield_edit,
    split_type,
)
from syncline.apps.commerce.staging.money_edits import AdjustMoney, adjusted_money, describe_money, parse_money_edit
from syncline.apps.commerce.staging.quoted import split_list, unquoted
from syncline.kernel.errors import FieldError, InvalidInput

_QUANTITY_STEP = re.compile(r"([+-])\s*(\d{1,10})")


@dataclass(frozen=True, slots=True)
class SetValue:
    """The field becomes `value`. `location` narrows an inventory edit to the location of that name."""

    field: str
    value: Value
    location: str | None = None


@dataclass(frozen=True, slots=True)
class AdjustQuantity:
    """That many pieces more, or fewer when below zero."""

    field: str
    by: int
    location: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeTags:
    """Tags to add and to remove, matched without regard to case; a tag that is there already keeps its spelling."""

    field: str
    add: tuple[str, ...]
    remove: tuple[str, ...]


Edit = (
    SetValue | AdjustMoney | AdjustQuantity | ChangeTags | SetMetafield | ChangeMembership | ChangeImages | OrderImages
)


def owner_of(edit: Edit) -> Owner:
    """Which kind of record the edit changes."""
    return get_field(edit.field).owner


def location_of(edit: Edit) -> str | None:
    """The location an inventory edit names; None when it names none."""
    return edit.location if isinstance(edit, SetValue | AdjustQuantity) else None


def fields_read(edits: Iterable[Edit]) -> frozenset[str]:
    """Fields of a record, without metafields, that `apply` looks at."""
    sources = {edit.source for edit in edits if isinstance(edit, AdjustMoney)}
    return frozenset({edit.field for edit in edits} | sources) & FIELDS.keys()


def edits_for(owner: Owner, edits: Iterable[Edit]) -> tuple[Edit, ...]:
    return tuple(edit for edit in edits if owner_of(edit) is owner)


def parse_edits(expressions: Sequence[str], *, currency: str) -> tuple[Edit, ...]:
    """All `field=value` expressions of one command. Raises `InvalidInput` listing every expression that is wrong, and
    for one that repeats another's field."""
    edits: list[Edit] = []
    errors: list[FieldError] = []
    for expression in expressions:
        try:
            edit = parse_edit(expression, currency=currency)
        except InvalidInput as error:
            errors.append(FieldError(expression, error.sentence))
            continue
        if any(_overlap(edit, other) for other in edits):
            errors.append(
                FieldError(expression, f"{shortened(expression)!r} sets {edit.field} a second time; keep one.")
            )
        edits.append(edit)
    if not expressions:
        errors.append(FieldError("set", "Nothing to change: write at least one edit, like price=+10%."))
    if errors:
        raise InvalidInput(" ".join(error.message for error in errors), fields=errors)
    return tuple(edits)


def _overlap(one: Edit, other: Edit) -> bool:
    if one.field != other.field:
        return False
    here, there = location_of(one), location_of(other)
    return here is None or there is None or here.casefold() == there.casefold()


def parse_edit(expression: str, *, currency: str) -> Edit:
    """One `field=value` expression. Raises `InvalidInput` with a sentence that says what to write."""
    written, equals, text = expression.partition("=")
    if not equals:
        raise _wrong(expression, "write field=value, like price=19.99")
    name, kind = split_type(written.strip())
    field = get_editable(name)
    text = text.strip()
    if not text:
        raise _wrong(expression, f"write {field.name}=none to clear it" if _clearable(field) else "write a value")
    try:
        if field.kind is Kind.METAFIELD:
            return parse_metafield_edit(field, kind, text)
        if field.owner is Owner.COLLECTION_MEMBERSHIP:
            return parse_membership_edit(field.name, text)
        if field.kind is Kind.MEDIUM:
            return parse_images_edit(field.name, text)
        if field.kind is Kind.ORDER:
            return parse_order_edit(field.name, text)
        return _parse_value(field, text, currency)
    except ValueError as error:
        raise _wrong(expression, str(error)) from error


def _wrong(expression: str, advice: str) -> InvalidInput:
    sentence = f"{shortened(expression, 60)!r} cannot be used: {advice}."
    return InvalidInput(sentence, fields=[FieldError(expression, sentence)])


def _clearable(field: Field) -> bool:
    return (field.nullable and field.kind is not Kind.MEDIUM) or (
        field.kind in {Kind.TEXT, Kind.HTML, Kind.TAGS} and not field.required
    )


def _parse_value(field: Field, text: str, currency: str) -> Edit:
    if field.kind is Kind.INTEGER:
        return _parse_quantity(field, text)
    if text.lower() == "none":
        if not _clearable(field):
            msg = f"the {field.label} cannot be cleared; write a value"
            raise ValueError(msg)
        return SetValue(field.name, None if field.nullable else [] if field.kind is Kind.TAGS else "")
    match field.kind:
        case Kind.MONEY:
            edit = parse_money_edit(field, text, currency)
            return SetValue(field.name, edit) if isinstance(edit, str) else edit
        case Kind.TAGS:
            return _parse_tags(field, text)
        case Kind.TEXT | Kind.HTML:
            return SetValue(field.name, check_text(field, unquoted(text)))
        case _:
            return SetValue(field.name, parse_value(field, unquoted(text), currency))


def _parse_quantity(field: Field, text: str) -> Edit:
    amount, at, place = text.partition("@")
    location = unquoted(place.strip()) or None
    if at and location is None:
        msg = "name the location after @, like 10@Main warehouse"
        raise ValueError(msg)
    return parse_quantity_edit(field.name, amount, location)


def parse_quantity_edit(field: str, text: str, location: str | None) -> SetValue | AdjustQuantity:
    """`10` sets, `+5` and `-5` adjust. Raises `ValueError`."""
    step = _QUANTITY_STEP.fullmatch(text.strip())
    if step is not None:
        by = parse_quantity(step[2])
        return AdjustQuantity(field, by if step[1] == "+" else -by, location)
    return SetValue(field, parse_quantity(text), location)


def _parse_tags(field: Field, text: str) -> Edit:
    parts = [part for part in split_list(text) if part.text]
    signs = {part.text[0] if not part.is_quoted and part.text[0] in "+-" else "" for part in parts}
    if "" not in signs and signs:
        add = check_tags([part.text[1:] for part in parts if part.text[0] == "+"])
        remove = check_tags([part.text[1:] for part in parts if part.text[0] == "-"])
        both = {tag.casefold() for tag in add} & {tag.casefold() for tag in remove}
        if both or not (add or remove):
            msg = (
                f"{', '.join(sorted(both))} cannot be added and removed at once" if both else "name a tag after + or -"
            )
            raise ValueError(msg)
        return ChangeTags(field.name, tuple(add), tuple(remove))
    if len(signs) > 1:
        msg = "give every tag a + or a -, or none of them to replace all tags; put a tag that begins so in quotes"
        raise ValueError(msg)
    return SetValue(field.name, check_tags([part.text for part in parts]))


def apply(
    edits: Iterable[Edit], current: Mapping[str, AnyValue], currency: str, *, row: str = ""
) -> dict[str, AnyValue]:
    """What `edits` make of one record: the fields whose value becomes another one, and nothing else.

    `current` holds the record's fields, all read before any is changed, so that `compare_at_price=price price=-10%`
    keeps the old price. An inventory level also holds `location`, its location's name. Edits of other kinds of record
    (fields that `current` does not hold) and of other locations are passed over. `row` names the record in an error.

    Raises `InvalidInput` when a result cannot be: an amount or a stock taken below zero, too many tags, a price from
    nothing.
    """
    changes: dict[str, AnyValue] = {}
    for edit in edits:
        if edit.field not in current or _is_elsewhere(edit, current):
            continue
        try:
            after = _result(edit, current, currency)
        except ValueError as error:
            sentence = f"{row or _name(current)}: {error}."
            raise InvalidInput(sentence, fields=[FieldError(edit.field, sentence)]) from error
        if not same_value(edit.field, current[edit.field], after):
            changes[edit.field] = after
    return changes


def _is_elsewhere(edit: Edit, current: Mapping[str, AnyValue]) -> bool:
    location = location_of(edit)
    return location is not None and location.casefold() != str(current.get("location", "")).casefold()


def _name(current: Mapping[str, AnyValue]) -> str:
    return str(current.get("sku") or current.get("handle") or current.get("title") or "This record")


def _result(edit: Edit, current: Mapping[str, AnyValue], currency: str) -> AnyValue:
    match edit:
        case SetValue():
            return edit.value
        case AdjustMoney():
            return adjusted_money(edit, current, currency)
        case AdjustQuantity():
            return _adjusted_quantity(edit, current[edit.field])
        case ChangeTags():
            return _changed_tags(edit, current[edit.field])
        case SetMetafield():
            return metafield_after(edit, current[edit.field])
        case ChangeMembership() | ChangeImages() | OrderImages():
            # No record has a field of that name: what collections hold and products show is staged one by one.
            return current[edit.field]


def _adjusted_quantity(edit: AdjustQuantity, value: AnyValue) -> AnyValue:
    if not isinstance(value, int):
        return value
    after = value + edit.by
    if edit.by < 0 and after < 0:
        msg = f"the available quantity would go from {value} to {after}, below zero; set a number instead"
        raise ValueError(msg)
    return after


def _changed_tags(edit: ChangeTags, value: AnyValue) -> Value:
    remove = {tag.casefold() for tag in edit.remove}
    kept = [tag for tag in (value if isinstance(value, list) else []) if tag.casefold() not in remove]
    there = {tag.casefold() for tag in kept}
    return check_tags([*kept, *(tag for tag in edit.add if tag.casefold() not in there)])


def describe(edit: Edit, currency: str) -> str:
    """The edit as a clause for a batch's summary: `price raised by 10 %, ending in .99`."""
    label = get_field(edit.field).label
    place = location_of(edit)
    at = f" at {place}" if place else ""
    match edit:
        case ChangeMembership():
            return describe_membership(edit)
        case ChangeImages():
            return describe_images(edit)
        case OrderImages():
            return describe_order(edit)
        case SetMetafield(text=text):
            return f"{label} deleted" if text is None else f"{label} set to {render_value(text)}"
        case SetValue(value=None):
            return f"{label} cleared"
        case SetValue(value=list() as tags):
            return f"{label} replaced by {', '.join(tags)}" if tags else f"all {label} removed"
        case SetValue():
            return f"{label} set to {render_value(edit.value)}{at}"
        case AdjustQuantity():
            return f"{label} {'raised' if edit.by >= 0 else 'lowered'} by {abs(edit.by)}{at}"
        case ChangeTags():
            parts = [("added", edit.add), ("removed", edit.remove)]
            return ", ".join(f"{label} {', '.join(tags)} {verb}" for verb, tags in parts if tags)
        case AdjustMoney():
            return f"{label} {describe_money(edit, currency)}"
