"""What is left of a change when the store has moved some of its fields. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from syncline.apps.commerce.fields import AnyValue, same_value

State = Mapping[str, AnyValue]


def merged(before: State, after: State, theirs: State) -> dict[str, AnyValue]:
    """The wanted values of the fields that did not move; empty when all of them did."""
    return {name: value for name, value in after.items() if same_value(name, before.get(name), theirs.get(name))}
