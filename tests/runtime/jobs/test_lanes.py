"""Whose turn it is, without a database."""

from __future__ import annotations

from collections import Counter

from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.jobs.lanes import Head, Turns, app_of, is_lock, lane_of, tenant_of

TENANT = TenantId(new_id())


def test_lane_of_a_plain_job() -> None:
    lane = lane_of("commerce.pull_stream", TENANT, None)
    assert (lane, app_of(lane), tenant_of(lane), is_lock(lane)) == (
        f"commerce.pull_stream@{TENANT.hex}",
        "commerce",
        TENANT.hex,
        False,
    )


def test_lane_of_a_locked_job_is_shared_by_the_app_and_kept_apart_by_tenant() -> None:
    lane = lane_of("commerce.pull_stream", TENANT, "store:a@b.c")
    assert lane == lane_of("commerce.push_changes", TENANT, "store:a@b.c")
    assert lane != lane_of("commerce.pull_stream", TenantId(new_id()), "store:a@b.c")
    assert (app_of(lane), tenant_of(lane), is_lock(lane)) == ("commerce", TENANT.hex, True)


def test_system_jobs_have_a_lane_without_tenant() -> None:
    assert tenant_of(lane_of("commerce.sweep", None, None)) == ""


def _order(turns: Turns, heads: list[Head], limit: int = 10, **running: int) -> list[str]:
    return turns.order(heads, Counter(running), limit)


def test_higher_priority_goes_first() -> None:
    assert _order(Turns(), [Head("a.x@1", 0, 1), Head("a.x@2", 5, 9)]) == ["a.x@2", "a.x@1"]


def test_tenant_with_fewer_running_jobs_goes_first() -> None:
    turns = Turns()
    heads = [Head("a.x@one", 0, 1), Head("a.x@two", 0, 9)]
    assert _order(turns, heads, one=3, two=0) == ["a.x@two", "a.x@one"]


def test_tenant_served_longest_ago_goes_first() -> None:
    turns = Turns()
    turns.served("a.x@one")
    assert _order(turns, [Head("a.x@one", 0, 1), Head("a.x@two", 0, 9)]) == ["a.x@two", "a.x@one"]


def test_second_lane_of_one_tenant_waits_for_the_others() -> None:
    heads = [Head("a.x@one", 0, 1), Head("a.y@one", 0, 2), Head("a.x@two", 0, 3)]
    assert _order(Turns(), heads) == ["a.x@one", "a.x@two", "a.y@one"]


def test_no_more_lanes_than_asked_for() -> None:
    assert _order(Turns(), [Head(f"a.x@{n}", 0, n) for n in range(5)], limit=2) == ["a.x@0", "a.x@1"]
