"""A search as SQL: over the mirror, to choose what to change; over the staged changes, to choose what to review."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Numeric,
    Table,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from syncline.apps.commerce.contract import ChangeStatus
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.mirror.listing import is_member, metafield_of
from syncline.apps.commerce.mirror.models import (
    collection,
    inventory_level,
    location,
    metafield,
    product,
    product_media,
    variant,
)
from syncline.apps.commerce.staging.amounts import AMOUNT, amount, has_amount
from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.staging.search import Op, Pattern, Search, SearchKind, SearchValue, Term, parse_search
from syncline.apps.commerce.staging.search_fields import FREE_TEXT, MIRROR_FIELDS, change_fields
from syncline.kernel.errors import FieldError, InvalidInput

Condition = ColumnElement[bool]

CHANGE_FIELDS = change_fields(tuple(ChangeStatus))

_COLUMNS: Mapping[str, ColumnElement[Any]] = {
    **{name: product.c[name] for name in ("title", "handle", "description_html", "vendor", "product_type", "status")},
    **{name: product.c[name] for name in ("tags", "template_suffix", "seo_title", "seo_description", "id")},
    **{name: product.c[name] for name in ("created_at", "published_at")},
    **{name: variant.c[name] for name in ("price", "compare_at_price", "sku", "barcode", "taxable", "cost", "weight")},
    **{name: variant.c[name] for name in ("inventory_policy", "weight_unit", "requires_shipping", "tracked")},
    "gift_card": product.c.is_gift_card,
    "updated_at": product.c.source_updated_at,
    "variant_id": variant.c.id,
    "available": inventory_level.c.available,
    "location": location.c.name,
    "collection": collection.c.handle,
    "collection_title": collection.c.title,
    "collection_id": collection.c.id,
    "image_alt": product_media.c.alt,
}


def _text_is(column: ColumnElement[Any], value: SearchValue) -> Condition:
    if value is None:
        return or_(column.is_(None), column == "")
    if isinstance(value, Pattern):
        return column.ilike(value.like, escape="\\")
    # Both by the database: its folding of case and Python's differ for some letters and under some locales.
    return func.lower(column) == func.lower(str(value))


def _tag_is(column: ColumnElement[Any], value: SearchValue) -> Condition:
    if value is None:
        return func.cardinality(column) == 0
    tags = func.unnest(column).table_valued("tag", name="tag")
    return exists(
        select(literal(1)).select_from(tags).where(_text_is(cast(tags.c.tag, Text), value)).correlate(product)
    )


def _is(term: Term, column: ColumnElement[Any], value: SearchValue) -> Condition:
    match term.field.kind if term.field else SearchKind.TEXT:
        case SearchKind.TEXT:
            return _text_is(column, value)
        case SearchKind.TAG:
            return _tag_is(column, value)
        case _:
            return column.is_(None) if value is None else column == value


def _compare(op: Op, column: ColumnElement[Any], value: SearchValue) -> Condition:
    match op:
        case Op.GT:
            return column > value
        case Op.GE:
            return column >= value
        case Op.LT:
            return column < value
        case _:
            return column <= value


def _range(term: Term, column: ColumnElement[Any]) -> Condition:
    low, high = term.values
    parts: list[Condition] = []
    if isinstance(low, Decimal | datetime):
        parts.append(column >= low)
    if isinstance(high, datetime):
        parts.append(column < high)  # a span of days ends where the next day begins
    elif isinstance(high, Decimal):
        parts.append(column <= high)
    return and_(true(), *parts)


def _plain(term: Term, column: ColumnElement[Any]) -> Condition:
    """The term on its column, not yet negated."""
    if term.op is Op.IS:
        return or_(*(_is(term, column, value) for value in term.values))
    if term.op is Op.RANGE:
        return _range(term, column)
    return _compare(term.op, column, term.values[0])


def _any_variant(condition: Condition) -> Condition:
    return exists(
        select(literal(1))
        .select_from(variant)
        .where(
            variant.c.tenant_id == product.c.tenant_id,
            variant.c.store_id == product.c.store_id,
            variant.c.product_id == product.c.id,
            variant.c.deleted_at.is_(None),
            condition,
        )
        .correlate(product)
    )


def _any_level(condition: Condition) -> Condition:
    """Some live level of the variant in hand."""
    return exists(
        select(literal(1))
        .select_from(inventory_level)
        .join(
            location,
            (location.c.store_id == inventory_level.c.store_id) & (location.c.id == inventory_level.c.location_id),
        )
        .where(
            inventory_level.c.tenant_id == variant.c.tenant_id,
            inventory_level.c.store_id == variant.c.store_id,
            inventory_level.c.inventory_item_id == variant.c.inventory_item_id,
            inventory_level.c.deleted_at.is_(None),
            condition,
        )
        .correlate(variant)
    )


def _any_image(condition: Condition) -> Condition:
    """Some live image of the product in hand."""
    return exists(
        select(literal(1))
        .select_from(product_media)
        .where(
            product_media.c.tenant_id == product.c.tenant_id,
            product_media.c.store_id == product.c.store_id,
            product_media.c.product_id == product.c.id,
            product_media.c.type == "image",
            product_media.c.deleted_at.is_(None),
            condition,
        )
        .correlate(product)
    )


# How a condition on a record reaches the record that is listed, by (listed, condition's own): itself, up to its parent
# (joined), or down to any of its children.
_REACH: Mapping[tuple[str, str], Callable[[Condition], Condition]] = {
    ("product", "variant"): _any_variant,
    ("product", "inventory_level"): lambda condition: _any_variant(_any_level(condition)),
    ("variant", "inventory_level"): _any_level,
    ("product_media", "variant"): _any_variant,
    ("product_media", "inventory_level"): lambda condition: _any_variant(_any_level(condition)),
    ("product", "product_media"): _any_image,
    ("variant", "product_media"): _any_image,
    ("inventory_level", "product_media"): _any_image,
}


def _reach(listed: str, own: str, condition: Condition) -> Condition:
    through = _REACH.get((listed, own))
    return condition if through is None else through(condition)


def _free_text(listed: str, term: Term) -> Condition:
    value = term.values[0]
    like = value.like if isinstance(value, Pattern) else Pattern((str(value),)).like
    parts: list[Condition] = []
    for name in FREE_TEXT:
        own = "variant" if name == "sku" else "product"
        parts.append(_reach(listed, own, _COLUMNS[name].ilike(f"%{like}%", escape="\\")))
    return or_(*parts)


# A number in the text of a metafield; anything else, which a merchant may have put there, is none.
_NUMBER = r"^-?\d+(\.\d+)?$"


def _metafield_term(term: Term) -> Condition:
    """The term on a metafield of the product or variant in hand, not yet negated."""
    name = find_name(term.field.name) if term.field else None
    assert name is not None
    table = variant if name.owner == Owner.VARIANT else product
    is_it = metafield_of(table, name)
    if term.op is Op.IS:
        found = [
            ~_holds(table, is_it) if value is None else _holds(table, is_it, _text_is(metafield.c.value, value))
            for value in term.values
        ]
        return or_(*found)
    number = case((metafield.c.value.op("~")(_NUMBER), cast(metafield.c.value, Numeric)))
    return _holds(
        table, is_it, _range(term, number) if term.op is Op.RANGE else _compare(term.op, number, term.values[0])
    )


def _holds(table: Table, *conditions: Condition) -> Condition:
    return exists(select(literal(1)).select_from(metafield).where(*conditions).correlate(table))


def _collection_term(listed: str, term: Term) -> Condition:
    """The term on the collection in hand, or on any collection that the product in hand is in."""
    assert term.field is not None
    column = _COLUMNS[term.field.name]
    if listed == Owner.COLLECTION:
        return _plain(term, column)
    if term.op is Op.IS and None in term.values:
        others = tuple(value for value in term.values if value is not None)
        nowhere = ~is_member()
        return or_(nowhere, is_member(_plain(replace(term, values=others), column))) if others else nowhere
    return is_member(_plain(term, column))


def _mirror_term(listed: str, term: Term) -> Condition:
    if listed == Owner.COLLECTION and (term.field is None or term.field.entity != Owner.COLLECTION):
        sentence = (
            "Collections are chosen by collection:HANDLE, collection_title: or collection_id:; change what is found by "
            "terms of products in a command of its own."
        )
        raise InvalidInput(sentence, fields=[FieldError("search", sentence)])
    if term.field is None:
        found = _free_text(listed, term)
    elif term.field.entity == Owner.COLLECTION:
        found = _collection_term(listed, term)
    elif term.field.kind is SearchKind.METAFIELD:
        found = _reach(listed, term.field.entity, _metafield_term(term))
    else:
        found = _reach(listed, term.field.entity, _plain(term, _COLUMNS[term.field.name]))
    # Unknown is not yes: NULL counts as "does not hold", so that its negation holds.
    return not_(func.coalesce(found, False)) if term.negated else found


# The records that are looked at for what hangs on them.
_LISTED: Mapping[Owner, Owner] = {
    Owner.PRODUCT_METAFIELD: Owner.PRODUCT,
    Owner.VARIANT_METAFIELD: Owner.VARIANT,
    Owner.COLLECTION_MEMBERSHIP: Owner.PRODUCT,
    Owner.PRODUCT_IMAGE: Owner.PRODUCT,
    Owner.PRODUCT_GALLERY: Owner.PRODUCT,
}


def mirror_condition(owner: Owner, search: Search) -> Condition:
    """`search` over records of `owner`. The statement must hold the record's table joined with those of its parents."""
    listed = _LISTED.get(owner, owner).value
    return and_(true(), *(_mirror_term(listed, term) for term in search.terms))


