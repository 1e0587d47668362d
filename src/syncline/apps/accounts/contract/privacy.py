"""What people may ask about their data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from syncline.kernel.errors import Conflict, DomainError, InvalidInput, NotFound
from syncline.kernel.tenant import Actor, TenantId

DO_NOT_SELL = "do-not-sell-or-share"
"""The document under which the choice that data is neither sold nor shared (CCPA, section 1798.120) is recorded."""


@dataclass(frozen=True, slots=True)
class SubjectRef:
    """Whom it is about, in one of three ways: an e-mail address, the id of a person, or a customer of a store."""

    email: str | None = None
    user_id: UUID | None = None
    store: str | None = None
    customer: int | None = None


@dataclass(frozen=True, slots=True)
class PersonalExport:
    """`status`: queued, running, completed, failed, expired. `manifest` counts what is in the file."""

    id: UUID
    status: str
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    size_bytes: int | None
    manifest: Mapping[str, Any] | None
    error: str | None


@dataclass(frozen=True, slots=True)
class ErasureStep:
    """One app's part; None until it is done."""

    app: str
    counts: Mapping[str, int] | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What an erasure would do, found by doing it and taking it back. `objections` stand against it."""

    steps: Sequence[ErasureStep]
    objections: Sequence[str] = ()

    @property
    def total(self) -> int:
        return sum(sum((step.counts or {}).values()) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Erasure:
    """`status`: queued, running or completed. Names nobody: `reference` is a keyed digest of whom it was about."""

    id: UUID
    status: str
    reason: str
    keep_out: bool
    reference: str
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    error: str | None
    steps: Sequence[ErasureStep] = ()


@dataclass(frozen=True, slots=True)
class Consent:
    """One line of a history that only grows."""

    id: UUID
    document: str
    version: str
    is_given: bool
    method: str
    at: datetime
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Choices:
    """What somebody agreed to and chose. `history` is newest first; `standing` the last word on each document."""

    standing: Sequence[Consent] = ()
    history: Sequence[Consent] = ()
    may_not_be_sold: bool = False


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """`days` is what holds here, None for ever; `found` how many are older, where it was counted."""

    name: str
    about: str
    days: int | None
    default_days: int | None
    least_days: int
    found: int | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a list of erasures: those whose database has not done them were started again."""

    started: Sequence[UUID] = field(default_factory=tuple)
    tenants: Sequence[TenantId] = field(default_factory=tuple)
    """Whose those are, in the same order."""

    done_before: int = 0
    of_no_tenant: int = 0


class SubjectUnclear(InvalidInput):
    code = "PRIV_001"
    title = "Say whom it is about"


class ExportNotFound(NotFound):
    code = "PRIV_002"
    title = "No such export"


class ExportNotReady(Conflict):
    code = "PRIV_003"
    title = "The export is not ready"


class ExportExpired(DomainError):
    code = "PRIV_004"
    status = 410
    title = "The export has expired"


class ErasureNotFound(NotFound):
    code = "PRIV_005"
    title = "No such erasure"


class ErasureObjected(Conflict):
    code = "PRIV_006"
    title = "This cannot be erased yet"


class RuleNotFound(NotFound):
    code = "PRIV_007"
    title = "No such retention rule"


class ErasureListBroken(InvalidInput):
    code = "PRIV_008"
    title = "This is no list of erasures"


class Privacy(Protocol):
    """Exports, erasures, consents and retention, of the actor's tenant. Raises `SubjectUnclear` wherever a subject is
    named, and `NotFound` where a store of that name is not there."""

    async def export_person(self, *, actor: Actor, subject: SubjectRef, file: BinaryIO) -> Mapping[str, Any]:
        """All that is held of somebody into `file`, a ZIP, at once. Answers the manifest. Raises `TenantSignInOnly`
        for somebody with an account, who may belong to other tenants too."""
        ...

    async def start_export(self, *, actor: Actor, subject: SubjectRef) -> PersonalExport:
        """The same by a job; the file waits to be fetched until it expires. Raises what `export_person` raises."""
        ...

    async def get_export(self, *, actor: Actor, export_id: UUID) -> PersonalExport:
        """Raises `ExportNotFound`."""
        ...

    async def plan_erasure(self, *, actor: Actor, subject: SubjectRef, keep_out: bool = True) -> ErasurePlan:
        """What an erasure would do. Changes nothing. Raises `TenantSignInOnly`, as the erasure would."""
        ...

    async def start_erasure(self, *, actor: Actor, subject: SubjectRef, reason: str, keep_out: bool = True) -> Erasure:
        """By a job, app after app. `keep_out`: what a store sends of the same records again is emptied of him too.
        Raises `ErasureObjected`, for example for the last owner of a tenant, and `TenantSignInOnly`."""
        ...

    async def get_erasure(self, *, actor: Actor, erasure_id: UUID) -> Erasure:
        """Raises `ErasureNotFound`."""
        ...

    async def list_erasures(self, *, actor: Actor, subject: SubjectRef | None = None) -> Sequence[Erasure]:
        """Newest first; only those of somebody, if he is named."""
        ...

    async def replay_erasures(self, *, path: str | None = None, is_dry_run: bool = False) -> Replayed:
        """After a backup was restored: start again every erasure of the list (of all tenants) that the database knows
        nothing of. Raises `ErasureListBroken`."""
        ...

    async def count_unfinished(self, *, started: Replayed) -> int:
        """How many of the erasures that a replay started have not ended yet."""
        ...

    async def record_consent(
        self,
        *,
        actor: Actor,
        subject: SubjectRef,
        document: str,
        version: str,
        is_given: bool,
        method: str,
        at: datetime | None = None,
    ) -> Consent:
        """`method` says how he said so: web form, paper, phone. Nothing that was recorded is changed by it."""
        ...

    async def choose_sale(self, *, actor: Actor, subject: SubjectRef, may_not_be_sold: bool, method: str) -> Choices:
        """The CCPA opt-out, or its end."""
        ...

    async def choices_of(self, *, actor: Actor, subject: SubjectRef) -> Choices: ...

    async def list_not_for_sale(self, *, tenant_id: TenantId, emails: Sequence[str]) -> Sequence[str]:
        """Those of `emails` whose data may be neither sold nor shared. For apps that hand data to others."""
        ...

    async def list_retention(self, *, actor: Actor, counted: bool = False) -> Sequence[RetentionRule]:
        """Every rule; with `counted`, how much of it would be removed now: the dry run."""
        ...

    async def set_retention(self, *, actor: Actor, rule: str, days: int | None) -> RetentionRule:
        """None keeps it for ever. Raises `RuleNotFound`; `InvalidInput` for fewer days than the rule needs."""
        ...

    async def apply_retention(self, *, actor: Actor) -> Mapping[str, int]:
        """Remove now what the rules say, and not only at night. How many of each."""
        ...
