"""What edits make of the records that a search finds, as changes that can be staged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, true

from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.mirror.listing import Listed, gallery_value, is_member, list_records, metafield_value
from syncline.apps.commerce.mirror.models import collection
from syncline.apps.commerce.mirror.naming import Named, list_metafield_types, list_named_collections
from syncline.apps.commerce.nearest import did_you_mean
from syncline.apps.commerce.staging.edits import Edit, apply, edits_for, fields_read
from syncline.apps.commerce.staging.gallery_proposals import SHOWN, gallery_proposals
from syncline.apps.commerce.staging.membership_edits import ChangeMembership
from syncline.apps.commerce.staging.metafield_edits import SetMetafield
from syncline.apps.commerce.staging.repository import Proposal
from syncline.apps.commerce.staging.search import Search
from syncline.apps.commerce.staging.selection import mirror_condition
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.runtime.db.session import Session

Page = tuple[int, list[Proposal]]
"""How many records were looked at, and what the edits make of them."""

Refused = Callable[[Listed, InvalidInput], None]
"""Told of a record that the edits cannot be made of."""


async def with_types(session: Session, store: Store, edits: Sequence[Edit]) -> list[Edit]:
    """Edits of metafields with the type that they have elsewhere in the store, for the records that have none."""
    found: list[Edit] = []
    for edit in edits:
        name = find_name(edit.field)
        if name is not None and isinstance(edit, SetMetafield) and edit.text is not None and edit.type is None:
            types = await list_metafield_types(session, store.id, name)
            found.append(replace(edit, type=types[0]) if len(types) == 1 else edit)
        else:
            found.append(edit)
    return found


async def propose(
    session: Session,
    store: Store,
    search: Search,
    edits: Sequence[Edit],
    *,
    within: ColumnElement[bool] | None = None,
    refused: Refused | None = None,
) -> AsyncIterator[Page]:
    """Page by page. `within` is a further condition on the products of what is found. Raises `InvalidInput` for an edit
    that cannot be made of what is found, unless `refused` takes it."""
    narrowed = true() if within is None else within
    for owner in Owner:
        mine = edits_for(owner, edits)
        if not mine:
            continue
        pages = _PAGES.get(owner, _fields)
        async for page in pages(session, store, owner, mirror_condition(owner, search) & narrowed, mine, refused):
            yield page


async def _fields(
    session: Session,
    store: Store,
    owner: Owner,
    condition: ColumnElement[bool],
    edits: Sequence[Edit],
    refused: Refused | None,
) -> AsyncIterator[Page]:
    names = [name for name in (find_name(edit.field) for edit in edits) if name is not None]
    more = {name.field: metafield_value(name) for name in names}
    looked, read = 0, fields_read(edits)
    async for page in list_records(
        session, store.id, owner, condition, currency=store.currency, more=more, fields=read
    ):
        looked += len(page)
        if looked > 1 and any(edit.field == "collection_handle" for edit in edits):
            raise _wrong("collection_handle", "Only one collection can have a handle; choose it by collection:HANDLE.")
        yield (
            len(page),
            [one for record in page for one in _proposals_of(record, edits, store.currency, refused)],
        )


def _proposals_of(record: Listed, edits: Sequence[Edit], currency: str, refused: Refused | None) -> Iterator[Proposal]:
    """One for what the edits make of the record, or one for each of its metafields: these are compared, sent and
    settled one by one."""
    try:
        after = apply(edits, {**record.context, **record.values}, currency, row=record.label)
    except InvalidInput as error:
        if refused is None:
            raise
        refused(record, error)
        return
    parts = [{name: value} for name, value in after.items()] if record.owner.is_metafield else [after]
    for part in filter(None, parts):
        yield Proposal(
            kind=record.owner.value,
            resource_id=record.resource_id,
            location_id=record.location_id,
            product_id=record.product_id,
            label=record.label,
            before={name: record.values.get(name) for name in part},
            after=part,
        )


async def _memberships(
    session: Session,
    store: Store,
    owner: Owner,
    condition: ColumnElement[bool],
    edits: Sequence[Edit],
    _refused: Refused | None,
) -> AsyncIterator[Page]:
    """One for each pair of a product and a collection that becomes another one. None can be refused alone."""
    wanted = await wanted_collections(session, store, edits)
    more = {str(one.id): is_member(collection.c.id == one.id) for one in wanted}
    async for page in list_records(session, store.id, owner, condition, currency=store.currency, more=more):
        yield len(page), [proposal for record in page for proposal in _pairs(record, wanted)]


def _pairs(record: Listed, wanted: Mapping[Named, bool]) -> Iterator[Proposal]:
    for one, is_wanted in wanted.items():
        is_in = bool(record.values[str(one.id)])
        if is_in is not is_wanted:
            yield Proposal(
                kind=Owner.COLLECTION_MEMBERSHIP.value,
                resource_id=one.id,
                product_id=record.product_id,
                label=f"{record.label} in {one.title} [{one.handle}]",
                before={"collections": is_in},
                after={"collections": is_wanted},
            )


async def _galleries(
    session: Session,
    store: Store,
    owner: Owner,
    condition: ColumnElement[bool],
    edits: Sequence[Edit],
    refused: Refused | None,
) -> AsyncIterator[Page]:
    """One for each medium that is added or taken away, and one for each order that becomes another one."""
    more = {SHOWN: gallery_value()}
    async for page in list_records(session, store.id, owner, condition, currency=store.currency, more=more):
        yield len(page), [proposal for record in page for proposal in gallery_proposals(record, edits, refused)]


_PAGES = {
    Owner.COLLECTION_MEMBERSHIP: _memberships,
    Owner.PRODUCT_IMAGE: _galleries,
    Owner.PRODUCT_GALLERY: _galleries,
}
"""A kind that is not in it is a record whose fields are changed."""


async def wanted_collections(session: Session, store: Store, edits: Sequence[Edit]) -> dict[Named, bool]:
    """The collections that edits name, and whether the products are to be in them. Raises `InvalidInput` for
    one that is not there or fills itself."""
    known = {one.handle.lower(): one for one in await list_named_collections(session, store.id)}
    wanted: dict[Named, bool] = {}
    for edit in edits:
        for handle in edit.handles if isinstance(edit, ChangeMembership) else ():
            found = known.get(handle)
            if found is None:
                hint = did_you_mean(handle, known) if known else " None is mirrored yet; pull the store first."
                raise _wrong("collections", f"{store.name} has no collection {handle!r}.{hint}")
            if found.is_by_rule:
                raise _wrong(
                    "collections",
                    f"{found.title} [{handle}] fills itself by its rules, so products cannot be put in or taken out; "
                    "change what its rules look at, or choose a collection that is filled by hand.",
                )
            wanted[found] = isinstance(edit, ChangeMembership) and handle in edit.add
    return wanted


def _wrong(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields=[FieldError(field, sentence)])