def parse_where(text: str) -> Search:
    return parse_search(text, MIRROR_FIELDS, metafields=True)


_CHANGE_COLUMNS: Mapping[str, ColumnElement[Any]] = {
    **{name: staged_change.c[name] for name in ("status", "kind", "label", "author", "reviewer", "note", "product_id")},
    **{name: staged_change.c[name] for name in ("created_at", "reviewed_at", "assignee", "expires_at")},
    "batch": cast(staged_change.c.batch_id, Text),
    "direction": staged_change.c.direction,
    "id": cast(staged_change.c.id, Text),
}


# A change of a stock level names its inventory item, which belongs to one variant.
_VARIANT_OF_CHANGE = or_(
    and_(
        staged_change.c.kind.in_((Owner.VARIANT, Owner.VARIANT_METAFIELD)),
        variant.c.id == staged_change.c.resource_id,
    ),
    and_(staged_change.c.kind == Owner.INVENTORY_LEVEL, variant.c.inventory_item_id == staged_change.c.resource_id),
)


def _of_the_record(term: Term) -> Condition:
    """Vendor, title, tags of the change's product and the SKU of its variant, as the mirror has them."""
    assert term.field is not None
    table = variant if term.field.entity == Owner.VARIANT else product
    key = _VARIANT_OF_CHANGE if table is variant else product.c.id == staged_change.c.product_id
    return exists(
        select(literal(1))
        .select_from(table)
        .where(
            table.c.tenant_id == staged_change.c.tenant_id,
            table.c.store_id == staged_change.c.store_id,
            key,
            _plain(term, _COLUMNS[term.field.name]),
        )
        .correlate(staged_change)
    )


def _change_term(term: Term) -> Condition:
    if term.field is None:
        value = term.values[0]
        like = value.like if isinstance(value, Pattern) else Pattern((str(value),)).like
        found: Condition = staged_change.c.label.ilike(f"%{like}%", escape="\\")
    elif term.field.name == "field":
        found = or_(*(staged_change.c.after.has_key(str(value)) for value in term.values))
    elif term.field.entity == AMOUNT:
        found = has_amount(term.field.name) & _plain(term, amount(term.field.name))
    elif term.field.entity == "change":
        found = _plain(term, _CHANGE_COLUMNS[term.field.name])
    else:
        found = _of_the_record(term)
    return not_(func.coalesce(found, False)) if term.negated else found


def change_condition(text: str) -> Condition:
    """`text` over staged changes. Raises `InvalidInput` for what is not clear."""
    search = parse_search(text, CHANGE_FIELDS)
    return and_(true(), *(_change_term(term) for term in search.terms))
