from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from syncline.apps.commerce.contract import ChangeBatch, NothingToDo, Store
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.mirror.repository import list_locations
from syncline.apps.commerce.nearest import did_you_mean, join_or
from syncline.apps.commerce.products import repository
from syncline.apps.commerce.products.draft import draft_of
from syncline.apps.commerce.staging.overlap import finish
from syncline.apps.commerce.staging.repository import Proposal, add_batch, add_changes
from syncline.apps.commerce.staging.selection import mirror_condition, parse_where
from syncline.apps.commerce.whole_product import FIELD, WholeProduct, draft_number
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import Session, WriteSession

_AT_ONCE = 100
MOST_AT_ONCE = 1_000
"""Products in one request; a sheet may have as many as it likes."""


def making(product: WholeProduct) -> Proposal:
    number = draft_number(product["handle"])
    return Proposal(Owner.WHOLE_PRODUCT.value, number, number, product["title"], {FIELD: None}, {FIELD: product})


def deleting(product: WholeProduct) -> Proposal:
    number = product["id"]
    return Proposal(Owner.WHOLE_PRODUCT.value, number, number, product["title"], {FIELD: product}, {FIELD: None})


async def stage_making(
    session: WriteSession, *, store: Store, products: Sequence[Mapping[str, Any]], actor: Actor, note: str | None
) -> ChangeBatch:
    """One batch with a pending change for each product. All or nothing. Raises `InvalidInput` with what is wrong with
    any of them."""
    if not products or len(products) > MOST_AT_ONCE:
        raise InvalidInput(f"Give 1 to {MOST_AT_ONCE:,} products at once; more fit into a sheet.")
    errors: list[FieldError] = []
    drafts: list[WholeProduct] = []
    places = {name: number for number, name in await list_locations(session, store.id)}
    for at, given in enumerate(products):
        try:
            draft = draft_of(given, store.currency)
            place_stock(draft, places)
            drafts.append(draft)
        except ValueError as error:
            sentence = str(error).removesuffix(".")
            errors.append(FieldError(f"products[{at}]", f"Product {at + 1}: {sentence}."))
    taken = await repository.list_taken(session, store.id, [draft["handle"] for draft in drafts])
    errors += _clashes(drafts, taken, store.name)
    if errors:
        raise InvalidInput(" ".join(error.message for error in errors[:10]), fields=errors)
    count = len(drafts)
    summary = f"Make {count:,} product{'' if count == 1 else 's'}: {join_titles(drafts)}"
    return await _staged(session, store, map(making, drafts), summary=summary, actor=actor, note=note, kind="creation")


def _clashes(drafts: Sequence[WholeProduct], taken: frozenset[str], store: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for at, draft in enumerate(drafts):
        handle = draft["handle"]
        if handle in taken:
            sentence = f"{store} has a product with the handle {handle}; choose another, or change that product."
            yield FieldError(f"products[{at}].handle", sentence)
        if handle in seen:
            yield FieldError(f"products[{at}].handle", f"The handle {handle} is given twice; choose another.")
        seen.add(handle)


def place_stock(product: WholeProduct, places: Mapping[str, int]) -> None:
    """The locations of the product's stock by number. Raises `ValueError` for one that the store does not have."""
    for variant in product["variants"]:
        for level in variant.get("levels") or ():
            if level.get("location_id") in places.values():
                continue
            named = str(level.get("location") or level.get("location_id") or "")
            found = [number for name, number in places.items() if name.casefold() == named.casefold()]
            if len(found) != 1:
                known = list(places)
                msg = f"there is no location {named!r}.{did_you_mean(named, known)} It has {join_or(known)}"
                raise ValueError(msg)
            level["location_id"] = found[0]


def join_titles(products: Sequence[WholeProduct], most: int = 3) -> str:
    shown = ", ".join(product["title"] for product in products[:most])
    return shown if len(products) <= most else f"{shown} and {len(products) - most:,} more"


async def stage_deletion(
    session: WriteSession, *, store: Store, where: str, actor: Actor, note: str | None
) -> ChangeBatch:
    """One batch with a pending change for each product that matches. What is deleted is kept whole in its change."""
    if not where.strip():
        raise InvalidInput("Say which products to delete, like handle:old-mug; to delete all write handle:*.")
    numbers = await repository.list_numbers(session, store.id, mirror_condition(Owner.PRODUCT, parse_where(where)))
    if not numbers:
        raise NothingToDo(f"No product of {store.name} matches {where.strip()}; nothing was staged.")
    summary = f"Delete {len(numbers):,} product{'' if len(numbers) == 1 else 's'} where {where.strip()}"
    batch_id = await add_batch(session, store_id=store.id, kind="deletion", summary=summary, author=actor)
    async for proposals in propose_deletions(session, store, numbers):
        await add_changes(
            session, batch_id=batch_id, store_id=store.id, author=actor.name, note=note, proposals=proposals
        )
    return await finish(session, store_id=store.id, batch_id=batch_id)


async def propose_deletions(session: Session, store: Store, numbers: Sequence[int]) -> AsyncIterator[list[Proposal]]:
    """Some at a time, since each holds all of a product."""
    for start in range(0, len(numbers), _AT_ONCE):
        found = await repository.read_wholes(session, store, numbers[start : start + _AT_ONCE])
        yield [deleting(found[number]) for number in sorted(found)]


async def _staged(
    session: WriteSession,
    store: Store,
    proposals: Iterator[Proposal],
    *,
    summary: str,
    actor: Actor,
    note: str | None,
    kind: str,
) -> ChangeBatch:
    batch_id = await add_batch(session, store_id=store.id, kind=kind, summary=summary, author=actor)
    await add_changes(session, batch_id=batch_id, store_id=store.id, author=actor.name, note=note, proposals=proposals)
    return await finish(session, store_id=store.id, batch_id=batch_id)
