"""What becomes of a change when the store has moved some of its fields. Pure.

Three values of a field: the base that the change was staged over, theirs in the store now, ours as wanted. A side that
did not move from the base gives way to the other. Where both moved:

| choice   | gives                                                                                  |
|----------|----------------------------------------------------------------------------------------|
| `ours`   | ours                                                                                   |
| `theirs` | theirs                                                                                 |
| `merge`  | tags: what either side added, without what either removed; quantities: both steps, one |
|          | after the other; any other field: theirs, for half of two texts is neither             |

Each choice is associative (three edits over one base come to the same, whichever two are merged first), and the merge
of tags and quantities does not depend on the order of the sides either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from syncline.apps.commerce.contract.conflicts import Choice
from syncline.apps.commerce.fields import AnyValue, Kind, get_field, same_value

State = Mapping[str, AnyValue]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is left of a change: over which of the store's values, and what is wanted instead. Nothing wanted: the
    store's values stay."""

    before: dict[str, AnyValue]
    after: dict[str, AnyValue]


def merged(before: State, after: State, theirs: State) -> dict[str, AnyValue]:
    """The wanted values of the fields that did not move; empty when all of them did."""
    return {name: value for name, value in after.items() if same_value(name, before.get(name), theirs.get(name))}


def conflicting(before: State, after: State, theirs: State) -> list[str]:
    """The fields that both sides moved, and not to the same."""
    found = []
    for name, ours in after.items():
        base, now = before.get(name), theirs.get(name)
        if not (same_value(name, base, now) or same_value(name, base, ours) or same_value(name, ours, now)):
            found.append(name)
    return found


def merge_value(name: str, base: AnyValue, theirs: AnyValue, ours: AnyValue, choice: Choice) -> AnyValue:
    """The table above, for one field."""
    if same_value(name, base, ours):
        return theirs
    if same_value(name, base, theirs):
        return ours
    match choice:
        case Choice.OURS:
            return ours
        case Choice.THEIRS:
            return theirs
    if get_field(name).kind is Kind.TAGS:
        return _merge_tags(base, theirs, ours)
    if isinstance(base, int) and isinstance(theirs, int) and isinstance(ours, int) and not isinstance(ours, bool):
        return theirs + ours - base
    return theirs


def _merge_tags(base: AnyValue, theirs: AnyValue, ours: AnyValue) -> AnyValue:
    """Told apart without their case, as Shopify does; theirs keep their order and spelling."""
    was, wanted = _tags(base), _tags(ours)
    there = {key: tag for key, tag in _tags(theirs).items() if key not in was or key in wanted}
    return [*there.values(), *(tag for key, tag in wanted.items() if key not in was and key not in there)]


def _tags(value: AnyValue) -> dict[str, str]:
    return {tag.casefold(): tag for tag in value} if isinstance(value, list) else {}


def settle(before: State, after: State, theirs: State, choices: Mapping[str, Choice], otherwise: Choice) -> Settlement:
    """What is left to write, each field by its choice. A stock that would fall below zero stays as the store has it."""
    wanted: dict[str, AnyValue] = {}
    for name, ours in after.items():
        now = theirs.get(name)
        value = merge_value(name, before.get(name), now, ours, choices.get(name, otherwise))
        is_short = isinstance(value, int) and not isinstance(value, bool) and value < 0 and value != ours
        if not is_short and not same_value(name, value, now):
            wanted[name] = value
    return Settlement({name: theirs.get(name) for name in wanted}, wanted)
