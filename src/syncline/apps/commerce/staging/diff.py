"""What differs between two states of a record, who changed it, and how that reads on one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from syncline.apps.commerce.fields import FIELDS, AnyValue, Kind, find_field, get_field, same_value
from syncline.apps.commerce.gallery import bare, is_shown
from syncline.apps.commerce.whole_product import described

State = Mapping[str, AnyValue]

_ORDER = {name: place for place, name in enumerate(FIELDS)}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one record. `before` is what the store said when the change was made."""

    field: str
    before: AnyValue
    after: AnyValue


class Verdict(StrEnum):
    """What three states of one field say: nobody or both changed it alike, one side did, or both did differently."""

    SAME = "same"
    OURS = "ours"
    THEIRS = "theirs"
    CONFLICT = "conflict"


def _known(*states: State) -> Iterator[str]:
    """The fields that any of `states` holds, in the catalogue's order, then metafields; ids, times and the like are no
    fields."""
    held = {name for state in states for name in state if find_field(name) is not None}
    return iter(sorted(held, key=lambda name: (_ORDER.get(name, len(_ORDER)), name)))


def changed_fields(before: State, after: State) -> list[FieldChange]:
    """The fields given in `after` whose value means something else than in `before`. A field that `after` does not
    hold is not touched; one that `before` does not hold was null."""
    return [
        FieldChange(name, before.get(name), after[name])
        for name in _known(after)
        if not same_value(name, before.get(name), after[name])
    ]


def applied(before: State, changes: list[FieldChange]) -> dict[str, AnyValue]:
    """`before` with every change made."""
    return {**before, **{change.field: change.after for change in changes}}


def three_way(base: State, theirs: State, ours: State) -> dict[str, Verdict]:
    """For each field of any state: who moved it away from `base`. A side that does not hold a field left it as it
    was."""
    verdicts = {}
    for name in _known(base, theirs, ours):
        start = base.get(name)
        their_value, our_value = theirs.get(name, start), ours.get(name, start)
        by_them, by_us = not same_value(name, start, their_value), not same_value(name, start, our_value)
        if same_value(name, their_value, our_value):
            verdicts[name] = Verdict.SAME
        elif by_us and not by_them:
            verdicts[name] = Verdict.OURS
        elif by_them and not by_us:
            verdicts[name] = Verdict.THEIRS
        else:
            # Also where each is the same as the base and not as the other: orders of which the base knows a part.
            verdicts[name] = Verdict.CONFLICT
    return verdicts


def render_change(change: FieldChange, width: int = 40) -> str:
    """`12.00 → 13.20` on one line, each side at most `width` characters. Tags show what comes and goes; long texts are
    cut around the first place where they differ. Safe to print: control characters are shown, not sent."""
    if get_field(change.field).kind is Kind.TAGS:
        return _render_tags(change, 2 * width)
    if get_field(change.field).kind is Kind.ORDER:
        return _render_order(change, 2 * width)
    if get_field(change.field).kind is Kind.PRODUCT:
        return _cut(_render_product(change), 2 * width)
    before, after = _shown(change.before), _shown(change.after)
    if isinstance(before, str) and isinstance(after, str):
        start = _first_difference(before, after)
        return f"{_window(before, start, width)} → {_window(after, start, width)}"
    return f"{render_value(before, width)} → {render_value(after, width)}"


def render_value(value: AnyValue, width: int = 40) -> str:
    """A value on one line: null is `none`, the empty text is `""`, yes and no for booleans."""
    match value:
        case dict() if "handle" in value:
            return _cut(described(value), width)
        case dict():
            return _window(_text_of(value), 0, width)
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return _cut(", ".join(value), width) or "no tags"
        case str():
            return _window(value, 0, width)
        case _:
            return str(value)


def _shown(value: AnyValue) -> AnyValue:
    """A metafield is shown by its value: its type is the same before and after. A medium by its file and text."""
    if not isinstance(value, dict):
        return value
    return _text_of(value) if "value" in value or is_shown(value) else None


def _text_of(value: Mapping[str, str]) -> str:
    if "value" in value:
        return value["value"]
    name = bare(value.get("url") or "").rsplit("/", 1)[-1] or value.get("type", "")
    return f'{name} "{value["alt"]}"' if value.get("alt") else name


def _render_order(change: FieldChange, width: int) -> str:
    """By the places that the media have now: `1 2 3 → 3 1 2`."""
    before = change.before if isinstance(change.before, list) else []
    after = change.after if isinstance(change.after, list) else []
    places = {one: str(place) for place, one in enumerate(before, start=1)}
    return f"{_cut(' '.join(places.values()), width)} → {_cut(' '.join(places.get(one, one) for one in after), width)}"


def _render_product(change: FieldChange) -> str:
    match change.before, change.after:
        case None, dict():
            return f"made anew: {described(change.after)}"
        case dict(), None:
            return f"deleted for good: {described(change.before)}"
        case _:
            return "no change"


def _render_tags(change: FieldChange, width: int) -> str:
    before = change.before if isinstance(change.before, list) else []
    after = change.after if isinstance(change.after, list) else []
    added = [f"+{tag}" for tag in after if tag not in before]
    removed = [f"-{tag}" for tag in before if tag not in after]
    return _cut(" ".join(added + removed), width) or "no change"


def _first_difference(one: str, other: str) -> int:
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))


def _window(text: str, start: int, width: int) -> str:
    """`text` from a little before `start`, with an ellipsis where something is left out."""
    if not text:
        return '""'
    if len(text) <= width:
        return _cut(text, width)
    begin = max(0, min(start - width // 4, len(text) - width + 1))
    shown = _cut(text[begin:], width - bool(begin))
    return f"…{shown}" if begin else shown


def _cut(text: str, width: int) -> str:
    line = "".join(_printable(character) for character in text[: width + 1])
    return line if len(text) <= width else f"{line[: width - 1]}…"


def _printable(character: str) -> str:
    """Line ends as `⏎`, other control characters (a terminal would obey them) as `·`."""
    if character == "\n":
        return "⏎"
    return character if character.isprintable() else "·"
