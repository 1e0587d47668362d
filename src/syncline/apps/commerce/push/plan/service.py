from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.fields import MAX_TAGS, Owner
from syncline.apps.commerce.push.plan import repository
from syncline.apps.commerce.push.plan.estimate import estimate
from syncline.apps.commerce.push.plan.repository import MOST_OPTIONS, MOST_UNITS, MOST_VARIANTS, KindCount
from syncline.apps.commerce.push_contract import EngineConfig, PlanProblem, PushPlan
from syncline.runtime.connect.bucket import Bucket
from syncline.runtime.db.session import Session

_SENTENCES = {
    "TOO_LONG": "The text is longer than Shopify allows; shorten it and stage it anew.",
    "REQUIRED": "A title or handle may not be empty; give one and stage it anew.",
    "NEGATIVE_PRICE": "A price cannot be below zero; correct it and stage it anew.",
    "TOO_MANY_TAGS": f"A product can have at most {MAX_TAGS} tags; take some away and stage it anew.",
    "QUANTITY_OUT_OF_RANGE": f"A quantity can be at most {MOST_UNITS:,} either way; correct it and stage it anew.",
    "HANDLE_TAKEN": "The store has, or another change makes, a product with this handle; reject one, or give another.",
    "PRODUCT_TOO_LARGE": f"A product can have at most {MOST_OPTIONS} options and {MOST_VARIANTS:,} variants; make two.",
    "OPTION_VALUES_MISSING": "A variant lacks a value for an option of its product; fill it in and stage it anew.",
    "DELETED_FOR_GOOD": "Shopify deletes these products for good; an undo makes them anew, with other ids.",
}


async def plan(
    session: Session,
    *,
    store: Store,
    batch_id: UUID | None,
    config: EngineConfig,
    granted: Iterable[str],
    bucket: Bucket,
) -> PushPlan:
    """`granted` are the scopes that the store says the token has; `bucket` is the store's as it is now."""
    kinds = await repository.count_kinds(session, store.id, batch_id)
    products = await repository.count_products(session, store.id, batch_id)
    made = estimate(
        kinds,
        products,
        config,
        available=bucket.level,
        capacity=bucket.capacity,
        restore_rate=bucket.restore_rate,
    )
    changes = sum(one.changes for one in kinds)
    return PushPlan(
        store=store.name,
        changes=changes,
        products=products,
        steps=made.steps,
        requests=made.requests,
        points=made.points,
        seconds=made.seconds,
        naive_requests=made.naive_requests,
        naive_points=made.naive_points,
        problems=[
            *missing_scopes(kinds, granted, store.name),
            *await _row_problems(session, store.id, batch_id),
        ],
        note=f"The store's bucket holds {bucket.level:,.0f} of {bucket.capacity:,.0f} points and gets back "
        f"{bucket.restore_rate:,.0f} a second.",
    )


def missing_scopes(kinds: Sequence[KindCount], granted: Iterable[str], store: str) -> list[PlanProblem]:
    """What the token may not write, and there is to write."""
    held = set(granted)
    wanted: dict[str, int] = {}
    for one in kinds:
        scope = "write_inventory" if one.kind is Owner.INVENTORY_LEVEL else "write_products"
        wanted[scope] = wanted.get(scope, 0) + one.changes
    return [
        PlanProblem(
            "SCOPE_MISSING",
            f"The token of {store} lacks {scope}, which {changes:,} changes need; grant it in the app's settings at "
            f"Shopify, then `syncline stores token {store}`.",
            changes,
            is_blocking=True,
        )
        for scope, changes in sorted(wanted.items())
        if scope not in held
    ]


async def _row_problems(session: Session, store_id: UUID, batch_id: UUID | None) -> list[PlanProblem]:
    problems = []
    crowded = await repository.find_crowded(session, store_id, batch_id)
    if crowded.changes:
        sentence = f"A product can have at most {MOST_VARIANTS:,} variants; split it in the store first."
        problems.append(PlanProblem("TOO_MANY_VARIANTS", sentence, crowded.changes, False, crowded.labels))
    for code, sentence in _SENTENCES.items():
        found = await repository.find_problem(session, store_id, batch_id, code)
        if found.changes:
            problems.append(PlanProblem(code, sentence, found.changes, False, found.labels))
    return problems
