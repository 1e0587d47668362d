"""An image that is to be added once: who stages the same address for the same product with another text has the last
word, and what waited with the first text is given up. Both would be two images in the store."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from syncline.apps.commerce.contract import ChangeQuery, ChangeStatus, Json
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.gallery import Medium, bare
from syncline.apps.commerce.staging.repository import review
from syncline.runtime.db.session import WriteSession

UNSENT = (ChangeStatus.PENDING, ChangeStatus.APPROVED)


def is_addition(kind: str, resource_id: int) -> bool:
    """Of a medium: it has no id before it is there."""
    return kind == Owner.PRODUCT_IMAGE and resource_id == 0


def same_source(one: Json, other: Json) -> bool:
    """Whether two additions are made from one address. Pure."""
    return bare(_medium(one)["url"]) == bare(_medium(other)["url"])


def _medium(after: Json) -> Medium:
    medium: Medium = after["images"]
    return medium


async def give_up(session: WriteSession, ids: Sequence[UUID], *, author: str, batch_id: UUID) -> Sequence[UUID]:
    """Those that were not sent yet, in favour of the batch. One that somebody decides about or sends at this moment is
    left to him: who waited for it here would hold up, and be held up by, a person who waits for the store's turn.
    Answers which were given up."""
    note = f"Batch {batch_id} adds the same image with another text, so this one is not sent."
    query = ChangeQuery(ids=tuple(ids))
    to = ChangeStatus.SKIPPED
    return await review(session, query, frm=UNSENT, to=to, reviewer=author, note=note, skips_locked=True)
