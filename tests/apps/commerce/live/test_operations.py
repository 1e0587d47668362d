"""What watchers hear of pulls, pushes, imports, exports and schedules, and what the apps that listen are told."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from syncline.apps.commerce.contract import (
    ChangeQuery,
    NothingToDo,
    OperationEnded,
    OperationKind,
    PullMode,
    RunStatus,
    SheetRefused,
)
from syncline.apps.commerce.live import operations
from syncline.apps.commerce.live.operations import operation_of
from syncline.apps.commerce.schedule_contract import ScheduledAction
from syncline.kernel.ids import new_id
from syncline.runtime.bus.testing import published
from syncline.runtime.controls import stops
from syncline.runtime.live.message import Message, MessageType
from syncline.runtime.live.messages import list_after


async def heard(pulled: Any, *types: MessageType) -> list[Message]:
    async with pulled.commerce.runtime.database.reading(pulled.actor.tenant_id) as session:
        return [one for one in await list_after(session, 0, 1_000) if not types or one.type in types]


async def ends(pulled: Any) -> Sequence[OperationEnded]:
    async with pulled.commerce.runtime.database.reading(pulled.actor.tenant_id) as session:
        return await published(session, OperationEnded)


async def test_a_pull_begins_gets_on_and_ends_once(pulled: Any) -> None:
    messages = await heard(pulled)
    kinds = Counter(one.type for one in messages)
    assert (kinds[MessageType.START], kinds[MessageType.COMPLETE], kinds[MessageType.STATUS]) == (1, 1, 2)
    assert messages[0].type is MessageType.START
    assert messages[0].data["requested_by"] == "the owner"
    assert {one.room for one in messages} == {messages[0].room}
    assert {one.store for one in messages} == {"demo"}
    latest = {one.part: one.data for one in messages if one.type is MessageType.PROGRESS}
    assert (latest["products"]["read"], latest["products"]["status"]) == (7, "completed")
    (end,) = await ends(pulled)
    assert (end.kind, end.status, end.store, end.requested_by) == (
        OperationKind.PULL,
        RunStatus.COMPLETED,
        "demo",
        "the owner",
    )
    assert messages[0].room == f"pull:{end.operation_id}"
    assert end.counts["inserted"] == end.counts["read"] > 0
    assert [one.data["state"] for one in messages if one.type is MessageType.STATUS] == ["running", "completed"]


async def test_a_pull_that_is_cancelled_or_fails_says_so(pulled: Any) -> None:
    started = await pulled.commerce.start_pull(actor=pulled.actor, store="demo", mode=PullMode.FULL)
    await pulled.commerce.cancel_pull(actor=pulled.actor, run_id=started.id)
    await pulled.commerce.cancel_pull(actor=pulled.actor, run_id=started.id)
    await pulled.work()
    pulled.shop.renew("another-token-than-we-have")
    await pulled.pull()
    assert [end.status for end in await ends(pulled)] == [RunStatus.COMPLETED, RunStatus.CANCELLED, RunStatus.FAILED]
    failed = (await ends(pulled))[-1]
    assert failed.sentence
    errors = [one.data["message"] for one in await heard(pulled, MessageType.LOG) if one.level == "error"]
    assert errors == [failed.sentence]


async def test_a_push_says_how_it_gets_on_and_names_what_was_not_written(pulled: Any) -> None:
    await pulled.commerce.stage_edit(actor=pulled.actor, store="demo", where="", edits=["vendor=Initech"])
    await pulled.commerce.approve(actor=pulled.actor, query=ChangeQuery(store="demo"))
    hat = next(one for one in pulled.shop.store.products.values() if one.handle == "wool-hat")
    pulled.shop.store.update_product(hat, vendor="Somebody else")
    run = await pulled.push()
    end = (await ends(pulled))[-1]
    assert (end.kind, end.operation_id, end.status) == (OperationKind.PUSH, run.id, RunStatus.COMPLETED)
    assert end.counts == {"applied": 2, "conflict": 1}
    mine = [one for one in await heard(pulled) if one.room == f"push:{run.id}"]
    assert (mine[0].type, mine[0].data["total"]) == (MessageType.START, 3)
    (line,) = [one for one in mine if one.type is MessageType.LOG]
    assert (line.level, line.data["outcome"]) == ("warning", "conflict")
    assert "wool_hat" in line.data["message"]
    assert [one.data["done"] for one in mine if one.type is MessageType.PROGRESS][-1] >= 1


async def test_a_sheet_that_comes_in_is_told_with_its_counts_and_one_that_is_refused_too(
    pulled: Any, tmp_path: Path
) -> None:
    sheet = tmp_path / "prices.csv"
    sheet.write_text("Handle,Vendor\nlinen-shirt,Initech\n")
    await pulled.commerce.import_sheet(actor=pulled.actor, store="demo", path=str(sheet))
    sheet.write_text("Handle,Vendor\nno-such-product,Initech\n")
    with pytest.raises(SheetRefused):
        await pulled.commerce.import_sheet(actor=pulled.actor, store="demo", path=str(sheet))
    good, bad = (await ends(pulled))[-2:]
    assert (good.kind, good.status, good.counts["staged"]) == (OperationKind.IMPORT, RunStatus.COMPLETED, 1)
    assert (bad.kind, bad.status) == (OperationKind.IMPORT, RunStatus.FAILED)
    assert "nothing was staged" in (bad.sentence or "")
    started = [one.data["name"] for one in await heard(pulled, MessageType.START) if one.room.startswith("import:")]
    assert started == ["prices.csv", "prices.csv"]


async def test_a_file_that_goes_out_is_told(pulled: Any) -> None:
    await pulled.commerce.export_store(actor=pulled.actor, store="demo", file=io.BytesIO(), format="csv")
    with pytest.raises(NothingToDo):
        await pulled.commerce.export_store(
            actor=pulled.actor, store="demo", file=io.BytesIO(), format="csv", where="vendor:Nobody"
        )
    assert [(end.kind, end.status) for end in (await ends(pulled))[-2:]] == [
        (OperationKind.EXPORT, RunStatus.COMPLETED),
        (OperationKind.EXPORT, RunStatus.FAILED),
    ]


async def test_a_schedule_tells_how_its_comparison_ended_once_and_what_it_could_not_start(pulled: Any) -> None:
    commerce, actor = pulled.commerce, pulled.actor
    made = await commerce.add_schedule(
        actor=actor, store="demo", action=ScheduledAction.RECONCILE_COUNTS, timing="every 1h"
    )
    await commerce.run_schedule(actor=actor, schedule_id=made.id)
    (job,) = pulled.queue.waiting
    await pulled.work()
    # A worker that died after it had told everybody: the job runs once more.
    pulled.queue.waiting.append(job)
    await pulled.work()
    told = [end for end in await ends(pulled) if end.kind is OperationKind.RECONCILE]
    assert [(end.status, end.requested_by) for end in told] == [(RunStatus.COMPLETED, "schedule every 1h")]
    async with commerce.runtime.database.writing(actor.tenant_id) as session:
        await stops.pause(session, store_id=None, reason="Stocktaking", actor="ann")
    await due(pulled, made.id)
    told = [end for end in await ends(pulled) if end.kind is OperationKind.RECONCILE]
    assert told[-1].status is RunStatus.FAILED
    assert "Stocktaking" in (told[-1].sentence or "")


async def due(pulled: Any, schedule_id: UUID) -> None:
    """The schedule comes round."""
    async with pulled.commerce.runtime.database.writing(pulled.actor.tenant_id) as session:
        await (await session.driver()).execute(
            "UPDATE commerce.schedule_due SET due_at = now() - interval '1 minute' WHERE schedule_id = %s",
            (schedule_id,),
        )
        await pulled.queue.enqueue(session, "commerce.run_schedule", {"schedule_id": str(schedule_id)})
    await pulled.work()


async def test_what_is_rolled_back_was_never_said(pulled: Any) -> None:
    before = len(await heard(pulled))
    operation = operation_of(OperationKind.PULL, new_id(), "demo")
    async with pulled.commerce.runtime.database.writing(pulled.actor.tenant_id) as session:
        savepoint = await session.begin_nested()
        await operations.began(session, operation, requested_by="nobody")
        await savepoint.rollback()
        await operations.noted(session, operation, "Said.")
    assert [one.data.get("message") for one in (await heard(pulled))[before:]] == ["Said."]
