"""What a vendor's answer means for the call that was made, finer than the kernel's three outcomes.

    Retriable
    ├── NotProcessed           proven not to have been carried out: any call may be sent again
    │   ├── Throttled          too many calls; the vendor is well
    │   └── NotNow             waiting here would hold up a worker: for the job queue
    │       └── BreakerOpen    not sent at all, because the vendor has been failing
    ├── VendorTrouble          5xx, time-out, dropped connection, unreadable body: may have been carried out
    └── OutcomeUnknown         the same for a call that must not be repeated blindly: read back, then decide

Only `NotProcessed` allows a call that is not idempotent to be repeated by the kit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from syncline.kernel.errors import ConnectorOutcome, Fatal, Retriable


class NotProcessed(Retriable):
    """The vendor certainly did nothing with this call."""


class Throttled(NotProcessed):
    """The vendor asked for fewer calls; this says nothing against its health."""


class NotNow(NotProcessed):
    """Not done, and not to be waited for in place: `retrying` raises it at once, its wait is for the job queue."""


class BreakerOpen(NotNow):
    """Not sent: the circuit breaker of this upstream is open."""


class VendorTrouble(Retriable):
    """The vendor failed, or its answer did not arrive whole. A write may or may not have been carried out."""


class OutcomeUnknown(Retriable):
    """A call that is not idempotent ended without a readable answer.

    Whoever made the call reads the record back and compares before sending it again.
    """


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of an error table. `sentence` is for a person and may use `{names}` filled in when it is raised.

    `wait` is the least time to leave when the vendor gives none itself.
    """

    outcome: type[ConnectorOutcome]
    sentence: str
    wait: timedelta | None = None


class ErrorTable:
    """Status or vendor code to outcome. Looked up by code, never by message text, which vendors reword."""

    def __init__(self, rules: Mapping[int | str, Rule], *, otherwise: Rule) -> None:
        self._rules = dict(rules)
        self._otherwise = otherwise

    def __contains__(self, code: object) -> bool:
        return code in self._rules

    def rule(self, code: int | str | None) -> Rule:
        """The rule of `code`; for an HTTP status without one, that of its hundred (`500` speaks for every 5xx)."""
        if code is None:
            return self._otherwise
        if code in self._rules:
            return self._rules[code]
        if isinstance(code, int) and (hundred := code // 100 * 100) in self._rules:
            return self._rules[hundred]
        return self._otherwise

    def outcome(
        self,
        code: int | str | None,
        *,
        detail: str = "",
        wait: timedelta | None = None,
        **names: str,
    ) -> ConnectorOutcome:
        """An outcome ready to raise; `detail` must be redacted already."""
        rule = self.rule(code)
        names.setdefault("code", str(code))
        sentence = rule.sentence.format_map(names)
        vendor_code = None if code is None else str(code)
        if issubclass(rule.outcome, Retriable):
            return rule.outcome(sentence, detail=detail, vendor_code=vendor_code, wait=wait or rule.wait)
        return rule.outcome(sentence, detail=detail, vendor_code=vendor_code)


class UnknownVersion(Fatal):
    """The connector was asked to speak a version of the vendor's interface that it does not know."""
