"""How the attempt at a change ended, from what the store said. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncline.apps.commerce.contract import ChangeStatus
from syncline.apps.commerce.fields import AnyValue, Owner
from syncline.apps.commerce.mirror.values import pick
from syncline.apps.commerce.push import whole_products
from syncline.apps.commerce.push.reading import State
from syncline.apps.commerce.push.repository import Settled
from syncline.apps.commerce.push.verdict import Outcome, Verdict, judge, judge_read_back
from syncline.apps.commerce.staging.repository import ChangeRow
from syncline.connectors.shopify.results import RowResult

READ_BEFORE_WRITE = "read before write"
ANSWER = "answer"
READ_BACK = "read-back"


@dataclass(frozen=True, slots=True)
class Ready:
    """A change that is written down as sending, and the record's state it goes over."""

    change: ChangeRow
    now: State

    @property
    def before(self) -> State:
        return pick(self.now, list(self.change.after))


def without_write(change: ChangeRow, now: State | None) -> Settled | None:
    """The end of a change that needs no write, or must have none; None when it is to be sent."""
    if now is None:
        return gone(change)
    if change.kind == Owner.WHOLE_PRODUCT:
        return whole_products.without_write(change, now)
    verdict = judge(change.before, change.after, now)
    if verdict is Verdict.ALREADY:
        seen = pick(now, list(change.after))
        return Settled(change.id, ChangeStatus.APPLIED, "already", seen, READ_BEFORE_WRITE)
    return conflict(change, now) if verdict is Verdict.CONFLICT else None


def read_back(change: ChangeRow, before: State, now: State | None) -> Settled | None:
    """The end of a change whose answer never came; None when it did not arrive and is to be sent again."""
    if now is None:
        return gone(change)
    if change.kind == Owner.WHOLE_PRODUCT:
        return whole_products.read_back(change, before, now)
    outcome = judge_read_back(before, change.after, now)
    if outcome is Outcome.ARRIVED:
        return Settled(change.id, ChangeStatus.APPLIED, "applied", pick(now, list(change.after)), READ_BACK)
    return conflict(change, now) if outcome is Outcome.MOVED else None


def after_refusal(change: ChangeRow, now: State | None) -> Settled | None:
    """The end of a change that the store refused but that needs no write any more; None when the refusal is its end."""
    if now is None:
        return gone(change)
    if judge(change.before, change.after, now) is not Verdict.ALREADY:
        return None
    return Settled(change.id, ChangeStatus.APPLIED, "already", pick(now, list(change.after)), READ_BACK)


def written(change: ChangeRow, result: RowResult[Any], after: dict[str, AnyValue]) -> Settled:
    """The store took it; `after` is what it says the fields are now."""
    updated = datetime.fromisoformat(result.updated_at) if result.updated_at is not None else None
    return Settled(
        change.id,
        ChangeStatus.APPLIED,
        "applied",
        after,
        ANSWER,
        store_updated_at=updated,
        is_overtaken=result.is_overtaken,
    )


def refused(change: ChangeRow, result: RowResult[Any]) -> Settled:
    reason = " ".join(error.message for error in result.errors)
    return refused_with(change, next((error.code for error in result.errors if error.code), None), reason)


def refused_with(change: ChangeRow, code: str | None, sentence: str) -> Settled:
    return Settled(change.id, ChangeStatus.FAILED, "refused", {}, ANSWER, vendor_code=code, sentence=sentence)


def moved(change: ChangeRow, now: State | None) -> Settled:
    """The store itself refused the write because the value had moved since it was read."""
    return gone(change) if now is None else conflict(change, now)


_RECORDS = {
    Owner.PRODUCT_METAFIELD.value: "product",
    Owner.VARIANT_METAFIELD.value: "variant",
    Owner.COLLECTION_MEMBERSHIP.value: "product",
    Owner.PRODUCT_MEDIA.value: "image",
    Owner.PRODUCT_IMAGE.value: "product",
    Owner.PRODUCT_GALLERY.value: "product",
}
"""Whose absence ends a change, when that is not what the change is of."""


def gone(change: ChangeRow) -> Settled:
    what = _RECORDS.get(change.kind, change.kind).replace("_", " ")
    sentence = f"The {what} is no longer in the store; reject the change, or pull the store and stage it anew."
    return Settled(change.id, ChangeStatus.FAILED, "gone", {}, READ_BEFORE_WRITE, sentence=sentence)


def conflict(change: ChangeRow, now: State) -> Settled:
    theirs = pick(now, list(change.after))
    return Settled(
        change.id,
        ChangeStatus.CONFLICT,
        "conflict",
        theirs,
        READ_BEFORE_WRITE,
        sentence="The store's value moved after this change was staged; skip it, overwrite, or merge.",
        theirs=theirs,
    )
