from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.alignment.pairing import Key, Pair, by_key, by_products
from syncline.apps.commerce.alignment.waiting import KIND, find_earlier, outdated, outdated_in_part, sift, take_back
from syncline.apps.commerce.alignment.waiting import Key as WaitingKey
from syncline.apps.commerce.alignment_contract import AlignedBy, Alignment
from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.fields import AnyValue, Field, Kind, Owner, get_editable
from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.mirror.listing import Listed, list_records, metafield_value
from syncline.apps.commerce.mirror.models import product, variant
from syncline.apps.commerce.nearest import join_or
from syncline.apps.commerce.staging.diff import changed_fields
from syncline.apps.commerce.staging.overlap import take_turn
from syncline.apps.commerce.staging.repository import Proposal, add_batch, add_changes
from syncline.apps.commerce.staging.search import Search
from syncline.apps.commerce.staging.selection import mirror_condition, parse_where
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import Session, WriteSession

NAMED = 200
"""Sentences kept; the counts are always whole."""
_OF_PRODUCTS = frozenset({Owner.PRODUCT, Owner.PRODUCT_METAFIELD})
_COPIED = (Owner.PRODUCT, Owner.VARIANT, Owner.PRODUCT_METAFIELD, Owner.VARIANT_METAFIELD)
_TITLE = "variant_title"


@dataclass(slots=True)
class _Tally:
    looked: int = 0
    staged: int = 0
    unchanged: int = 0
    unmatched: int = 0
    ambiguous: int = 0
    waiting: int = 0
    replaced: int = 0
    problems: list[str] = field(default_factory=list)

    def wrong(self, sentence: str) -> None:
        self.ambiguous += 1
        self.tell(sentence)

    def tell(self, sentence: str) -> None:
        if len(self.problems) < NAMED:
            self.problems.append(sentence)


def choose_fields(source: Store, target: Store, names: Sequence[str]) -> list[Field]:
    """Raises `InvalidInput` for what cannot be copied."""
    if source.id == target.id:
        raise _wrong("target", f"{source.name} is the same store twice; choose another target.")
    if not names:
        raise _wrong("fields", "Say which fields to copy, like price or title.")
    fields = [get_editable(name) for name in dict.fromkeys(names)]
    for one in fields:
        if one.owner not in _COPIED or one.name == "sku":
            sentence = f"The {one.label} cannot be copied from store to store; choose fields of products and variants."
            raise _wrong("fields", sentence)
        if one.kind is Kind.MONEY and source.currency != target.currency:
            sentence = (
                f"{source.name} has amounts in {source.currency} and {target.name} in {target.currency}, so the "
                f"{one.label} cannot be copied; change it by a price rule instead."
            )
            raise _wrong("fields", sentence)
    return fields


def _wrong(name: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields=[FieldError(name, sentence)])


async def align(
    session: WriteSession,
    *,
    source: Store,
    target: Store,
    fields: Sequence[str],
    by: AlignedBy,
    where: str,
    actor: Actor,
    note: str | None,
    is_repeated: bool = False,
) -> Alignment:
    """One batch on `target`; none when nothing differs but what waits already. One `is_repeated` does not propose again
    what was rejected."""
    chosen = choose_fields(source, target, fields)
    await take_turn(session, target.id)
    search = parse_where(where)
    names = [one.name for one in chosen]
    tally = _Tally()
    shown = f"{join_or(names)} from {source.name} by {by.value}" + (f" where {where.strip()}" if where.strip() else "")
    batch_id = None
    for owner in _COPIED:
        mine = [one.name for one in chosen if one.owner is owner]
        if not mine:
            continue
        async for pairs in _pairs(session, source, target, owner, mine, by, search):
            proposals = await _new(session, target, pairs, mine, actor, tally, heeds_rejected=is_repeated)
            if proposals and batch_id is None:
                batch_id = await add_batch(
                    session, store_id=target.id, kind=KIND, summary=f"Copy {shown}", author=actor
                )
            if proposals and batch_id is not None:
                tally.staged += await add_changes(
                    session,
                    batch_id=batch_id,
                    store_id=target.id,
                    author=actor.name,
                    note=note,
                    proposals=proposals,
                )
    return Alignment(
        source=source.name,
        target=target.name,
        by=by,
        fields=names,
        batch_id=batch_id,
        looked=tally.looked,
        staged=tally.staged,
        unchanged=tally.unchanged,
        unmatched=tally.unmatched,
        ambiguous=tally.ambiguous,
        problems=tuple(tally.problems),
        waiting=tally.waiting,
        replaced=tally.replaced,
    )


async def _new(
    session: WriteSession,
    target: Store,
    pairs: Sequence[Pair],
    names: Sequence[str],
    actor: Actor,
    tally: _Tally,
    *,
    heeds_rejected: bool,
) -> list[Proposal]:
    """Without what waits already. What waits or is approved with a value that the source no longer has is taken back,
    also where the stores are alike again, so that nobody pushes it."""
    differing = _proposals(pairs, names, tally)
    matched = [(_key(pair.there), pair.here, pair.there) for pair in pairs if isinstance(pair.there, Listed)]
    if not matched:
        return []
    wanted = {key: {name: _copied(here.values.get(name)) for name in names} for key, here, _ in matched}
    earlier = await find_earlier(session, target.id, {key: there.product_id for key, _, there in matched})
    gone = [one for one in earlier if outdated(one, wanted[one.key])]
    tally.replaced += await take_back(session, [one.id for one in gone], actor)
    labels = {key: there.label for key, _, there in matched}
    for one in earlier:
        if outdated_in_part(one, wanted[one.key]):
            tally.tell(
                f"{labels[one.key]} has a change {one.status.value} that the source no longer says and that changes"
                f" more than is copied here; it stays: copy all its fields, or reject it ({one.id})."
            )
    left = sift(differing, [one for one in earlier if one not in gone], heeds_rejected=heeds_rejected)
    tally.waiting += len(differing) - len(left)
    return left


