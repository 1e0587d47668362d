"""Completion webhooks: signed, once for a run, tried again, and never to where they must not go."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.apps.outreach.conftest import Call, Place

from syncline.kernel import clock
from syncline.kernel.errors import Fatal, Retriable
from syncline.runtime.connect.guard import AddressRefused, Guard
from syncline.runtime.connect.standard_webhooks import verify
from syncline.sandbox.server import running

RUN = {"platforms": "lemlist", "namespaces": "quiet"}


@dataclass
class Receiver:
    """`answers` are given one by one, then 204."""

    url: str = ""
    answers: deque[int] = field(default_factory=deque)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()

    async def take(request: Request) -> Response:
        made.taken.append((dict(request.headers), await request.body()))
        return Response(status_code=made.answers.popleft() if made.answers else 204)

    async with running(Starlette(routes=[Route("/ended", take, methods=["POST"])])) as url:
        made.url = f"{url}/ended"
        yield made


async def begin(place: Place, call: Call, receiver: Receiver) -> str:
    del place
    begun = await call("POST", "/api/full-sync/execute", json={**RUN, "webhookUrl": receiver.url})
    job: str = begun.json()["jobId"]
    return job


async def completion(call: Call) -> dict[str, Any]:
    (found,) = (await call("GET", "/api/full-sync/completions")).json()["completions"]
    assert isinstance(found, dict)
    return found


async def test_the_end_of_a_run_is_told_once_and_signed(place: Place, call: Call, receiver: Receiver) -> None:
    job = await begin(place, call, receiver)
    await place.work()
    ((headers, body),) = receiver.taken
    secret = (await call("POST", "/api/full-sync/completions/secret")).json()["secret"]
    verify(secret, headers, body, now=clock.now().timestamp())
    told = json.loads(body)
    assert (told["type"], told["data"]["jobId"], told["data"]["status"]) == ("full_sync.completed", job, "completed")
    assert (await completion(call))["status"] == "sent"


async def test_a_receiver_in_trouble_is_tried_again_under_the_same_id(
    place: Place, call: Call, receiver: Receiver
) -> None:
    receiver.answers.append(503)
    await begin(place, call, receiver)
    with pytest.raises(Retriable):
        await place.work()
    waiting = await completion(call)
    assert (waiting["status"], waiting["attempts"]) == ("waiting", 1)
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await place.queue.enqueue(session, "outreach.send_completion", {"completion_id": waiting["id"]})
    await place.work()
    first, second = (headers["webhook-id"] for headers, _ in receiver.taken)
    assert first == second
    assert (await completion(call))["status"] == "sent"


async def test_a_receiver_that_wants_no_more_is_not_asked_again(place: Place, call: Call, receiver: Receiver) -> None:
    receiver.answers.append(410)
    await begin(place, call, receiver)
    with pytest.raises(Fatal):
        await place.work()
    assert (await completion(call))["status"] == "failed"


async def test_a_name_that_leads_inside_by_the_time_it_is_called_is_not_called(
    place: Place, call: Call, receiver: Receiver
) -> None:
    await begin(place, call, receiver)
    place.runtime.guard = Guard()
    with pytest.raises(AddressRefused):
        await place.work()
    assert receiver.taken == []
    assert (await completion(call))["status"] == "failed"


async def test_a_cancelled_run_is_told_too(place: Place, call: Call, receiver: Receiver) -> None:
    job = await begin(place, call, receiver)
    await call("DELETE", f"/api/full-sync/cancel/{job}")
    await place.work()
    ((_, body),) = receiver.taken
    assert json.loads(body)["type"] == "full_sync.cancelled"
