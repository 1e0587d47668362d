"""Takes secrets out of log lines: by the name of the field, and by the look of the value.

A net under the rule that secrets are not logged in the first place, not a licence to log them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

HIDDEN = "[hidden]"

_SECRET_FIELD = re.compile(
    r"(?i)^(.*[_-])?(token|secret|passw(or)?d|pwd|api[_-]?key|authorization|cookie|set-cookie|private[_-]?key"
    r"|bearer|credentials?|x-shopify-access-token|key_hash|secret_keys?)$"
)

# Each look is a vendor's or our own published form; the part kept lets a person tell two keys apart.
_SECRET_LOOKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(sl[a-z]?)_([0-9a-f]{6})[0-9a-f]{26}_[A-Za-z0-9_-]+"), rf"\1_\2…{HIDDEN}"),
    (re.compile(r"\bshp(at|ca|pa|ss|ua|rt)_[A-Za-z0-9]+"), rf"shp\1_{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), HIDDEN),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]+):[^\s@/]+@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"(?i)\b(password|access_token|api_key|client_secret)=([^\s&,;]+)"), rf"\1={HIDDEN}"),
)

_DEPTH = 6


def redact_text(text: str) -> str:
    """`text` with everything that looks like a credential hidden."""
    for look, replacement in _SECRET_LOOKS:
        text = look.sub(replacement, text)
    return text


def redact(value: object, *, depth: int = 0) -> Any:
    """A copy of `value` without secrets; containers deeper than six levels are cut."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return redact_text(value.decode("utf-8", "replace"))
    if depth >= _DEPTH and isinstance(value, Mapping | list | tuple | set | frozenset):
        return "[too deep to show]"
    if isinstance(value, Mapping):
        return {key: HIDDEN if _is_secret(key, item) else redact(item, depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth=depth + 1) for item in value]
    return value


def _is_secret(name: object, value: object) -> bool:
    return bool(value) and isinstance(name, str) and _SECRET_FIELD.match(name) is not None


def redact_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: hides secrets in every field and in rendered tracebacks."""
    for name in list(event):
        event[name] = HIDDEN if _is_secret(name, event[name]) else redact(event[name])
    return event
