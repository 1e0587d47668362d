"""Which known words a misspelt one was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def nearest(word: str, known: Iterable[str], limit: int = 1) -> list[str]:
    """Up to `limit` of `known`, best first, whatever the case; empty when nothing comes close."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(word.strip().lower(), by_lower, n=limit, cutoff=0.6)
    return [by_lower[found] for found in close]


def did_you_mean(word: str, known: Iterable[str], limit: int = 1) -> str:
    """` Did you mean price?`, with its leading space, or nothing."""
    found = nearest(word, known, limit)
    return f" Did you mean {join_or(found)}?" if found else ""


def join_or(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
