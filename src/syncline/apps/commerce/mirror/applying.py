"""What the store answered to writes, into the mirror."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, or_, update

from syncline.apps.commerce.fields import FIELDS, AnyValue, Owner
from syncline.apps.commerce.metafields import find_name
from syncline.apps.commerce.mirror.applying_galleries import Shown, apply_galleries
from syncline.apps.commerce.mirror.applying_memberships import apply_memberships
from syncline.apps.commerce.mirror.applying_metafields import Held, apply_metafields
from syncline.apps.commerce.mirror.kinds import KINDS, Kind
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.models import inventory_item, variant
from syncline.apps.commerce.mirror.values import columns_of
from syncline.runtime.db.session import WriteSession


@dataclass(frozen=True, slots=True)
class Applied:
    """The fields one write set, and the record's time in the store's answer, if it had one."""

    owner: Owner
    key: Key
    values: Mapping[str, AnyValue]
    updated_at: datetime | None


async def apply_to_mirror(
    session: WriteSession, store_id: UUID, writes: Iterable[Applied], *, moment: datetime
) -> None:
    """Set what the writes set, one round trip per kind of record and set of fields. `moment` is the present by the
    store's clock.

    A mirror row that is already newer is left alone. The rows' hashes are cleared, so the next pull looks at their
    lines whatever they say.
    """
    alike: dict[tuple[Owner, tuple[str, ...]], list[Applied]] = {}
    metafields: list[Held] = []
    memberships: dict[Key, bool] = {}
    galleries: list[Shown] = []
    for write in writes:
        if write.owner.is_metafield:
            metafields += _held(write)
        elif write.owner is Owner.COLLECTION_MEMBERSHIP:
            memberships[write.key] = bool(write.values["collections"])
        elif write.owner in {Owner.PRODUCT_IMAGE, Owner.PRODUCT_GALLERY}:
            galleries.append((write.key, write.values))
        else:
            alike.setdefault((write.owner, tuple(write.values)), []).append(write)
    if metafields:
        await apply_metafields(session, store_id, metafields, moment=moment)
    if memberships:
        await apply_memberships(session, store_id, memberships, moment=moment)
    if galleries:
        await apply_galleries(session, store_id, galleries, moment=moment)
    for (owner, names), group in alike.items():
        await _apply(session, store_id, owner, names, group)


def _held(write: Applied) -> Iterator[Held]:
    for field, value in write.values.items():
        name = find_name(field)
        if name is not None:
            yield (name, write.key[0], value if isinstance(value, dict) else None)


# An image has one text, whichever products show it.
_KEYS: Mapping[Owner, tuple[str, ...]] = {Owner.PRODUCT_MEDIA: ("id",)}


async def _apply(
    session: WriteSession, store_id: UUID, owner: Owner, names: tuple[str, ...], group: list[Applied]
) -> None:
    kind = KINDS[owner.value]
    key = _KEYS.get(owner, kind.key)
    table = kind.table.c
    told = bindparam("b_updated_at", type_=table.source_updated_at.type)
    statement = (
        update(kind.table)
        .where(
            table.tenant_id == session.tenant_id,
            table.store_id == store_id,
            *(table[name] == bindparam(f"b_{name}") for name in key),
            or_(table.source_updated_at.is_(None), told.is_(None), table.source_updated_at <= told),
        )
        .values(
            {
                **{FIELDS[name].column: bindparam(FIELDS[name].column) for name in names},
                **_follows(kind, names),
                "line_hash": 0,
                "content_hash": 0,
                "source_updated_at": func.coalesce(told, table.source_updated_at),
            }
        )
    )
    rows = [
        {
            **columns_of(write.values),
            **{f"b_{name}": number for name, number in zip(key, write.key, strict=True)},
            "b_updated_at": write.updated_at,
        }
        for write in group
    ]
    await session.execute(statement, rows)
    if owner is Owner.VARIANT and _ON_ITEM & set(names):
        await _follow_item(session, store_id, [write.key[0] for write in group])


_ON_ITEM = frozenset({"sku", "cost", "weight", "weight_unit", "tracked", "requires_shipping"})
"""Fields that Shopify keeps with the variant's inventory item, which the mirror has as a record of its own too."""


async def _follow_item(session: WriteSession, store_id: UUID, variants: list[int]) -> None:
    table = inventory_item.c
    statement = (
        update(inventory_item)
        .where(
            table.tenant_id == session.tenant_id,
            table.store_id == store_id,
            variant.c.store_id == store_id,
            variant.c.tenant_id == session.tenant_id,
            variant.c.id.in_(variants),
            variant.c.inventory_item_id == table.id,
        )
        .values({**{name: variant.c[name] for name in sorted(_ON_ITEM)}, "line_hash": 0, "content_hash": 0})
    )
    await session.execute(statement)


def _follows(kind: Kind, names: tuple[str, ...]) -> dict[str, ColumnElement[int]]:
    """What moves with a field that was set: goods that become available are also on hand."""
    if "available" not in names:
        return {}
    table = kind.table.c
    return {"on_hand": table.on_hand + bindparam("available") - table.available}
