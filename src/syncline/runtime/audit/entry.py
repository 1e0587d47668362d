"""An entry of the trail, how it is written down, and its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from syncline.kernel import clock
from syncline.kernel.tenant import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`method` is how the actor proved who he is (`key`, `session`, `shell`); `subject` what it was done to;
    `outcome` is `done`, or an HTTP status, or a word for why not. `before` and `after` hold what a person needs to see
    of a change, never a secret."""

    number: int
    at: datetime
    actor: str
    role: str
    method: str
    user_id: UUID | None
    action: str
    subject: str
    outcome: str
    address: str | None
    correlation_id: str | None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A row as it lies in the database: the columns that are searched, the text that was hashed, and both hashes."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    outcome: str
    correlation_id: str | None
    content: str
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """The number and hash of the last entry of a tenant."""

    number: int
    hash: bytes


def canonical(entry: Entry) -> str:
    """JSON in one form only: sorted names, no blanks. Half a character, which no text can hold, becomes “?”."""
    body = {
        "number": entry.number,
        "at": clock.iso(entry.at),
        "actor": entry.actor,
        "role": entry.role,
        "method": entry.method,
        "user_id": entry.user_id,
        "action": entry.action,
        "subject": entry.subject,
        "outcome": entry.outcome,
        "address": entry.address,
        "correlation_id": entry.correlation_id,
        "before": entry.before,
        "after": entry.after,
        "details": entry.details,
    }
    written = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)
    return written.encode("utf-8", "replace").decode()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return clock.iso(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)


def parse(content: str) -> Entry:
    """The entry that `content` is. Raises `ValueError` for what no entry of ours is."""
    try:
        body = json.loads(content)
        return Entry(
            **body | {"at": datetime.fromisoformat(body["at"]), "user_id": body["user_id"] and UUID(body["user_id"])}
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no entry: {error}") from error


def beginning(tenant_id: TenantId) -> bytes:
    """What stands before a tenant's first entry: chains of two tenants never share a part."""
    return hashlib.sha256(b"syncline audit " + tenant_id.bytes).digest()


def hash_of(previous: bytes, content: str) -> bytes:
    return hashlib.sha256(previous + content.encode()).digest()
