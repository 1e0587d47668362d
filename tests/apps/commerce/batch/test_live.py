"""What watchers hear of a bulk operation, also while nothing of it is to be seen in the database yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from syncline.apps.commerce.batch import jobs, repository, telling
from syncline.runtime.jobs import JobContext
from syncline.runtime.live.message import Message, MessageType
from syncline.runtime.live.messages import list_after

RAISE = {"price": {"amount": 1}}
BELOW_ZERO = {"price": {"amount": -100_000}}


async def heard(counter: Any, run: Any, kind: MessageType) -> Sequence[Message]:
    async with counter.commerce.runtime.database.reading(counter.actor.tenant_id) as session:
        messages = await list_after(session, 0, 1_000)
    return [one for one in messages if one.room == f"batch:{run.id}" and one.type is kind]


async def test_it_begins_gets_on_and_ends_once(counter: Any) -> None:
    run = await counter.run("price", RAISE)
    (began,) = await heard(counter, run, MessageType.START)
    (ended,) = await heard(counter, run, MessageType.COMPLETE)
    progress = await heard(counter, run, MessageType.PROGRESS)
    assert began.data["summary"] == run.summary
    assert (ended.data["status"], ended.data["counts"]["staged"]) == ("completed", run.staged)
    assert began.number < progress[0].number < ended.number
    facts = progress[-1].data
    assert (facts["done"], facts["total"], facts["staged"]) == (run.processed, run.total, run.staged)
    assert (facts["per_second"] > 0, facts["eta_seconds"]) == (True, 0.0)


async def test_it_is_heard_of_while_it_is_at_work_and_after_a_kill(
    counter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    async def die(*_: Any) -> None:
        raise Killed

    run = await counter.start("price", RAISE)
    monkeypatch.setattr(repository, "add_part", die)
    (job,) = counter.pulled.queue.waiting
    context = JobContext(runtime=counter.commerce.runtime, job_id=1, attempt=1, tenant=counter.actor.tenant_id)
    with pytest.raises(Killed):
        await jobs.run_operation(context, job.payload)
    assert await counter.changes() == []
    (progress,) = await heard(counter, run, MessageType.PROGRESS)
    assert progress.data["staged"] > 0
    assert await heard(counter, run, MessageType.COMPLETE) == []


async def test_what_is_refused_has_a_line_each_and_the_log_does_not_grow_without_end(
    counter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await counter.run("price", BELOW_ZERO)
    lines = await heard(counter, run, MessageType.LOG)
    assert len(lines) == run.refused > 1
    assert all("below zero" in one.data["message"] for one in lines)
    monkeypatch.setattr(telling, "MOST_LINES", 1)
    again = await counter.run("price", BELOW_ZERO)
    first, last = await heard(counter, again, MessageType.LOG)
    assert "below zero" in first.data["message"]
    assert last.data["message"] == "More products were refused; the results of the operation name them all."
