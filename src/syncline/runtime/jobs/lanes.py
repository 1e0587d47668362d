"""Lanes: the lines jobs wait in, one per job name and tenant, or per lock; and whose turn it is.

A lane's name is the library's "entrypoint", whose index and limits then give us fairness between tenants and locks:
`commerce.pull_stream@<tenant>` for ordinary jobs, `commerce.!<lock>@<tenant>` with a limit of one for locked ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from syncline.kernel.tenant import TenantId

_MOST_TENANTS_REMEMBERED = 10_000
AGEING_SECONDS = 3.0
"""What has waited so long since it was due is worth one step of priority more: whoever waits is served in the end,
however many of a higher priority keep coming."""


def lane_of(job: str, tenant: TenantId | None, lock: str | None) -> str:
    """The lane for one job. A lock is shared by all jobs of an app and tenant."""
    whose = tenant.hex if tenant else ""
    if lock is None:
        return f"{job}@{whose}"
    return f"{app_of(job)}.!{lock}@{whose}"


def app_of(name: str) -> str:
    """The app of a job or a lane: what stands before the first point."""
    return name.split(".", 1)[0]


def tenant_of(lane: str) -> str:
    """The tenant's hexadecimal id, or nothing for the system's lanes."""
    return lane.rpartition("@")[2]


def is_lock(lane: str) -> bool:
    return lane.partition(".")[2].startswith("!")


@dataclass(frozen=True, slots=True)
class Head:
    """The job that stands first in a lane, and how long it could have been run."""

    lane: str
    priority: int
    job_id: int
    waited_seconds: float = 0.0

    def urgency(self, most: int) -> int:
        """Its priority and what it has gained by waiting, up to `most`: nobody overtakes by age alone, or the tenant
        with the oldest heap of jobs would always be first."""
        return min(most, self.priority + int(max(0.0, self.waited_seconds) / AGEING_SECONDS))


def behind(heads: Iterable[Head], running: Counter[str], places: int) -> list[Head]:
    """The heads of those tenants that have less than their share of `places` running, where all places are taken: an
    even share for each tenant that runs or waits, and one at least."""
    waiting = list(heads)
    tenants = {tenant_of(head.lane) for head in waiting} | {tenant for tenant, count in running.items() if count}
    share = max(1, places // len(tenants)) if tenants else 1
    return [head for head in waiting if running[tenant_of(head.lane)] < share]


class Turns:
    """Remembers whom this worker served, so that the next turn goes to another.

    Higher priority first, which what waits rises to in time; then the tenant with the fewest jobs running here; then
    the one served longest ago. A tenant with ten thousand waiting jobs so delays the others by one job, not by ten
    thousand.
    """

    def __init__(self) -> None:
        self._served: dict[str, int] = {}
        self._clock = 0

    def order(self, heads: Iterable[Head], running: Counter[str], limit: int) -> list[str]:
        """The first `limit` lanes in the order of their turns. `running` counts this worker's jobs by tenant."""
        left = list(heads)
        most = max((head.priority for head in left), default=0)
        load = Counter(running)
        lanes: list[str] = []
        while left and len(lanes) < limit:
            best = min(range(len(left)), key=lambda i: self._rank(left[i], load, most))
            head = left.pop(best)
            load[tenant_of(head.lane)] += 1
            lanes.append(head.lane)
        return lanes

    def served(self, lane: str) -> None:
        if len(self._served) > _MOST_TENANTS_REMEMBERED:
            self._served.clear()
        self._clock += 1
        self._served[tenant_of(lane)] = self._clock

    def _rank(self, head: Head, load: Counter[str], most: int) -> tuple[int, int, int, int]:
        tenant = tenant_of(head.lane)
        return (-head.urgency(most), load[tenant], self._served.get(tenant, 0), head.job_id)
