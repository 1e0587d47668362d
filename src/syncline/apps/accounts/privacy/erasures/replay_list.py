"""The list of erasures outside of the database: a line of JSON for each, which tells after a restore whom to erase
again.

It names nobody: numbers of rows mean something beside the database only. They are not sealed, for the list has to
outlive every key. Pure, but for the file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from syncline.apps.accounts.contract import ErasureListBroken
from syncline.kernel.tenant import TenantId


class _Line(msgspec.Struct, frozen=True):
    id: UUID
    tenant: UUID
    at: datetime
    reason: str
    keep_out: bool
    digests: list[str]
    numbers: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """An erasure that was asked for. `numbers` is a `Subject` that holds nothing else, as JSON."""

    id: UUID
    tenant_id: TenantId
    at: datetime
    reason: str
    keep_out: bool
    digests: Sequence[bytes]
    numbers: str


def append(path: Path, one: Remembered) -> None:
    """On the disk when this returns. The same erasure may be there twice: it is taken up once."""
    line = _Line(
        id=one.id,
        tenant=one.tenant_id,
        at=one.at,
        reason=one.reason,
        keep_out=one.keep_out,
        digests=[digest.hex() for digest in one.digests],
        numbers=one.numbers,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        # A line in one write: two workers that append at once do not mix theirs. The break before it ends a line that a
        # crash cut short.
        file.write(b"\n" + msgspec.json.encode(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Sequence[Remembered]:
    """Each erasure once. A line that a crash cut short is passed over: nothing was erased before it was whole, and who
    went on wrote it again. Raises `ErasureListBroken` for any other that is no erasure."""
    if not path.exists():
        raise ErasureListBroken(f"There is no list of erasures at {path}. Name one: syncline privacy replay FILE.")
    lines = [(number, line) for number, line in enumerate(path.read_bytes().split(b"\n"), 1) if line.strip()]
    found: dict[UUID, Remembered] = {}
    for number, line in lines:
        if not line.endswith(b"}"):
            continue
        try:
            one = msgspec.json.decode(line, type=_Line)
            digests = [bytes.fromhex(digest) for digest in one.digests]
        except (msgspec.DecodeError, ValueError) as error:
            raise ErasureListBroken(f"Line {number} of {path} is no erasure: {error}.") from error
        found[one.id] = Remembered(one.id, TenantId(one.tenant), one.at, one.reason, one.keep_out, digests, one.numbers)
    return list(found.values())
