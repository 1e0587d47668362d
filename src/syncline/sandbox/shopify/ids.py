"""Global ids: `gid://shopify/<Type>/<number>`, a level's with `?inventory_item_id=<item>` behind it, an address's with
`?model_name=CustomerAddress`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_GID = re.compile(r"gid://shopify/([A-Za-z]\w*)/([^?/\s]+)(?:\?([^\s]*))?")
_ITEM = re.compile(r"(?:^|&)inventory_item_id=(\d+)(?:&|$)")


@dataclass(frozen=True, slots=True)
class GlobalId:
    kind: str
    number: int  # 0 when the id's last part is not a number: no such thing exists
    item_id: int | None = None


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def level_gid(number: int, item_id: int) -> str:
    return f"gid://shopify/InventoryLevel/{number}?inventory_item_id={item_id}"


def address_gid(number: int, model: str) -> str:
    return f"gid://shopify/MailingAddress/{number}?model_name={model}"


def parse_gid(text: str) -> GlobalId | None:
    """None for anything that is not a global id."""
    found = _GID.fullmatch(text)
    if not found:
        return None
    kind, last, query = found.groups()
    item = _ITEM.search(query or "")
    return GlobalId(kind, int(last) if last.isascii() and last.isdigit() else 0, int(item[1]) if item else None)


def number_of(text: str, kind: str) -> int | None:
    """The number of a global id of `kind`; None for another kind or another shape."""
    found = parse_gid(text)
    return found.number if found and found.kind == kind else None
