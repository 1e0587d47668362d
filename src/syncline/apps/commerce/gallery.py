"""Media of a product as values: one that is shown or not, and the order that all are shown in.

A medium is null where it is not shown, else an object of texts: `url`, `alt`, `type` (image, video, external_video,
model_3d) and, where the store said it, `id` and `position` (from 1). What was read just before one is added is an
object with `among` alone: not shown, and the ids of what was, so that it can be told afterwards which one is new.

An order is a list of ids. It says nothing of media that it does not name: what was added meanwhile keeps its place
behind them, and what was taken away is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

Medium = dict[str, str]

MOST_MEDIA = 250
"""Shopify's limit for one product."""


def is_shown(value: object) -> bool:
    return isinstance(value, dict) and "among" not in value


def same_medium(one: Medium | None, other: Medium | None) -> bool:
    """Whether both are not shown, or both are the same file with the same text. An address that is not known yet,
    because Shopify still works on the file, is no difference; nor are the words after its `?`, which name a version."""
    if not is_shown(one) or not is_shown(other):
        return is_shown(one) is is_shown(other)
    assert one is not None
    assert other is not None
    if (one.get("alt") or "") != (other.get("alt") or ""):
        return False
    return not (one.get("url") and other.get("url")) or bare(one["url"]) == bare(other["url"])


def bare(url: str) -> str:
    return url.partition("?")[0]


def same_order(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether what both name stands in the same order in both."""
    here, there = list(one), list(other)
    return [each for each in here if each in set(there)] == [each for each in there if each in set(here)]


def ordered(wanted: Sequence[str], now: Sequence[str]) -> list[str]:
    """All that is shown `now`: what `wanted` names in its order, then the others in theirs."""
    named = [one for one in dict.fromkeys(wanted) if one in set(now)]
    return [*named, *(one for one in now if one not in set(named))]


def absent(among: Iterable[str]) -> Medium:
    """Not shown, while these were."""
    return {"among": ",".join(among)}


def among_of(value: object) -> frozenset[str] | None:
    """The ids of what was shown when it was not; None when nobody has looked."""
    if not isinstance(value, dict) or "among" not in value:
        return None
    return frozenset(filter(None, str(value["among"]).split(",")))


def file_stem(url: str) -> str:
    """`front` of `https://shop.example/files/front.jpg?v=1`."""
    return PurePosixPath(urlsplit(url).path).stem


def is_shown_from(source: str, shown: Sequence[str]) -> bool:
    """Whether an image from the address `source` is among those `shown`. An address elsewhere tells by its file's name:
    Shopify serves a copy from its own."""
    host = urlsplit(source).hostname
    return any(
        bare(url) == bare(source) or (urlsplit(url).hostname != host and is_made_from(url, source))
        for url in shown
        if url
    )


def is_made_from(url: str, source: str) -> bool:
    """Whether Shopify's address may be that of a file made from `source`: it keeps the name, and adds to it when it is
    taken."""
    stem = file_stem(source)
    return bare(url) == bare(source) or file_stem(url) == stem or file_stem(url).startswith(f"{stem}_")
