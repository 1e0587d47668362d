"""Staged changes as rows: which record, which field, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from syncline.apps.commerce.contract import StagedChange
from syncline.apps.commerce.staging.diff import FieldChange, render_change, render_value
from syncline.main.cli.console import table
from syncline.main.cli.outcome import status_text


def _status(change: StagedChange) -> Text:
    shown = status_text(change.status)
    return shown if change.direction == "outbound" else Text.assemble(shown, " (made in the store)")


def _rows(changes: Sequence[StagedChange]) -> Iterator[Sequence[object]]:
    for change in changes:
        first = True
        for field in change.after:
            line = render_change(FieldChange(field, change.before.get(field), change.after[field]))
            if change.theirs is not None and field in change.theirs:
                line += f"   (store: {render_value(change.theirs[field])})"
            yield (
                str(change.id) if first else "",
                change.label if first else "",
                field,
                line,
                _status(change) if first else "",
            )
            first = False


def change_table(changes: Sequence[StagedChange]) -> Table:
    return table(("change", "record", "field", "before → after", "status"), _rows(changes))
