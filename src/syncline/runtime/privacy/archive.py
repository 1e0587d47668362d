"""An export as a file: a ZIP with each kind as JSON and as CSV, and a manifest that says what is in it."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, BinaryIO
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from syncline.kernel import clock
from syncline.runtime.privacy.personal_data import Record

_IN_MEMORY_BYTES = 4_000_000
_FORMULA = {"=", "+", "-", "@", "\t", "\r"}


@dataclass(slots=True)
class Archive:
    """Takes the records of one app after the other; those of a kind come together. `counts`: app -> kind -> how many.

    Each kind is kept in a file of its own until it is whole, for a ZIP is written one entry after the other and a CSV
    has to know all columns before its first row; what is small stays in memory.
    """

    file: BinaryIO
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    _zip: ZipFile = field(init=False)

    def __post_init__(self) -> None:
        self._zip = ZipFile(self.file, "w", ZIP_DEFLATED)

    async def add(self, app: str, records: AsyncIterator[Record]) -> None:
        kinds: dict[str, _Kind] = {}
        async for record in records:
            if record.kind not in kinds:
                kinds[record.kind] = _Kind()
            kinds[record.kind].add(record.values)
        for name, kind in kinds.items():
            self._write(f"{app}/{name}", kind)
            self.counts.setdefault(app, {})[name] = kind.count

    def finish(self, about: Mapping[str, Any]) -> Mapping[str, Any]:
        """Writes the manifest, which is also answered, and closes the ZIP; `file` stays open."""
        total = sum(sum(kinds.values()) for kinds in self.counts.values())
        manifest = {**about, "made_at": clock.iso(clock.now()), "records": total, "counts": self.counts}
        self._zip.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2, default=plain))
        self._zip.close()
        return manifest

    def _write(self, name: str, kind: _Kind) -> None:
        with self._zip.open(f"{name}.json", "w") as entry:
            opening = b"[\n"
            for line in kind.lines():
                entry.write(opening + line.rstrip(b"\n"))
                opening = b",\n"
            entry.write(b"\n]\n")
        with self._zip.open(f"{name}.csv", "w") as entry:
            text = io.TextIOWrapper(entry, "utf-8", newline="")
            text.write("\ufeff")  # without it Excel takes UTF-8 for something else
            rows = csv.DictWriter(text, list(kind.columns), restval="", lineterminator="\r\n")
            rows.writeheader()
            for line in kind.lines():
                rows.writerow({column: _cell(value) for column, value in json.loads(line).items()})
            text.flush()
            text.detach()
        kind.rows.close()


class _Kind:
    """The records of one kind, as lines of JSON."""

    def __init__(self) -> None:
        self.rows: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - closed when written
        self.columns: dict[str, None] = {}
        self.count = 0

    def add(self, values: Mapping[str, Any]) -> None:
        self.columns |= dict.fromkeys(values)
        self.count += 1
        self.rows.write(json.dumps(dict(values), ensure_ascii=False, default=plain).encode("utf-8", "replace") + b"\n")

    def lines(self) -> IO[bytes]:
        self.rows.seek(0)
        return self.rows


def plain(value: object) -> object:
    """For `json.dumps`: moments as ISO 8601, bytes as hexadecimal digits, everything else as its text."""
    if isinstance(value, datetime):
        return clock.iso(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # A spreadsheet computes what begins like this, and a customer chooses his own name (OWASP, CSV injection).
    return f"'{text}" if isinstance(value, str) and text[:1] in _FORMULA else text
