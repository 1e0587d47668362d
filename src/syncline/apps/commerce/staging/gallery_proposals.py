"""What edits make of the media that products show, medium by medium, and of their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.gallery import MOST_MEDIA, Medium, file_stem, same_order
from syncline.apps.commerce.mirror.listing import Listed
from syncline.apps.commerce.staging.edits import Edit
from syncline.apps.commerce.staging.gallery_edits import (
    ChangeImages,
    OrderImages,
    added,
    is_by_place,
    order_after,
    taken_away,
)
from syncline.apps.commerce.staging.repository import Proposal
from syncline.kernel.errors import FieldError, InvalidInput

SHOWN = "shown"
"""The name under which a listed product has what it shows."""


def gallery_proposals(record: Listed, edits: Sequence[Edit], refused: Callable[..., None] | None) -> list[Proposal]:
    """Raises `InvalidInput` for a product of which they cannot be made, unless `refused` takes it."""
    shown = [_medium(one) for one in _shown(record)]
    found: list[Proposal] = []
    for edit in edits:
        if not isinstance(edit, ChangeImages | OrderImages):
            continue
        try:
            found += _of_edit(record, edit, shown)
        except ValueError as error:
            sentence = f"{record.label}: {error}."
            wrong = InvalidInput(sentence, fields=[FieldError(edit.field, sentence)])
            if refused is None:
                raise wrong from error
            refused(record, wrong)
            return []
    return found


def _shown(record: Listed) -> Sequence[dict[str, Any]]:
    held: Any = record.values[SHOWN]
    return held or ()


def _medium(row: dict[str, Any]) -> Medium:
    return {name: "" if value is None else str(value) for name, value in row.items()}


def _of_edit(record: Listed, edit: ChangeImages | OrderImages, shown: Sequence[Medium]) -> Iterator[Proposal]:
    if is_by_place(edit) and any(not medium["position"] for medium in shown):
        msg = "the order of its images is not known yet; pull the store first"
        raise ValueError(msg)
    if isinstance(edit, OrderImages):
        yield from _order(record, edit, shown)
        return
    gone, new = list(taken_away(edit, shown)), list(added(edit, shown))
    if len(shown) - len(gone) + len(new) > MOST_MEDIA:
        msg = f"it would show more than the {MOST_MEDIA} images that Shopify allows"
        raise ValueError(msg)
    for medium in gone:
        label = f"{record.label}, {medium['type'].replace('_', ' ')} {medium['id']}"
        yield _image(record, label, int(medium["id"]), medium, None)
    for medium in new:
        yield _image(record, f"{record.label}, new image {file_stem(medium['url'])}", 0, None, medium)


def _image(record: Listed, label: str, number: int, before: Medium | None, after: Medium | None) -> Proposal:
    return Proposal(
        kind=Owner.PRODUCT_IMAGE.value,
        resource_id=number,
        product_id=record.product_id,
        label=label,
        before={"images": before},
        after={"images": after},
    )


def _order(record: Listed, edit: OrderImages, shown: Sequence[Medium]) -> Iterator[Proposal]:
    before, after = [medium["id"] for medium in shown], order_after(edit, shown)
    if not same_order(before, after):
        yield Proposal(
            kind=Owner.PRODUCT_GALLERY.value,
            resource_id=record.product_id,
            product_id=record.product_id,
            label=record.label,
            before={"image_order": before},
            after={"image_order": after},
        )
