"""What a command asks of the full sync, in the API's words, and what is wrong with it, in the command's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from syncline.apps.outreach.sync_contract import SyncRefused
from syncline.kernel.errors import FieldError

_OPTIONS: Final = {
    "platforms": "--platforms",
    "namespaces": "--namespaces",
    "syncMode": "MODE",
    "startDate": "--since",
    "endDate": "--until",
    "parallelWorkers": "--workers",
    "batchSize": "--batch-size",
}
# Of a message only the words that can mean nothing else: “platforms” may be just the word.
_FIELD = re.compile(r"\b(syncMode|startDate|endDate|parallelWorkers|batchSize)\b")


def in_fields(*, platforms: str, namespaces: str, since: str | None, until: str | None, workers: int) -> dict[str, Any]:
    """As the API is told it, without what was left out."""
    body = {
        "platforms": platforms or None,
        "namespaces": namespaces or None,
        "startDate": since,
        "endDate": until,
        "parallelWorkers": workers,
    }
    return {name: value for name, value in body.items() if value is not None}


@contextmanager
def refused_in_options() -> Iterator[None]:
    """A refusal names the options of the command instead of the fields of a body."""
    try:
        yield
    except SyncRefused as refused:
        found = [FieldError(_OPTIONS.get(one.field, one.field), _in_options(one.message)) for one in refused.fields]
        sentence = f"{found[0].field}: {found[0].message}" if found else _in_options(refused.sentence)
        raise SyncRefused(sentence, fields=found) from refused


def _in_options(message: str) -> str:
    return _FIELD.sub(lambda met: _OPTIONS[met[0]], message)
