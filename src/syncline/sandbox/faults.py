"""Faults on demand, of any double: what goes wrong, for which requests, how often.

A fault fires when its kind is asked for at the place where it acts, the request matches, `after` matching requests have
passed, its count is not used up and its probability says so. Probabilities come from a seeded generator: the same
requests in the same order fail in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

ALIASES = {"429": "throttle", "500": "http_500", "502": "http_502", "503": "http_503", "drop": "drop_before"}

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")
_AFTER = re.compile(r"after(\d+)")
_COUNT = re.compile(r"\d+")
_PROBABILITY = re.compile(r"0?\.\d+|(\d+(?:\.\d+)?)%")


@dataclass(slots=True)
class Fault:
    kind: str
    count: int | None = None
    """How many times it still fires; None is for ever."""
    probability: float = 1.0
    match: str = ""
    """Only requests whose line (`GET /api/activities`) holds this."""
    after: int = 0
    """Matching requests that pass first."""
    seconds: float = 0.0
    fired: int = 0

    def shown(self) -> dict[str, Any]:
        return asdict(self)


class Faults:
    """Those that are on. `kinds` says which there can be, and what each does."""

    def __init__(self, kinds: Mapping[str, str], seed: int = 1) -> None:
        self.kinds = kinds
        self.active: list[Fault] = []
        self._random = Random(seed)

    def add(self, fault: Fault) -> None:
        """Raises `ValueError` for a kind there is not."""
        if fault.kind not in self.kinds:
            raise ValueError(f"There is no fault {fault.kind!r}; there are {', '.join(self.kinds)}.")
        self.active.append(fault)

    def add_all(self, text: str) -> None:
        """Reads `throttle=3,http_502=1%,slow=2s@/import,drop_after=1:after5`. All or none; raises `ValueError`."""
        added = parse_faults(text)
        for fault in added:
            Faults(self.kinds).add(fault)
        self.active.extend(added)

    def clear(self) -> None:
        self.active.clear()

    def take(self, kind: str, line: str) -> Fault | None:
        """The first fault of this kind that fires for this request."""
        for fault in self.active:
            if fault.kind == kind and fault.match in line and self._fires(fault):
                return fault
        return None

    def _fires(self, fault: Fault) -> bool:
        if fault.after > 0:
            fault.after -= 1
            return False
        if fault.count == 0 or (fault.probability < 1 and self._random.random() >= fault.probability):
            return False
        if fault.count is not None:
            fault.count -= 1
        fault.fired += 1
        return True


def parse_faults(text: str) -> list[Fault]:
    """`kind=part[:part...][@match]`, several with commas; a part is a count (`3`), a probability (`0.01` or `1%`),
    seconds (`2s`) or how many requests pass first (`after100`). Raises `ValueError` with a sentence."""
    return [_parse_fault(one.strip()) for one in text.split(",") if one.strip()]


def faults_of(sent: Any) -> list[Fault]:
    """What the control surface is sent: `{"faults": "..."}`, or one or a list of objects with a fault's fields. Raises
    `ValueError` or `TypeError`."""
    if isinstance(sent, Mapping) and "faults" in sent:
        return parse_faults(str(sent["faults"]))
    several: Iterable[Any] = sent if isinstance(sent, list) else [sent]
    return [Fault(**one) for one in several]


def _parse_fault(text: str) -> Fault:
    rest, _, match = text.partition("@")
    kind, _, parts = rest.partition("=")
    fault = Fault(ALIASES.get(kind, kind), match=match)
    for part in filter(None, parts.split(":")):
        if _COUNT.fullmatch(part):
            fault.count = int(part)
        elif found := _PROBABILITY.fullmatch(part):
            fault.probability = float(found[1]) / 100 if found[1] else float(part)
        elif found := _SECONDS.fullmatch(part):
            fault.seconds = float(found[1])
        elif found := _AFTER.fullmatch(part):
            fault.after = int(found[1])
        else:
            raise ValueError(
                f"{part!r} in the fault {text!r} is not understood; write a count (3), a probability (0.01), "
                "seconds (2s) or after100."
            )
    return fault
