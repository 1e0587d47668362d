"""The answer to each row of a write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from syncline.connectors.shopify.errors import STALE_CODES

K = TypeVar("K")

NO_ANSWER = "NO_ANSWER"
"""Our own code: Shopify neither named a row as written nor refused it. It must be read back."""


@dataclass(frozen=True, slots=True)
class UserError:
    """Shopify's reason for refusing a row. `field` is the path inside the row (`("price",)`), empty for all of it."""

    field: tuple[str, ...]
    code: str | None
    message: str


# Without slots: an alias such as `WriteResult` cannot make a frozen class with slots (Python 3.11).
@dataclass(frozen=True)
class RowResult(Generic[K]):
    """`values` are the fields of the record as Shopify has them after the write, with Shopify's names.

    `updated_at` is Shopify's time of the record, where the answer carries it. A row that is not ok was not written.
    One that `is_overtaken` was, and has been changed by somebody else since: `values` are what was written, which is no
    longer there.
    """

    key: K
    ok: bool
    errors: tuple[UserError, ...] = ()
    updated_at: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    is_overtaken: bool = False

    @property
    def is_stale(self) -> bool:
        """Whether the row was refused because the value moved since it was read."""
        return any(error.code in STALE_CODES for error in self.errors)


WriteResult = RowResult[int]
"""Of a product or a variant, by its number."""

InventoryResult = RowResult[tuple[int, int]]
"""Of a level, by (item, location)."""


def silent() -> UserError:
    """Neither a record nor a reason came back: the row counts as not written until it is read."""
    return UserError((), NO_ANSWER, "Shopify gave no answer for this row.")


def user_errors(raw: Sequence[Mapping[str, Any]], argument: str) -> tuple[UserError, ...]:
    """Typed. Shopify names the argument first in some paths (`["product", "title"]`) and not in others."""
    return tuple(_typed(error, int((error.get("field") or [""])[0] == argument)) for error in raw)


def by_row(
    raw: Sequence[Mapping[str, Any]], list_path: Sequence[str]
) -> tuple[dict[int, list[UserError]], list[UserError]]:
    """Splits user errors into those of one row (`["variants", "3", "price"]`, by index) and those of the whole call."""
    rows: dict[int, list[UserError]] = {}
    whole: list[UserError] = []
    depth = len(list_path)
    for error in raw:
        path = list(error.get("field") or ())
        if path[:depth] == list(list_path) and len(path) > depth and path[depth].isdigit():
            rows.setdefault(int(path[depth]), []).append(_typed(error, depth + 1))
        else:
            whole.append(_typed(error, 0))
    return rows, whole


def _typed(error: Mapping[str, Any], skip: int) -> UserError:
    path = tuple(error.get("field") or ())
    return UserError(path[skip:], error.get("code"), error["message"])
