"""Two families of errors, told apart by who has to act.

SynclineError
├── DomainError            a request that cannot be done as asked; becomes problem JSON with `code` and `status`
│   ├── InvalidInput       400, with the fields that are wrong
│   ├── Unauthenticated    401
│   ├── NotAllowed         403
│   ├── NotFound           404
│   ├── Conflict           409
│   └── Unavailable        503
└── ConnectorOutcome       what a vendor's answer means for the work at hand
    ├── Fatal              a person must act: settings, permission, plan
    ├── Retriable          try the same again after `wait`
    └── Skippable          this record only; the rest goes on
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar


class SynclineError(Exception):
    """Root of everything Syncline raises on purpose."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: where it stands (`dateRange.chunkSize`, `row 7, Variant Price`) and what to do about it."""

    field: str
    message: str


class DomainError(SynclineError):
    """A sentence for a person, a stable code for a program, and the HTTP status both are sent with."""

    code: ClassVar[str] = "REQ_000"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "The request cannot be done as asked"

    def __init__(
        self,
        sentence: str,
        *,
        fields: Sequence[FieldError] = (),
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.fields = tuple(fields)
        self.extra = dict(extra or {})


class InvalidInput(DomainError):
    code = "REQ_001"
    status = 400
    title = "The request is not valid"


class Unauthenticated(DomainError):
    code = "API_001"
    status = 401
    title = "A key or a sign-in is needed"


class NotAllowed(DomainError):
    code = "API_002"
    status = 403
    title = "Not allowed"


class NotFound(DomainError):
    code = "REQ_004"
    status = 404
    title = "Not found"


class Conflict(DomainError):
    code = "REQ_009"
    status = 409
    title = "Conflict with the present state"


class Unavailable(DomainError):
    code = "REQ_503"
    status = 503
    title = "Not available at the moment"


class ConnectorOutcome(SynclineError):
    """What a vendor's refusal means. The worker reads the class, never the vendor.

    `sentence` is for the person who runs the shop; `detail` is for the log and may quote the vendor (already redacted).
    `vendor_code` is the vendor's own word for it, kept for receipts.
    """

    def __init__(self, sentence: str, *, detail: str = "", vendor_code: str | None = None) -> None:
        super().__init__(f"{sentence} ({detail})" if detail else sentence)
        self.sentence = sentence
        self.detail = detail
        self.vendor_code = vendor_code


class Fatal(ConnectorOutcome):
    """A person must act; trying again changes nothing."""


class Retriable(ConnectorOutcome):
    """The same call may work later; `wait` is the least time to leave, when the vendor said or implied one."""

    def __init__(
        self,
        sentence: str,
        *,
        detail: str = "",
        vendor_code: str | None = None,
        wait: timedelta | None = None,
    ) -> None:
        super().__init__(sentence, detail=detail, vendor_code=vendor_code)
        self.wait = wait


class Skippable(ConnectorOutcome):
    """This record cannot be done; it is recorded with its reason and the rest goes on."""
