"""Whose turn it is, without a database."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.jobs.lanes import AGEING_SECONDS, Head, Turns, app_of, is_lock, lane_of, tenant_of

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


def test_what_has_waited_long_enough_goes_before_a_higher_priority() -> None:
    critical, batch = Head("a.x@one", 40, 9), Head("a.y@two", -40, 1, waited_seconds=80 * AGEING_SECONDS)
    assert _order(Turns(), [critical, batch]) == ["a.y@two", "a.x@one"]
    patient = Head("a.y@two", -40, 1, waited_seconds=79 * AGEING_SECONDS)
    assert _order(Turns(), [critical, patient]) == ["a.x@one", "a.y@two"]


def test_age_alone_takes_no_turn_from_another_tenant() -> None:
    heap, newcomer = Head("a.x@one", 0, 1, waited_seconds=3600), Head("a.x@two", 0, 999)
    assert _order(Turns(), [heap, newcomer], one=2, two=0) == ["a.x@two", "a.x@one"]


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=6), st.integers(-40, 40))
def test_nobody_starves_however_many_critical_jobs_keep_coming(others: list[int], mine: int) -> None:
    turns, waited = Turns(), 0.0
    for round_ in range(200):
        fresh = [Head(f"a.x@{number}", priority, 1000 + round_) for number, priority in enumerate(others)]
        (served,) = _order(turns, [*fresh, Head("a.x@me", mine, 1, waited)], limit=1)
        if served == "a.x@me":
            break
        turns.served(served)
        waited += AGEING_SECONDS
    assert served == "a.x@me"


@given(st.integers(2, 6), st.integers(0, 5))
def test_stores_of_one_tenant_take_turns_when_each_hands_its_work_on(stores: int, more: int) -> None:
    """A push that has had its turn is put into the queue anew, with a later number."""
    turns, numbers = Turns(), {f"commerce.!store-{number}@one": number for number in range(stores)}
    served: list[str] = []
    for later in range(stores, stores * 3 + more):
        (lane,) = _order(turns, [Head(lane, 0, number) for lane, number in numbers.items()], limit=1)
        turns.served(lane)
        served.append(lane)
        numbers[lane] = later
    counts = Counter(served)
    assert len(counts) == stores
    assert max(counts.values()) - min(counts.values()) <= 1
