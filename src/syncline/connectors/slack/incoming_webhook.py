"""Posting a message through an incoming webhook. The address alone is the credential."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import httpx

from syncline.connectors.slack.errors import ERRORS
from syncline.kernel.errors import Retriable
from syncline.runtime.connect.client import Call, HttpClient, retry_after
from syncline.runtime.connect.errors import OutcomeUnknown, VendorTrouble

# docs.slack.dev, "Block Kit: header block" and "section block": 150 and 3,000 characters.
LONGEST_HEADER = 150
LONGEST_SECTION = 3_000
_UNKNOWN = frozenset({"timeout", "dropped"})
_SECOND = timedelta(seconds=1)
"""What Slack allows a webhook: a message a second ("Rate limits")."""


def message(subject: str, paragraphs: Sequence[str]) -> dict[str, object]:
    """A header and sections; `text` is what a phone's notification shows. What is passed is text, not markup."""
    sections = [
        {"type": "section", "text": {"type": "mrkdwn", "text": escaped(one)[:LONGEST_SECTION]}}
        for one in paragraphs
        if one
    ]
    header = {"type": "header", "text": {"type": "plain_text", "text": subject[:LONGEST_HEADER], "emoji": False}}
    return {"text": escaped(subject), "blocks": [header, *sections]}


def escaped(text: str) -> str:
    """The three signs that Slack reads as its own ("Formatting text: escaping")."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


async def post(client: HttpClient, url: str, body: dict[str, object]) -> None:
    """Once. Raises connector outcomes: `OutcomeUnknown` when it may have been posted, for Slack has no way to say that
    a message is the same as before."""
    content = json.dumps(body, ensure_ascii=False).encode()
    call = Call(
        operation="post_message", url=url, headers={"Content-Type": "application/json; charset=utf-8"}, content=content
    )
    try:
        await client.attempt(call, _interpret)
    except VendorTrouble as error:
        if error.vendor_code not in _UNKNOWN:
            raise
        raise OutcomeUnknown(
            "Slack did not answer; the message may or may not be there.",
            detail=error.detail,
            vendor_code=error.vendor_code,
        ) from error


def _interpret(response: httpx.Response) -> None:
    if response.status_code == 200:
        return
    # The body is one word, such as `channel_is_archived`.
    word = response.text.strip()[:60]
    code = word if word in ERRORS else response.status_code
    outcome = ERRORS.outcome(code, detail=word, wait=retry_after(response))
    if isinstance(outcome, Retriable) and response.status_code == 429 and outcome.wait is None:
        outcome.wait = _SECOND
    raise outcome
