"""How the parts of a merchant's edit are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from syncline.sandbox.shopify.amounts import moment
from syncline.sandbox.shopify.ids import parse_gid
from syncline.sandbox.shopify.state import Store

Edit = Mapping[str, Any]
Apply = Callable[[Store, Edit, dict[str, Any]], dict[str, Any]]
"""(store, the edit, its `set`) -> what was touched."""


class EditError(ValueError):
    """The edit names something that is not there, or a field nobody has."""


def known(fields: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    strange = sorted(set(fields) - names)
    if strange:
        raise EditError(f"There is no field {strange[0]!r} to edit; there are {', '.join(sorted(names))}.")
    return dict(fields)


def number(given: Any) -> int:
    """Of a number, a numeric text or a global id; 0, which nothing has, for anything else."""
    found = parse_gid(given) if isinstance(given, str) else None
    if found is not None:
        return found.number
    try:
        return int(given)
    except (TypeError, ValueError):
        return 0


def found(table: Mapping[int, Any], given: Any, what: str) -> Any:
    entity = table.get(number(given))
    if entity is None:
        raise EditError(f"There is no {what} {given!r}.")
    return entity


def shown(entity: Any) -> dict[str, Any]:
    return {"kind": type(entity).__name__, "id": entity.id, "updatedAt": moment(getattr(entity, "updated_at", None))}
