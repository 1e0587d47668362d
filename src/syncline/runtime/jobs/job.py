"""What an app declares and what its handler is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from syncline.kernel.errors import SynclineError
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs.cron import is_cron
from syncline.runtime.jobs.retry import RetryPolicy


class JobTakenOver(SynclineError):
    """This attempt no longer owns its job: the worker was silent too long and another one has it. Whatever the
    transaction at hand did must not be kept; raising this out of the handler undoes it and ends the attempt."""


class JobCancelled(SynclineError):
    """Raised by a handler that stops because `JobContext.cancelled` said so. Returning does the same."""


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of background work. Names are stable: they are stored in the queue.

    `run` gets the payload that was enqueued, with `tenant_id` added. It may be started again after it has half run
    (a killed worker), so it keeps its own cursor and continues from there. `lock` names what must not be worked on
    twice at once, such as a store: of all jobs of one app and tenant with the same lock one runs at a time.
    """

    name: str
    run: Callable[[JobContext, dict[str, Any]], Awaitable[None]]
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    lock: Callable[[Mapping[str, Any]], str] | None = None

    def __post_init__(self) -> None:
        app, point, verb = self.name.partition(".")
        if not (app and point and verb) or set(self.name) & set("@! "):
            raise ValueError(f"a job is named app.verb_noun, not {self.name!r}")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Enqueues `job` at the times `cron` names (five fields, UTC), once in the whole fleet. The job belongs to no
    tenant and has an empty payload. What was missed while no worker ran is made up once, not once per time missed."""

    job: str
    cron: str

    def __post_init__(self) -> None:
        if not is_cron(self.cron):
            raise ValueError(f"the schedule of {self.job} is not a cron expression: {self.cron!r}")


@dataclass(slots=True)
class Signals:
    """What the worker tells a running handler. Set by the worker, read through `JobContext`."""

    cancel: bool = False
    cancel_seen: bool = False
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class JobContext:
    """Handed to `Job.run`. `attempt` counts from 1 and includes attempts that died with their worker."""

    runtime: Any
    job_id: int
    attempt: int
    tenant: TenantId | None
    signals: Signals = field(default_factory=Signals, repr=False)
    worker_id: UUID | None = field(default=None, repr=False)
    hold_in: Callable[[JobContext, WriteSession], Awaitable[bool]] | None = field(default=None, repr=False)

    @property
    def tenant_id(self) -> TenantId:
        """Whose job this is. Raises `LookupError` for a job of the system, such as a scheduled one."""
        if self.tenant is None:
            raise LookupError(f"job {self.job_id} belongs to no tenant")
        return self.tenant

    async def cancelled(self) -> bool:
        """Somebody asked this job to stop. Ask between chunks; at most a second old."""
        self.signals.cancel_seen = self.signals.cancel_seen or self.signals.cancel
        return self.signals.cancel

    @property
    def stopping(self) -> bool:
        """The worker shuts down. A handler that returns after enqueueing the rest of its work saves a hand-back."""
        return self.signals.stopping

    async def hold(self, session: WriteSession) -> None:
        """Makes the commit of `session` depend on this attempt still owning its job: raises `JobTakenOver` if it does
        not, and if it does nobody can take the job over before that commit. Call it last in the transaction, because
        the job's row stays locked until then."""
        if self.hold_in is not None and not await self.hold_in(self, session):
            raise JobTakenOver(f"job {self.job_id} was taken over by another worker")
