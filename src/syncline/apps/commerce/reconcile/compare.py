"""Two sets of keys and versions side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from syncline.apps.commerce.contract import KindCount

Key = tuple[int, ...]
NAMED = 50
"""Ids named in a report; the counts are always whole."""


@dataclass(slots=True)
class Difference:
    """What is on one side only, and what is on both but not the same."""

    kind: str
    in_store: int
    in_mirror: int
    missing: list[Key] = field(default_factory=list)
    extra: list[Key] = field(default_factory=list)
    stale: list[Key] = field(default_factory=list)

    @property
    def is_none(self) -> bool:
        return not (self.missing or self.extra or self.stale)

    def count(self) -> KindCount:
        return KindCount(
            kind=self.kind,
            in_store=self.in_store,
            in_mirror=self.in_mirror,
            missing=[_shown(key) for key in self.missing[:NAMED]],
            missing_count=len(self.missing),
            extra=[_shown(key) for key in self.extra[:NAMED]],
            extra_count=len(self.extra),
            stale=[_shown(key) for key in self.stale[:NAMED]],
            stale_count=len(self.stale),
        )


def _shown(key: Key) -> str:
    return " @ ".join(str(number) for number in key)


def compare(kind: str, in_store: Mapping[Key, int | None], in_mirror: Mapping[Key, int]) -> Difference:
    """Keys with the hash of their content; a hash of None on the store's side means that only the key was asked for."""
    return Difference(
        kind=kind,
        in_store=len(in_store),
        in_mirror=len(in_mirror),
        missing=sorted(in_store.keys() - in_mirror.keys()),
        extra=sorted(in_mirror.keys() - in_store.keys()),
        stale=sorted(
            key for key, content in in_store.items() if content is not None and in_mirror.get(key, content) != content
        ),
    )


def total(differences: Iterable[Difference]) -> int:
    return sum(len(one.missing) + len(one.extra) + len(one.stale) for one in differences)
