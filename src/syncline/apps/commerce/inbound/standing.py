"""From what was last accepted to what the store says now, over however many changes in between. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncline.apps.commerce.fields import AnyValue, same_value

State = Mapping[str, AnyValue]


@dataclass(frozen=True, slots=True)
class Standing:
    """The fields that are not as they were accepted, before and after. None: the store is back where it was."""

    before: Mapping[str, AnyValue]
    after: Mapping[str, AnyValue]


def standing(earlier: State, held: State, now: State, moved: Sequence[str]) -> Standing:
    """`earlier` is what an undecided change of the record started from; a field that it does not name was accepted as
    the mirror `held` it. `moved` are the fields that have changed since the mirror was written."""
    base = {**{name: held.get(name) for name in moved}, **earlier}
    left = [name for name, value in base.items() if not same_value(name, value, now.get(name))]
    return Standing({name: base[name] for name in left}, {name: now.get(name) for name in left})
