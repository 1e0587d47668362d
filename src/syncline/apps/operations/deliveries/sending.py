"""Handing one notification over, by mail, to Slack, or to a webhook. Each is one attempt."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from syncline.apps.operations.contract import ChannelKind
from syncline.connectors.slack import incoming_webhook
from syncline.kernel import clock
from syncline.kernel.errors import Fatal
from syncline.runtime.app import Runtime
from syncline.runtime.connect.client import Call, HttpClient, Timeouts, retry_after
from syncline.runtime.connect.errors import ErrorTable, Rule, Throttled, VendorTrouble
from syncline.runtime.connect.guard import GuardedTransport
from syncline.runtime.connect.registry import PROCESS
from syncline.runtime.connect.standard_webhooks import signed_headers
from syncline.runtime.mail import Mail

GONE = "410"
"""The receiver wants no more (Standard Webhooks, "Operational considerations")."""

# Standard Webhooks 1.0.0: 2xx is success and nothing else is; 429, 502 and 504 ask for patience.
_ANSWERS = ErrorTable(
    {
        410: Rule(Fatal, "The webhook's receiver wants no more; the channel is switched off."),
        429: Rule(Throttled, "The webhook's receiver asks for fewer messages."),
        400: Rule(VendorTrouble, "The webhook's receiver refused it with {code}."),
        300: Rule(VendorTrouble, "The webhook's receiver sends us elsewhere ({code}), which is not followed."),
        500: Rule(VendorTrouble, "The webhook's receiver has trouble ({code})."),
    },
    otherwise=Rule(VendorTrouble, "The webhook's receiver answered {code}."),
)


class NoMailServer(Fatal):
    """Mails are kept where they can be read."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be sent, and where. `id` is the same for every attempt."""

    id: UUID
    subject: str
    text: str
    body: dict[str, Any]
    address: str = field(repr=False)
    secret: str | None = field(repr=False)


async def by_mail(runtime: Runtime, letter: Letter) -> None:
    if runtime.mailer is None:
        raise NoMailServer("No mail server is set (SYNCLINE_SMTP_URL); it can be read here.")
    await runtime.mailer.send(Mail(id=letter.id.hex, to=letter.address, subject=letter.subject, text=letter.text))


async def to_slack(runtime: Runtime, letter: Letter) -> None:
    body = incoming_webhook.message(letter.subject, letter.text.strip().split("\n\n"))
    async with _client(runtime, "slack", letter) as client:
        await incoming_webhook.post(client, letter.address, body)


async def to_webhook(runtime: Runtime, letter: Letter) -> None:
    """Signed by Standard Webhooks; the id lets a receiver drop what he has had."""
    content = json.dumps(letter.body, ensure_ascii=False).encode()
    signed = signed_headers(letter.secret or "", f"msg_{letter.id.hex}", int(clock.now().timestamp()), content)
    call = Call(
        operation="notify", url=letter.address, headers={"Content-Type": "application/json", **signed}, content=content
    )
    async with _client(runtime, "webhook", letter) as client:
        await client.attempt(call, _interpret)


def _interpret(response: httpx.Response) -> None:
    if not response.is_success:
        raise _ANSWERS.outcome(response.status_code, wait=retry_after(response))


def _client(runtime: Runtime, vendor: str, letter: Letter) -> HttpClient:
    upstream = f"{vendor}:{httpx.URL(letter.address).host}"
    return HttpClient(
        upstream,
        breaker=PROCESS.breaker(upstream),
        timeouts=Timeouts(),
        transport=GuardedTransport(runtime.guard),
        hooks=PROCESS.hooks,
    )


SENDERS: dict[ChannelKind, Callable[[Runtime, Letter], Awaitable[None]]] = {
    ChannelKind.EMAIL: by_mail,
    ChannelKind.SLACK: to_slack,
    ChannelKind.WEBHOOK: to_webhook,
}
