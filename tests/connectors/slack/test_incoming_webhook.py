"""What Slack answers, against its double; and what we write."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest

from syncline.connectors.slack.incoming_webhook import message, post
from syncline.kernel.errors import Fatal
from syncline.runtime.connect.breaker import Breaker, BreakerSettings
from syncline.runtime.connect.client import HttpClient
from syncline.runtime.connect.errors import NotProcessed, OutcomeUnknown, Throttled, VendorTrouble
from syncline.sandbox.slack.app import Workspace, create_app, wrong_with

URL = "http://slack.test/services/T0001/B0001/XYZ"


def client(transport: httpx.AsyncBaseTransport) -> HttpClient:
    return HttpClient("slack:test", breaker=Breaker("slack", BreakerSettings()), transport=transport)


async def send(workspace: Workspace, url: str = URL) -> None:
    async with client(httpx.ASGITransport(app=create_app(workspace))) as opened:
        await post(opened, url, message("Push of summer failed", ["<!channel> & co"]))


async def test_a_message_arrives_and_can_call_nobody() -> None:
    workspace = Workspace()
    await send(workspace)
    (taken,) = workspace.messages
    assert taken["text"] == "Push of summer failed"
    assert taken["blocks"][0]["text"]["text"] == "Push of summer failed"
    assert taken["blocks"][1]["text"]["text"] == "&lt;!channel&gt; &amp; co"


def test_long_and_empty_texts_are_made_to_fit() -> None:
    made = message("x" * 400, ["y" * 9_000, "", "z"])
    assert wrong_with(json.dumps(made).encode()) is None
    assert len(made["blocks"]) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("channel_is_archived", Fatal),
        ("no_service", Fatal),
        ("action_prohibited", Fatal),
        ("invalid_payload", Fatal),
        ("a_word_of_tomorrow", Fatal),
        ("rollup_error", VendorTrouble),
        ("rate_limited", Throttled),
    ],
)
async def test_each_answer_is_classed(word: str, outcome: type[Exception]) -> None:
    workspace = Workspace()
    workspace.faults.append(word)
    with pytest.raises(outcome) as raised:
        await send(workspace)
    assert getattr(raised.value, "sentence", "")
    assert workspace.messages == []


async def test_the_wait_that_slack_names_is_kept() -> None:
    workspace = Workspace()
    workspace.faults.append("rate_limited")
    with pytest.raises(Throttled) as raised:
        await send(workspace)
    assert raised.value.wait == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (httpx.ReadTimeout("slow"), OutcomeUnknown),
        (httpx.RemoteProtocolError("cut"), OutcomeUnknown),
        (httpx.ConnectError("closed"), NotProcessed),
    ],
)
async def test_only_what_may_have_been_posted_is_unknown(fault: Exception, outcome: type[Exception]) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise fault

    async with client(httpx.MockTransport(fail)) as opened:
        with pytest.raises(outcome):
            await post(opened, URL, message("x", []))
