from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Numeric, and_, case, cast, distinct, func, or_, select, text, true

from syncline.apps.commerce.contract import ChangeStatus
from syncline.apps.commerce.fields import FIELDS, MAX_TAGS, Kind, Owner
from syncline.apps.commerce.mirror.models import product
from syncline.apps.commerce.push.repository import waiting
from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.whole_product import FIELD as WHOLE
from syncline.runtime.db.session import Session

MOST_VARIANTS = 2_048
"""Of one product (Shopify, 2026)."""
MOST_UNITS = 1_000_000_000
"""Of one item at one location, in either direction."""
MOST_OPTIONS = 3
_NAMED = 10


@dataclass(frozen=True, slots=True)
class KindCount:
    """The changes of one kind: how many, of how many records, products, and collections entered or left."""

    kind: Owner
    changes: int
    records: int
    products: int
    moves: int


@dataclass(frozen=True, slots=True)
class Found:
    """How many changes have a problem, and the labels of the first of them."""

    changes: int
    labels: Sequence[str]


async def count_kinds(session: Session, store_id: UUID, batch_id: UUID | None) -> Sequence[KindCount]:
    table = staged_change.c
    move = func.concat(table.resource_id, table.after["collections"].astext)
    query = (
        select(
            table.kind,
            func.count(),
            func.count(distinct(table.resource_id)),
            func.count(distinct(table.product_id)),
            func.count(distinct(move)),
        )
        .where(waiting(session, store_id, batch_id))
        .group_by(table.kind)
        .order_by(table.kind)
    )
    return [KindCount(Owner(kind), *counts) for kind, *counts in await session.execute(query)]


async def count_products(session: Session, store_id: UUID, batch_id: UUID | None) -> int:
    """What is claimed as one: products, and collections."""
    table = staged_change.c
    is_collection = table.kind == Owner.COLLECTION
    unit = case((is_collection, -table.resource_id), else_=table.product_id)
    query = select(func.count(distinct(unit))).where(waiting(session, store_id, batch_id))
    return int((await session.execute(query)).scalar_one())


async def find_crowded(session: Session, store_id: UUID, batch_id: UUID | None) -> Found:
    """Products of which more variants are changed than a product may have."""
    table = staged_change.c
    crowded = (
        select(table.product_id, func.count(distinct(table.resource_id)).label("n"))
        .where(waiting(session, store_id, batch_id), table.kind == Owner.VARIANT)
        .group_by(table.product_id)
        .having(func.count(distinct(table.resource_id)) > MOST_VARIANTS)
        .subquery()
    )
    query = select(func.coalesce(func.sum(crowded.c.n), 0), func.array_agg(crowded.c.product_id))
    changes, products = (await session.execute(query)).one()
    return Found(int(changes), [f"product {number}" for number in (products or ())[:_NAMED] if number])


async def find_problem(session: Session, store_id: UUID, batch_id: UUID | None, problem: str) -> Found:
    """Changes that have one of `PROBLEMS`."""
    table = staged_change.c
    wrong = and_(waiting(session, store_id, batch_id), PROBLEMS[problem])
    count = int((await session.execute(select(func.count()).where(wrong))).scalar_one())
    if not count:
        return Found(0, ())
    labels = await session.execute(select(table.label).where(wrong).order_by(table.id).limit(_NAMED))
    return Found(count, list(labels.scalars()))


def _text(name: str) -> ColumnElement[str]:
    text: ColumnElement[str] = staged_change.c.after[name].astext
    return text


def _too_long() -> ColumnElement[bool]:
    kinds = {Kind.TEXT, Kind.HTML}
    limited = [field for field in FIELDS.values() if field.max_length is not None and field.kind in kinds]
    return or_(*(func.char_length(_text(field.name)) > field.max_length for field in limited))


def _blank() -> ColumnElement[bool]:
    required = [field for field in FIELDS.values() if field.required]
    return or_(*(and_(staged_change.c.after.has_key(f.name), func.coalesce(_text(f.name), "") == "") for f in required))


def _negative() -> ColumnElement[bool]:
    money = [field for field in FIELDS.values() if field.kind is Kind.MONEY]
    return or_(*(cast(_text(field.name), Numeric) < 0 for field in money))


def _whole(path: str) -> ColumnElement[bool]:
    """Of a product to be made: whether there is anything at this path, which begins at the product."""
    is_whole = staged_change.c.kind == Owner.WHOLE_PRODUCT
    return case((is_whole, func.jsonb_path_exists(staged_change.c.after, text(f"'$.{WHOLE}{path}'"))), else_=~true())


def _taken() -> ColumnElement[bool]:
    """By a product of the mirror, or by another that waits to be made."""
    table, other = staged_change.c, staged_change.alias("other")
    handle = table.after[WHOLE]["handle"].astext
    held = select(product.c.id).where(
        product.c.store_id == table.store_id, product.c.handle == handle, product.c.deleted_at.is_(None)
    )
    same = select(other.c.id).where(
        other.c.store_id == table.store_id,
        other.c.status == ChangeStatus.APPROVED,
        other.c.kind == Owner.WHOLE_PRODUCT,
        other.c.product_id == table.product_id,
        other.c.id < table.id,
    )
    return and_(table.kind == Owner.WHOLE_PRODUCT, table.resource_id < 0, or_(held.exists(), same.exists()))


def _deleted() -> ColumnElement[bool]:
    return and_(staged_change.c.kind == Owner.WHOLE_PRODUCT, func.jsonb_typeof(staged_change.c.after[WHOLE]) == "null")


PROBLEMS: dict[str, ColumnElement[bool]] = {
    "HANDLE_TAKEN": _taken(),
    "PRODUCT_TOO_LARGE": or_(
        _whole(f" ? (@.variants.size() > {MOST_VARIANTS})"), _whole(f" ? (@.options.size() > {MOST_OPTIONS})")
    ),
    "OPTION_VALUES_MISSING": or_(
        _whole(" ? (@.variants[*].options.size() != @.options.size())"),
        _whole(' ? (@.variants[*].options[*] like_regex "^[[:space:]]*$")'),
    ),
    "DELETED_FOR_GOOD": _deleted(),
    "TOO_LONG": _too_long(),
    "REQUIRED": _blank(),
    "NEGATIVE_PRICE": _negative(),
    "TOO_MANY_TAGS": case(
        (
            func.jsonb_typeof(staged_change.c.after["tags"]) == "array",
            func.jsonb_array_length(staged_change.c.after["tags"]) > MAX_TAGS,
        ),
        else_=~true(),
    ),
    "QUANTITY_OUT_OF_RANGE": func.abs(cast(_text("available"), BigInteger)) > MOST_UNITS,
}
