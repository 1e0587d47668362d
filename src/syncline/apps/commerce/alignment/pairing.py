"""Which record of another store is the same thing. Pure: an ambiguous one is a sentence and never a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncline.apps.commerce.field_text import shortened
from syncline.apps.commerce.mirror.listing import Listed

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A record of the source and its counterpart: None where there is none, a sentence where nobody can tell."""

    here: Listed
    there: Listed | str | None


def by_key(
    page: Sequence[Listed],
    keys: Mapping[int, Key | None],
    own: Mapping[Key, int],
    others: Mapping[Key, Sequence[Listed]],
) -> list[Pair]:
    """`keys` by the record's number; None for a record that has none. `own` says how many records of the source have
    each key, `others` which of the target do."""
    return [Pair(record, _counterpart(record, keys[record.resource_id], own, others)) for record in page]


def _counterpart(
    record: Listed, key: Key | None, own: Mapping[Key, int], others: Mapping[Key, Sequence[Listed]]
) -> Listed | str | None:
    if key is None:
        return f"{record.label} has no SKU, so nobody can tell its counterpart; give it one, or go by handle."
    found = others.get(key, ())
    if not found:
        return None
    shown = shortened(" / ".join(part for part in key if part))
    if own.get(key, 0) > 1:
        return f"{shown} stands for {own[key]} records of the source; give each its own."
    if len(found) > 1:
        named = ", ".join(shortened(one.label) for one in found[:3])
        return f"{shown} stands for {len(found)} records of the target ({named}); give each its own."
    return found[0]


def by_products(
    page: Sequence[Listed],
    skus: Mapping[int, Sequence[Key]],
    targets: Mapping[Key, frozenset[int]],
    others: Mapping[int, Listed],
) -> list[Pair]:
    """Products are the same when all SKUs of the one that the other store has belong to one product there."""
    pairs = []
    for record in page:
        found = frozenset(
            number for key in skus.get(record.resource_id, ()) for number in targets.get(key, frozenset())
        )
        if len(found) > 1:
            named = ", ".join(shortened(others[number].label) for number in sorted(found)[:3] if number in others)
            pairs.append(
                Pair(record, f"The SKUs of {record.label} belong to {len(found)} products of the target ({named}).")
            )
        else:
            pairs.append(Pair(record, next((others.get(number) for number in found), None)))
    return pairs
