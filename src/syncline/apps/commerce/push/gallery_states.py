"""What changes of a product's media and their order find when the product is read. Pure.

A medium that is taken away is known by its id. One that is added has none before it is there; it is known by the
address it is to be made from or, when an answer was lost, as the one that was not there before and has the name and the
text. One that Shopify could not make is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from syncline.apps.commerce.fields import AnyValue, Owner
from syncline.apps.commerce.gallery import Medium, absent, among_of, bare, is_made_from
from syncline.apps.commerce.staging.repository import ChangeRow
from syncline.connectors.shopify.ids import number_of

State = dict[str, AnyValue]
Node = Mapping[str, Any]


def medium_of(node: Node, position: int) -> Medium:
    """A medium as Shopify tells it, as a value."""
    image = node.get("image") or (node.get("preview") or {}).get("image") or {}
    return {
        "id": str(number_of(node["id"])),
        "type": node["mediaContentType"].lower(),
        "alt": node["alt"] or "",
        "url": image.get("url") or "",
        "position": str(position),
    }


def gallery_states(shown: Sequence[Node] | None, changes: Sequence[ChangeRow]) -> dict[UUID, State | None]:
    """By change of one product; None for all of them when it is no longer there."""
    if shown is None:
        return {change.id: None for change in changes}
    media = [medium_of(node, place) for place, node in enumerate(shown, start=1)]
    made = [medium for medium, node in zip(media, shown, strict=True) if node["status"] != "FAILED"]
    states: dict[UUID, State | None] = {}
    taken: set[str] = set()
    for change in sorted(changes, key=lambda one: one.id):
        if change.kind == Owner.PRODUCT_GALLERY:
            states[change.id] = {"image_order": [medium["id"] for medium in media]}
        elif change.after["images"] is None:
            found = [medium for medium in media if medium["id"] == str(change.resource_id)]
            states[change.id] = {"images": found[0] if found else None}
        else:
            states[change.id] = {"images": _added(change, media, made, taken)}
    return states


def _added(change: ChangeRow, media: Sequence[Medium], made: Sequence[Medium], taken: set[str]) -> Medium:
    wanted: Medium = change.after["images"]
    found = next(_candidates(wanted, among_of(change.before["images"]), made, taken), None)
    if found is None:
        return absent(medium["id"] for medium in media)
    taken.add(found["id"])
    # It is the one that was asked for, under whatever address Shopify keeps it.
    return {**found, "url": wanted["url"]}


def _candidates(
    wanted: Medium, among: frozenset[str] | None, media: Sequence[Medium], taken: set[str]
) -> Iterator[Medium]:
    for medium in media:
        if medium["id"] in taken or medium["alt"] != (wanted.get("alt") or ""):
            continue
        if among is None:
            is_it = bare(medium["url"]) == bare(wanted["url"])
        else:
            # While Shopify works on the file there is no address to tell it by.
            is_it = medium["id"] not in among and (not medium["url"] or is_made_from(medium["url"], wanted["url"]))
        if is_it:
            yield medium
