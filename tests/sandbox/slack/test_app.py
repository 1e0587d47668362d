"""The double refuses what Slack refuses, in Slack's words."""

from __future__ import annotations

import httpx
import pytest

from syncline.sandbox.slack.app import Workspace, create_app

PATH = "/services/T0001/B0001/XYZ"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}


@pytest.mark.parametrize(
    ("content", "status", "word"),
    [
        ('{"text":"Hello"}', 200, "ok"),
        ("{", 400, "invalid_payload"),
        ("[]", 400, "invalid_payload"),
        ('{"text":""}', 400, "no_text"),
        ('{"blocks":[]}', 400, "invalid_blocks"),
        ('{"blocks":[{"type":"header","text":{"type":"mrkdwn","text":"x"}}]}', 400, "invalid_blocks"),
        (
            '{"blocks":[{"type":"header","text":{"type":"plain_text","text":"' + "x" * 151 + '"}}]}',
            400,
            "invalid_blocks",
        ),
        ('{"blocks":[{"type":"section","text":{"type":"mrkdwn","text":""}}]}', 400, "invalid_blocks"),
        ('{"blocks":[{"type":"section","text":{"type":"mrkdwn","text":"fine"}},{"type":"divider"}]}', 200, "ok"),
    ],
)
async def test_a_payload_is_judged(content: str, status: int, word: str) -> None:
    answer = await post(Workspace(), PATH, content)
    assert (answer.status_code, answer.text) == (status, word)


async def test_an_unknown_webhook_is_no_service_and_faults_come_one_by_one() -> None:
    workspace = Workspace()
    workspace.faults.extend(["channel_is_archived", "rollup_error"])
    answers = [await post(workspace, PATH, '{"text":"x"}') for _ in range(3)]
    assert [one.status_code for one in answers] == [410, 500, 200]
    assert (await post(workspace, "/services/T/B/no", '{"text":"x"}')).text == "no_service"
    assert len(workspace.messages) == 1


async def test_more_than_the_limit_is_429_with_when_to_come_back() -> None:
    workspace = Workspace(limits=True, burst=2, clock=lambda: 0.0)
    answers = [await post(workspace, PATH, '{"text":"x"}') for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "1"


async def post(workspace: Workspace, path: str, content: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=create_app(workspace))
    async with httpx.AsyncClient(transport=transport, base_url="http://slack.test") as client:
        return await client.post(path, content=content)
