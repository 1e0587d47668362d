"""A record of the mirror, or a fresh answer of the store, as the field values that changes are made of."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping

from syncline.apps.commerce.fields import FIELDS, AnyValue, Owner, Value, canonical, fields_of
from syncline.apps.commerce.metafields import Metafield
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.connectors.shopify.ids import number_of


def values_of_row(
    owner: Owner, row: RowMapping | Mapping[str, Any], currency: str, names: Container[str] | None = None
) -> dict[str, Value]:
    """Every field of the catalogue that belongs to `owner`, or those of them that are named, from a row with the
    mirror's column names."""
    return {
        field.name: canonical(field.name, row[field.column], currency)
        for field in fields_of(owner)
        if names is None or field.name in names
    }


def values_of_node(owner: Owner, node: Any, currency: str) -> dict[str, Value]:
    """The same, from what the connector read."""
    kind = KINDS[owner.value]
    return values_of_row(owner, dict(zip(kind.columns, kind.content(node), strict=True)), currency)


def metafield_of(answer: Mapping[str, Any]) -> Metafield:
    """A metafield as the store told it, with Shopify's names, as the value of its field."""
    return {
        "type": answer["type"],
        "value": answer["value"],
        "id": str(number_of(answer["id"])),
        "digest": answer["compareDigest"],
        "created_at": answer["createdAt"],
        "updated_at": answer["updatedAt"],
    }


def pick(values: Mapping[str, AnyValue], names: Sequence[str]) -> dict[str, AnyValue]:
    return {name: values.get(name) for name in names}


def columns_of(after: Mapping[str, AnyValue]) -> dict[str, AnyValue]:
    """Field values under the names of the mirror's columns."""
    return {FIELDS[name].column: value for name, value in after.items() if name in FIELDS}
