"""What a change was, in the words of the feature that made it: what stood there before, and what stands there after.

A service says it where it knows it; the entry itself is written where one is due, at the edge of the request or the
command, and carries what was said. So a service needs neither the actor nor a second entry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from syncline.runtime.audit.origin import Change, current_origin

_SECRET = re.compile(r"(^|_)(token|secret|password|passphrase|key|seed|code|digest|hash|sealed|bearer)s?(_|$)")
_HIDDEN = "(not shown)"
_LONGEST = 500
_MOST = 100
"""A bulk change names so many of its subjects; their number is in the entry in any case."""


def note_change(subject: str, *, before: object = None, after: object = None) -> None:
    """`before` None: it was made; `after` None: it was removed. Each is a mapping or a dataclass, of which only what
    differs is kept. Values whose name is that of a secret are replaced by words."""
    was, now = _plain(before), _plain(after)
    if was is not None and now is not None:
        differs = {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
        if not differs:
            return
        was, now = _only(was, differs), _only(now, differs)
    here = current_origin()
    here.changed += 1
    if len(here.changes) < _MOST:
        here.changes.append(Change(subject, _redacted(was), _redacted(now)))


def _plain(value: object) -> dict[str, Any] | None:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"a change is told as a mapping or a dataclass, not as {type(value).__name__}")


def _only(values: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


def _redacted(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if values is None else {name: _shown(name, value) for name, value in values.items()}


def _shown(name: str, value: Any) -> Any:
    if value is not None and not isinstance(value, bool) and _SECRET.search(name):
        return _HIDDEN
    if isinstance(value, bytes):
        return _HIDDEN
    if isinstance(value, Mapping):
        return _redacted(value)
    if isinstance(value, str):
        return value[:_LONGEST]
    if isinstance(value, list | tuple):
        return [_shown(name, one) for one in value[:_MOST]]
    return value
