"""Faults on demand: what goes wrong, for which requests, how often.

Set over the control surface or with `--faults`. A fault fires when its kind is asked for at the place where it acts,
the request matches, `after` matching requests have passed, its count is not used up and its probability says so.
Probabilities come from a seeded generator: the same requests in the same order fail in the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random
from typing import Any

from syncline.sandbox import webhooks

HTTP_KINDS = ("http_500", "http_502", "http_503")
KINDS = {
    "throttle": "THROTTLED, whatever the bucket holds",
    "http_500": "HTTP 500 with Shopify's JSON body",
    "http_502": "HTTP 502 with an HTML body, as a proxy sends it",
    "http_503": "HTTP 503 with an HTML body",
    "slow": "waits `seconds` before answering",
    "drop_before": "aborts the TCP connection before anything is applied",
    "drop_after": "applies the request, then aborts the TCP connection without an answer",
    "html": "HTTP 200 with an HTML page",
    "internal_error": "GraphQL error INTERNAL_SERVER_ERROR, nothing applied",
    "field_removed": "the schema refuses `field`, given as Type.field",
    "token_revoked": "HTTP 401",
    "retry_after": "HTTP 429 with Retry-After: `seconds`",
    "bulk_fail": "the bulk operation ends FAILED with a partial result",
    "bulk_too_large": "a bulk operation over more than `objects` ends FAILED with TIMEOUT and what it had until then",
    "bulk_expire_url": "the result's address answers as an expired one",
    "bulk_truncate": "the result file's connection ends before its end",
    "bulk_reorder": "result lines come in another order",
    "bulk_duplicate_lines": "some result lines come twice",
    "bulk_missing_objects": "some result lines are missing",
    "bulk_stuck": "the bulk operation stays RUNNING",
    **webhooks.KINDS,
    "webhook_signature": "a webhook is signed with a secret that is nobody's",
}
ALIASES = {"500": "http_500", "502": "http_502", "503": "http_503", "429": "retry_after", "drop": "drop_before"}
DEFAULT_RETRY_AFTER = 2.0

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")
_AFTER = re.compile(r"after(\d+)")
_COUNT = re.compile(r"\d+")
_PROBABILITY = re.compile(r"0?\.\d+|(\d+(?:\.\d+)?)%")
_FIELD = re.compile(r"[A-Z]\w*\.[a-z]\w*")


@dataclass(slots=True)
class Fault:
    kind: str
    count: int | None = None
    """How many times it still fires; None is for ever."""
    probability: float = 1.0
    match: str = ""
    """Only requests whose operation name is this, or whose query text holds it."""
    after: int = 0
    """Matching requests that pass first."""
    seconds: float = 0.0
    field: str = ""
    objects: int = 0
    """How many objects a bulk operation manages, of `bulk_too_large`."""
    fired: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault {self.kind!r}; there are {', '.join(KINDS)}.")

    def matches(self, operation: str | None, text: str) -> bool:
        return not self.match or self.match == operation or self.match in text

    def shown(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "count": self.count,
            "probability": self.probability,
            "match": self.match,
            "after": self.after,
            "seconds": self.seconds,
            "field": self.field,
            "objects": self.objects,
            "fired": self.fired,
        }


@dataclass(slots=True)
class Faults:
    active: list[Fault] = field(default_factory=list)
    random: Random = field(default_factory=lambda: Random(1))

    def add(self, fault: Fault) -> None:
        self.active.append(fault)

    def clear(self) -> None:
        self.active.clear()

    def take(self, kind: str, operation: str | None = None, text: str = "") -> Fault | None:
        """The fault of `kind` that fires for this request, counted as fired; None when none does."""
        for fault in self.active:
            if fault.kind == kind and fault.matches(operation, text) and self._fires(fault):
                fault.fired += 1
                return fault
        return None

    def take_over(self, objects: int, text: str) -> Fault | None:
        """The `bulk_too_large` that an operation over so many objects runs into."""
        for fault in self.active:
            is_over = fault.kind == "bulk_too_large" and objects > fault.objects
            if is_over and fault.matches(None, text) and self._fires(fault):
                fault.fired += 1
                return fault
        return None

    def removed_fields(self, operation: str | None, text: str) -> frozenset[tuple[str, str]]:
        """Fields the schema refuses for this request; a fault whose field the text does not name is left alone."""
        removed = set()
        for fault in self.active:
            owner, _, name = fault.field.partition(".")
            is_asked = fault.kind == "field_removed" and name in text and fault.matches(operation, text)
            if is_asked and self._fires(fault):
                fault.fired += 1
                removed.add((owner, name))
        return frozenset(removed)

    def _fires(self, fault: Fault) -> bool:
        if fault.after:
            fault.after -= 1
            return False
        if fault.count == 0:
            return False
        if fault.probability < 1 and self.random.random() >= fault.probability:
            return False
        if fault.count is not None:
            fault.count -= 1
        return True


def parse_faults(text: str) -> list[Fault]:
    """`throttle=3,502=0.01,slow=2s@products,token_revoked=after100,field_removed=Product.vendor`.

    Each is `kind=part[:part...][@match]`, a part being a count (`3`), a probability (`0.01` or `1%`), seconds (`2s`),
    how many requests pass first (`after100`) or a schema field. Without parts it fires for ever. The number of
    `bulk_too_large=5000` is how many objects an operation manages. Raises `ValueError` with a sentence that names what
    is wrong.
    """
    return [_parse_fault(one.strip()) for one in text.split(",") if one.strip()]


def _parse_fault(text: str) -> Fault:
    rest, _, match = text.partition("@")
    kind, _, parts = rest.partition("=")
    fault = Fault(ALIASES.get(kind, kind), match=match)
    for part in filter(None, parts.split(":")):
        if _COUNT.fullmatch(part) and fault.kind == "bulk_too_large":
            fault.objects = int(part)
        elif _COUNT.fullmatch(part):
            fault.count = int(part)
        elif found := _PROBABILITY.fullmatch(part):
            fault.probability = float(found[1]) / 100 if found[1] else float(part)
        elif found := _SECONDS.fullmatch(part):
            fault.seconds = float(found[1])
        elif found := _AFTER.fullmatch(part):
            fault.after = int(found[1])
        elif _FIELD.fullmatch(part):
            fault.field = part
        else:
            raise ValueError(
                f"{part!r} in the fault {text!r} is not understood; write a count (3), a probability (0.01), "
                "seconds (2s), after100 or Type.field."
            )
    if fault.kind == "field_removed" and not fault.field:
        raise ValueError(f"The fault {text!r} needs a field, as in field_removed=Product.vendor.")
    if fault.kind == "bulk_too_large" and not fault.objects:
        raise ValueError(f"The fault {text!r} needs a number of objects, as in bulk_too_large=5000.")
    return fault
