"""Every mutation the store has applied, so that a test can prove what was written, how often and with which key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that a mutation changed, and the values it was given."""

    kind: str  # the GraphQL type: Product, ProductVariant, InventoryItem, Metafield ...
    id: int | str  # a level's is `<item>@<location>`
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    number: int
    at: datetime
    mutation: str
    operation: str | None
    api_version: str
    request_id: str
    in_bulk: bool
    idempotency_key: str | None
    replayed: bool
    """The answer of an earlier call with the same key was given again; nothing was changed."""
    changes: list[Change] = field(default_factory=list)
    user_errors: list[dict[str, Any]] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "mutation": self.mutation,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "requestId": self.request_id,
            "inBulk": self.in_bulk,
            "idempotencyKey": self.idempotency_key,
            "replayed": self.replayed,
            "changes": [{"kind": one.kind, "id": one.id, "values": one.values} for one in self.changes],
            "userErrors": self.user_errors,
        }


@dataclass(slots=True)
class Ledger:
    entries: list[Entry] = field(default_factory=list)

    def add(self, **fields: Any) -> Entry:
        entry = Entry(number=len(self.entries) + 1, **fields)
        self.entries.append(entry)
        return entry

    def select(self, *, after: int = 0, mutation: str | None = None) -> list[Entry]:
        return [one for one in self.entries[after:] if mutation in {None, one.mutation}]

    def times_written(self) -> dict[str, int]:
        """How many applied changes each resource has seen: `ProductVariant/41000000000001` -> 1."""
        counts: dict[str, int] = {}
        for entry in self.entries:
            for change in entry.changes:
                name = f"{change.kind}/{change.id}"
                counts[name] = counts.get(name, 0) + 1
        return counts
