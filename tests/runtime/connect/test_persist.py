from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from syncline.kernel.errors import Fatal, InvalidInput, Retriable, Unavailable
from syncline.runtime.connect.hearing import CallWait, hearing_waits
from syncline.runtime.connect.persist import MAX_FAILURES, persist, weightiest

PASSING = Retriable("The store is busy.")


class Store:
    """Work that meets `troubles` one after the other and then ends; `stored` counts what it got done."""

    def __init__(self, *troubles: Exception, gets_on: bool = False) -> None:
        self.troubles = list(troubles)
        self.gets_on = gets_on
        self.stored = 0
        self.tries = 0

    async def work(self) -> None:
        self.tries += 1
        self.stored += self.gets_on
        if self.troubles:
            raise self.troubles.pop(0)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited, none of them in truth."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waited


async def run(store: Store) -> None:
    await persist(store.work, mark=lambda: store.stored, what="a test")


async def test_work_that_ends_is_done_once(waits: list[float]) -> None:
    store = Store()
    await run(store)
    assert (store.tries, waits) == (1, [])


async def test_what_passes_is_tried_again_with_growing_waits(waits: list[float]) -> None:
    store = Store(*[PASSING] * 3, Unavailable("The database is away."))
    await run(store)
    assert (store.tries, waits) == (5, [0.4, 0.8, 1.6, 3.2])


async def test_each_wait_is_heard_by_whom_the_work_is_for(waits: list[float]) -> None:
    heard: list[CallWait] = []
    with hearing_waits(heard.append):
        await run(Store(PASSING, Unavailable("The database is away.")))
    assert [(one.upstream, one.sentence, one.seconds) for one in heard] == [
        (None, "The store is busy.", 0.4),
        (None, "The database is away.", 0.8),
    ]
    assert waits == [0.4, 0.8]


async def test_the_store_s_own_wait_is_kept(waits: list[float]) -> None:
    await run(Store(Retriable("Busy.", wait=timedelta(seconds=42))))
    assert waits == [42]


async def test_without_progress_it_is_given_up_with_the_reason(waits: list[float]) -> None:
    store = Store(*[PASSING] * 100)
    with pytest.raises(Retriable, match="The store is busy"):
        await run(store)
    assert (store.tries, len(waits), max(waits)) == (MAX_FAILURES, MAX_FAILURES - 1, 15.0)


async def test_as_long_as_it_gets_on_it_is_never_given_up(waits: list[float]) -> None:
    store = Store(*[PASSING] * 50, gets_on=True)
    await run(store)
    assert (store.tries, set(waits)) == (51, {0.4})


@pytest.mark.parametrize("trouble", [Fatal("The token is revoked."), InvalidInput("Not so."), ZeroDivisionError()])
async def test_what_stays_wrong_rises_at_once(waits: list[float], trouble: Exception) -> None:
    store = Store(trouble)
    with pytest.raises(type(trouble)):
        await run(store)
    assert (store.tries, waits) == (1, [])


async def test_a_stop_is_not_tried_again() -> None:
    store = Store(asyncio.CancelledError())  # type: ignore[arg-type] # not an Exception on purpose
    with pytest.raises(asyncio.CancelledError):
        await run(store)
    assert store.tries == 1


@pytest.mark.parametrize(
    ("errors", "shown"),
    [
        ([PASSING, Fatal("Revoked."), ZeroDivisionError()], ZeroDivisionError),
        ([PASSING, Fatal("Revoked."), Unavailable("Away.")], Fatal),
        ([PASSING, Unavailable("Away."), Fatal("Revoked.")], Fatal),
        ([PASSING], Retriable),
    ],
)
def test_of_several_errors_a_person_reads_the_weightiest(errors: list[Exception], shown: type[Exception]) -> None:
    inner = ExceptionGroup("inner", errors[1:]) if errors[1:] else None
    assert isinstance(weightiest(ExceptionGroup("outer", [errors[0], *([inner] if inner else [])])), shown)