def _key(record: Listed) -> WaitingKey:
    return record.owner.value, record.resource_id


def _proposals(pairs: Sequence[Pair], names: Sequence[str], tally: _Tally) -> list[Proposal]:
    made: list[Proposal] = []
    for pair in pairs:
        tally.looked += 1
        if isinstance(pair.there, str):
            tally.wrong(pair.there)
        elif pair.there is None:
            tally.unmatched += 1
        else:
            found = _changes(pair.here, pair.there, names)
            tally.unchanged += not found
            made += found
    return made


def _changes(here: Listed, there: Listed, names: Sequence[str]) -> list[Proposal]:
    after = {name: _copied(here.values.get(name)) for name in names}
    changes = changed_fields(there.values, after)
    parts = [[change] for change in changes] if there.owner.is_metafield else [changes] if changes else []
    return [
        Proposal(
            kind=there.owner.value,
            resource_id=there.resource_id,
            product_id=there.product_id,
            label=there.label,
            before={change.field: change.before for change in part},
            after={change.field: change.after for change in part},
        )
        for part in parts
    ]


def _copied(value: AnyValue) -> AnyValue:
    """A metafield without what only its own store says of it."""
    return {"type": value["type"], "value": value["value"]} if isinstance(value, dict) else value


async def _pairs(
    session: Session,
    source: Store,
    target: Store,
    owner: Owner,
    names: Sequence[str],
    by: AlignedBy,
    search: Search,
) -> AsyncIterator[list[Pair]]:
    async for page in _list(session, source, owner, names, mirror_condition(owner, search)):
        if by is AlignedBy.HANDLE:
            yield await _by_handle(session, target, owner, names, page)
        elif owner in _OF_PRODUCTS:
            yield await _products_by_sku(session, source, target, owner, names, page)
        else:
            yield await _variants_by_sku(session, source, target, owner, names, page)


def _list(
    session: Session, store: Store, owner: Owner, names: Sequence[str], condition: ColumnElement[bool]
) -> AsyncIterator[Sequence[Listed]]:
    more = {name.field: metafield_value(name) for name in map(find_name, names) if name is not None}
    if owner not in _OF_PRODUCTS:
        more[_TITLE] = variant.c.title
    return list_records(session, store.id, owner, condition, currency=store.currency, more=more)


async def _all(
    session: Session, store: Store, owner: Owner, names: Sequence[str], condition: ColumnElement[bool]
) -> list[Listed]:
    return [one async for page in _list(session, store, owner, names, condition) for one in page]


def _sku(record: Listed) -> Key | None:
    sku = str(record.context.get("sku") or "").strip()
    return (sku,) if sku else None


def _among(column: ColumnElement[Any], values: Sequence[object]) -> ColumnElement[bool]:
    """One array and not one parameter each: a page has thousands."""
    return column == any_(literal(list(values), ARRAY(column.type)))


async def _variants_by_sku(
    session: Session, source: Store, target: Store, owner: Owner, names: Sequence[str], page: Sequence[Listed]
) -> list[Pair]:
    keys = {record.resource_id: _sku(record) for record in page}
    skus = sorted({key[0] for key in keys.values() if key is not None})
    same = _among(variant.c.sku, skus)
    own = Counter(key for one in await _all(session, source, Owner.VARIANT, (), same) if (key := _sku(one)))
    others: dict[Key, list[Listed]] = {}
    for one in await _all(session, target, owner, names, same):
        key = _sku(one)
        if key is not None:
            others.setdefault(key, []).append(one)
    return by_key(page, keys, own, others)


async def _products_by_sku(
    session: Session, source: Store, target: Store, owner: Owner, names: Sequence[str], page: Sequence[Listed]
) -> list[Pair]:
    numbers = [record.resource_id for record in page]
    skus: dict[int, list[Key]] = {}
    for one in await _all(session, source, Owner.VARIANT, (), _among(variant.c.product_id, numbers)):
        key = _sku(one)
        if key is not None:
            skus.setdefault(one.product_id, []).append(key)
    wanted = sorted({key[0] for keys in skus.values() for key in keys})
    targets: dict[Key, frozenset[int]] = {}
    for one in await _all(session, target, Owner.VARIANT, (), _among(variant.c.sku, wanted)):
        key = _sku(one)
        if key is not None:
            targets[key] = targets.get(key, frozenset()) | {one.product_id}
    found = sorted({number for numbers in targets.values() for number in numbers})
    others = await _all(session, target, owner, names, _among(product.c.id, found))
    return by_products(page, skus, targets, {one.resource_id: one for one in others})


async def _by_handle(
    session: Session, target: Store, owner: Owner, names: Sequence[str], page: Sequence[Listed]
) -> list[Pair]:
    keys = {record.resource_id: _handle(record) for record in page}
    handles = sorted({key[0] for key in keys.values()})
    own = Counter(keys.values())
    others: dict[Key, list[Listed]] = {}
    for one in await _all(session, target, owner, names, _among(product.c.handle, handles)):
        others.setdefault(_handle(one), []).append(one)
    return by_key(page, dict(keys), own, others)


def _handle(record: Listed) -> Key:
    """A variant is told by its options beside its product's handle."""
    return (str(record.context["handle"]), str(record.values.get(_TITLE) or ""))
