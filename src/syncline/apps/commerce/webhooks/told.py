"""What a webhook says of the mirror's records. Pure; shapes are those of Shopify's REST resources (October 2026)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import msgspec

from syncline.apps.commerce.mirror.kind import Content
from syncline.apps.commerce.mirror.lines import Key
from syncline.kernel.errors import Skippable

Payload: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """One record as the payload has it. `values` are the mirror's columns that it holds, key columns among them; what
    it does not hold stays as the mirror has it. `parts` replace the lists of that name."""

    kind: str
    key: Key
    version: datetime | None
    values: Mapping[str, Any]
    parts: Mapping[str, Sequence[Content]] = field(default_factory=dict)


Reading: TypeAlias = tuple[str, int, int]
"""A record to be read from the store: stream, number, and the second half of a key of two or 0."""


@dataclass(frozen=True, slots=True)
class Tidings:
    """All that one webhook says. `kind`, `number` and `version` name the record it is about. `told` are written,
    `buried` are gone; `only` says, by a child's kind, which children are left of the record; `readings` are what has to
    be asked of the store because the payload does not hold it."""

    kind: str
    number: int
    version: datetime | None = None
    told: Sequence[Told] = ()
    buried: Sequence[tuple[str, Key]] = ()
    only: Mapping[str, frozenset[int]] = field(default_factory=dict)
    readings: Sequence[Reading] = ()


Reader: TypeAlias = Callable[[Payload], Tidings]


def number(payload: Payload, name: str) -> int:
    """Raises `Skippable` when it is missing or no number."""
    value = payload.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise Skippable(f"The webhook has no {name} that Syncline can use.", detail=f"{name}={value!r:.80}")
    return value


def moment(payload: Payload, name: str) -> datetime | None:
    """With the shop's own offset in the payload, in UTC here. Raises `Skippable` for what is no time."""
    value = payload.get(name)
    if value is None:
        return None
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except ValueError as error:
        raise Skippable(f"The webhook's {name} is no time.", detail=f"{name}={value!r:.80}") from error


def tags(payload: Payload) -> list[str]:
    """REST writes them as one text with commas."""
    given = payload.get("tags") or ""
    texts = given if isinstance(given, list) else str(given).split(",")
    return [text for one in texts if (text := str(one).strip())]


def decode(body: bytes) -> Payload:
    """Raises `Skippable` when it is not a JSON object, or holds what no text of the database can."""
    if b"\\u0000" in body or b"\0" in body:
        raise Skippable("The body has a NUL character in it, which PostgreSQL keeps in no text.")
    try:
        found = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Skippable("The body is not JSON.", detail=str(error)) from error
    if not isinstance(found, dict):
        raise Skippable("The body is JSON, but no object.")
    return found


_DECODER: Final = msgspec.json.Decoder(float_hook=str)
