"""What becomes of webhooks when applying them fails: errors of our own, workers that die, a database that goes away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.apps.commerce.webhooks.conftest import Hooked, soon, title

from syncline.apps.commerce.webhook_contract import WebhookState
from syncline.apps.commerce.webhooks import applying, claims, repository, told
from syncline.kernel import clock
from syncline.runtime.db.errors import ConnectionLost, DatabaseUnavailable


async def test_error_of_our_own_is_tried_again_and_given_up_in_the_end(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(applying, "_carry_out", broken)
    await hooked.send("products/update", hooked.payload("mug"))
    for _ in range(8):
        await soon(hooked)
        await hooked.work()
    event = await hooked.event()
    assert (event.state, event.attempts) == (WebhookState.DEAD, 8)
    assert "report it" in str(event.reason)
    monkeypatch.undo()
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        (again,) = await repository.send_back(session, [event.id], clock.now())
    assert (again.state, again.attempts) == (WebhookState.WAITING, 0)


class Killed(BaseException):
    """What a worker's end looks like from inside: nothing after it runs."""


async def test_worker_killed_while_it_applies_leaves_nothing_half_done_and_the_next_does_it_once(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: Any, **__: Any) -> None:
        raise Killed

    hooked.product("mug").title = "Cup"
    await hooked.send("products/update", hooked.payload("mug"))
    await hooked.send("themes/publish", {"id": 5})
    monkeypatch.setattr(claims, "settle", killed)
    with pytest.raises(Killed):
        await hooked.work()
    monkeypatch.undo()
    assert await title(hooked) == "Mug"
    assert [one.state for one in await hooked.events()] == [WebhookState.WAITING] * 2
    await hooked.work()  # the lease holds: nobody takes it yet
    assert await title(hooked) == "Mug"
    await soon(hooked)
    await hooked.work()
    assert await title(hooked) == "Cup"
    assert sorted(one.state.value for one in await hooked.events()) == ["applied", "ignored"]


def deadly(monkeypatch: pytest.MonkeyPatch, *ends: bytes) -> list[bytes]:
    """Bodies whose worker dies: one body for each time, in this order; `poison` whenever it is read."""
    coming = list(ends)

    def dies(body: bytes) -> Any:
        if b"poison" in body or (coming and coming[0] in body and coming.pop(0)):
            raise Killed
        return told.decode(body)

    monkeypatch.setattr(applying, "decode", dies)
    return coming


async def die(hooked: Hooked, times: int) -> None:
    for _ in range(times):
        with pytest.raises(Killed):
            await hooked.work()
        await soon(hooked)


async def test_poison_is_isolated_once_it_was_alone_twice_and_its_neighbours_are_applied(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly(monkeypatch)
    hooked.product("mug").title = "Cup"
    await hooked.send("products/update", {"id": 5, "title": "poison"})
    await hooked.send("products/update", hooked.payload("mug"))
    await die(hooked, 3)
    await hooked.work()
    assert await title(hooked) == "Cup"
    (dead,) = await hooked.events(state=WebhookState.DEAD)
    assert (dead.attempts, dead.reason) == (3, claims.KILLED)


async def test_who_was_in_a_batch_with_poison_survives_the_next_death_of_his_worker(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = deadly(monkeypatch, b"Cup", b"Cup")
    await hooked.send("products/update", hooked.payload("mug", title="Cup"))
    await hooked.send("products/update", {"id": 5, "title": "poison"})
    await die(hooked, 4)
    await hooked.work()
    assert left == []
    assert await title(hooked) == "Cup"
    assert len(await hooked.events(state=WebhookState.DEAD)) == 1


async def test_deaths_while_a_batch_is_tried_one_by_one_are_those_of_who_was_tried(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = deadly(monkeypatch, b"unlucky", b"bystander")
    await hooked.send("products/update", {"title": "nobody"})  # breaks the batch, so that each is tried by itself
    await hooked.send("products/update", hooked.payload("mug", title="unlucky"))
    await hooked.send("products/update", hooked.payload("mug", later=2, title="bystander"))
    await die(hooked, 2)
    await hooked.work()
    assert left == []
    assert sorted(one.state.value for one in await hooked.events()) == ["applied", "applied", "dead"]
    assert await title(hooked) == "bystander"


async def test_error_between_deaths_shows_that_it_does_not_end_its_worker(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = iter([Killed(), RuntimeError("a bug"), Killed()])

    def dies(body: bytes) -> Any:
        raise next(ends)

    monkeypatch.setattr(applying, "decode", dies)
    await hooked.send("products/update", hooked.payload("mug", title="Cup"))
    await die(hooked, 1)
    await hooked.work()
    await soon(hooked)
    await die(hooked, 1)
    monkeypatch.undo()
    await hooked.work()
    assert (await hooked.event()).state is WebhookState.APPLIED


async def test_failed_one_that_ends_its_worker_twice_is_given_up_too(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = iter([RuntimeError("a bug"), Killed(), Killed()])

    def dies(body: bytes) -> Any:
        raise next(ends)

    monkeypatch.setattr(applying, "decode", dies)
    await hooked.send("products/update", hooked.payload("mug"))
    await hooked.work()
    await soon(hooked)
    await die(hooked, 2)
    await hooked.work()
    event = await hooked.event()
    assert (event.state, event.reason) == (WebhookState.DEAD, claims.KILLED)


@pytest.mark.parametrize("end", [asyncio.CancelledError(), DatabaseUnavailable("It is away.")])
async def test_worker_that_stops_while_one_is_tried_blames_nobody(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    def stops(body: bytes) -> Any:
        raise end

    monkeypatch.setattr(applying, "decode", stops)
    await hooked.send("products/update", hooked.payload("mug", title="Cup"))
    for _ in range(3):
        with pytest.raises(type(end)):
            await hooked.work()
        await soon(hooked)
    monkeypatch.undo()
    await hooked.work()
    assert (await hooked.event()).state is WebhookState.APPLIED


async def test_lost_database_leaves_everything_to_the_next_run(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(session: Any, *_: Any) -> None:
        await (await session.driver()).execute("select pg_terminate_backend(pg_backend_pid())")

    await hooked.send("products/update", hooked.payload("mug", title="Cup"))
    monkeypatch.setattr(claims, "settle", lost)
    with pytest.raises(ConnectionLost):
        await hooked.work()
    monkeypatch.undo()
    assert (await hooked.event()).state is WebhookState.WAITING
    assert await title(hooked) == "Mug"
