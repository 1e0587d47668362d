"""The trail as a file that other tools read: CSV, or one JSON object a line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from syncline.kernel import clock
from syncline.runtime.audit.entry import Entry


class TrailFormat(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


Lines = AsyncIterator[str]

MEDIA_TYPES = {TrailFormat.CSV: "text/csv; charset=utf-8", TrailFormat.JSONL: "application/jsonl"}

_COLUMNS = (
    "number",
    "at",
    "actor",
    "role",
    "method",
    "user_id",
    "action",
    "subject",
    "outcome",
    "address",
    "correlation_id",
    "before",
    "after",
    "details",
)


def plain(entry: Entry) -> dict[str, Any]:
    """With moments and ids as text."""
    return {**asdict(entry), "at": clock.iso(entry.at), "user_id": entry.user_id and str(entry.user_id)}


async def lines(entries: AsyncIterator[Entry], form: TrailFormat) -> Lines:
    """The file, a line at a time."""
    if form is TrailFormat.CSV:
        yield _csv_line(_COLUMNS)
    async for entry in entries:
        row = plain(entry)
        if form is TrailFormat.JSONL:
            yield json.dumps(row, ensure_ascii=False) + "\n"
        else:
            yield _csv_line([_cell(row[name]) for name in _COLUMNS])


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    # A spreadsheet computes what begins like this, and an attacker may choose a name (OWASP, CSV injection).
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _csv_line(cells: list[str] | tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()
