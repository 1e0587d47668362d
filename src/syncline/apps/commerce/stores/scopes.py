"""What a store's token may read."""

from __future__ import annotations

from collections.abc import Iterable

from syncline.apps.commerce.stores.features import lacking
from syncline.connectors.shopify.streams import STREAMS


def missing_scopes(stream: str, granted: Iterable[str]) -> list[str]:
    """The scopes a stream needs and the token has not; a write scope holds its read scope."""
    return lacking(granted, STREAMS[stream].scopes)


def readable_streams(granted: Iterable[str]) -> list[str]:
    held = frozenset(granted)
    return [name for name in STREAMS if not missing_scopes(name, held)]


def scope_sentence(stream: str, missing: Iterable[str], store: str) -> str:
    """Why a stream is left out, and what to do."""
    wanted = " and ".join(missing)
    return (
        f"{stream} is left out: the token of {store} lacks {wanted}. Grant it in the app's settings at Shopify, then "
        f"`syncline stores token {store}`, or have the merchant allow it with `syncline stores install {store}`."
    )
