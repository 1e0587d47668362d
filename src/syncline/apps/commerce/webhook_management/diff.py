"""Two payloads side by side: which values differ, by their path. Pure.

Elements of a list are matched by their `id` where all have one, so that a variant that moved is not a variant that
changed; else by their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from syncline.apps.commerce.webhook_management_contract import PayloadChange

ADDED, REMOVED, CHANGED = "added", "removed", "changed"


def changes_of(before: Any, after: Any) -> Iterator[PayloadChange]:
    """In the order of the earlier one, what is new after it."""
    yield from _walk("", before, after)


def _walk(path: str, before: Any, after: Any) -> Iterator[PayloadChange]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _sides(before, after, lambda name: f"{path}.{name}" if path else str(name))
    elif isinstance(before, Sequence) and isinstance(after, Sequence) and not _is_text(before) and not _is_text(after):
        by_id = _by_id(before), _by_id(after)
        if by_id[0] is not None and by_id[1] is not None:
            yield from _sides(by_id[0], by_id[1], lambda number: f"{path}[id={number}]")
        else:
            yield from _sides(dict(enumerate(before)), dict(enumerate(after)), lambda place: f"{path}[{place}]")
    elif before != after or type(before) is not type(after):
        yield PayloadChange(path, CHANGED, before, after)


def _sides(before: Mapping[Any, Any], after: Mapping[Any, Any], name_of: Any) -> Iterator[PayloadChange]:
    for name, value in before.items():
        if name in after:
            yield from _walk(name_of(name), value, after[name])
        else:
            yield PayloadChange(name_of(name), REMOVED, value, None)
    for name, value in after.items():
        if name not in before:
            yield PayloadChange(name_of(name), ADDED, None, value)


def _by_id(items: Sequence[Any]) -> dict[Any, Any] | None:
    found = {one["id"]: one for one in items if isinstance(one, Mapping) and "id" in one}
    return found if len(found) == len(items) else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str | bytes)
