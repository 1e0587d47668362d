"""The part of the contract that is about how approved changes are sent: the engine's settings, its workers, what it
costs, and the plan that is shown before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import computed_field

from syncline.kernel.errors import Conflict, InvalidInput

MOST_WORKERS = 64
MOST_PRODUCTS_AT_ONCE = 250


class Priority(StrEnum):
    """Who goes first when several stores' pushes wait for the same worker processes. Waiting counts: a push that has
    waited long enough goes before one of a higher priority that has just come."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"
    BATCH = "batch"


class Strategy(StrEnum):
    """What a push makes the most of.

    speed: takes all points that the store's bucket holds, sends as soon as there is a second's worth of them, and
    doubles its workers as long as that helps. cost: fills every request to Shopify's limit, leaves half of the bucket
    to others, and adds a worker only when it brings a fifth more. balanced: between the two.
    """

    SPEED = "speed"
    BALANCED = "balanced"
    COST = "cost"


class Wanted(StrEnum):
    """What people want of a push that is not over: go on; finish what is in flight and wait; or finish it and end."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """How a push works. `batch_size` is how many products are compared and written together; None leaves it to the
    engine. The numbers of workers hold for the push as a whole, over all processes that work on it."""

    min_workers: int = 1
    max_workers: int = 8
    batch_size: int | None = None
    priority: Priority = Priority.NORMAL
    strategy: Strategy = Strategy.BALANCED


@dataclass(frozen=True, slots=True)
class PushCost:
    """What a push has come to at the store, and what the same changes come to one product a request. Points are
    Shopify's: `requested` is what it set aside, `charged` what it took."""

    requests: int = 0
    requested: float = 0.0
    charged: float = 0.0
    naive_requests: int = 0
    naive_points: float = 0.0

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property; pydantic does
    @property
    def points_saved(self) -> float:
        """Of the naive points, between 0 and 1."""
        return max(0.0, 1 - self.charged / self.naive_points) if self.naive_points else 0.0


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker of a push. `state` is idle, waiting (for points), reading, writing, recording, left or lost; `doing`
    says it in words, `since` when that began. `process` is the machine and the process it lives in."""

    id: UUID
    number: int
    process: str
    state: str
    doing: str
    since: datetime
    done: int
    failed: int
    started_at: datetime
    seen_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class PushEngine:
    """How a push is being carried out. `products_left` are those of which nobody has begun."""

    config: EngineConfig
    wanted: Wanted
    cost: PushCost
    workers: Sequence[WorkerState]
    products_left: int
    changes_per_second: float | None
    seconds_left: float | None
    note: str | None


@dataclass(frozen=True, slots=True)
class PlanStep:
    """The changes of one kind: how many, in how many calls, at how many points in all."""

    kind: str
    changes: int
    calls: int
    points: float


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """Something that the store would refuse, or cannot take back. A blocking one is true of the push as a whole; the
    others are about single changes, of which at most ten are named."""

    code: str
    sentence: str
    changes: int
    is_blocking: bool
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PushPlan:
    """What a push would do, predicted: nothing has been sent. `seconds` counts from a bucket as it is now."""

    store: str
    changes: int
    products: int
    steps: Sequence[PlanStep]
    requests: int
    points: float
    seconds: float
    naive_requests: int
    naive_points: float
    problems: Sequence[PlanProblem]
    note: str

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property; pydantic does
    @property
    def is_blocked(self) -> bool:
        """Whether a push would be refused as it is: what has to be mended is among the problems."""
        return any(problem.is_blocking for problem in self.problems)


class PushRefused(InvalidInput):
    code = "PUSH_001"
    title = "The push cannot be started as it is"


class PushNotLive(Conflict):
    code = "PUSH_004"
    title = "The push is over"
