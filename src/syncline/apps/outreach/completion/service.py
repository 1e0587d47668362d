"""Completion webhooks: promised with the run, written with its end, sent by a job, signed by Standard Webhooks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from syncline.apps.outreach.completion import repository
from syncline.kernel import clock
from syncline.kernel.errors import ConnectorOutcome, DomainError, Fatal, Retriable
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.connect.client import Call, HttpClient, Timeouts, retry_after
from syncline.runtime.connect.errors import ErrorTable, Rule, Throttled, VendorTrouble
from syncline.runtime.connect.guard import GuardedTransport
from syncline.runtime.connect.registry import PROCESS
from syncline.runtime.connect.standard_webhooks import make_secret, signed_headers
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import JobQueue
from syncline.runtime.secrets import SecretBox

SEND_JOB: Final = "outreach.send_completion"
PROMISED, WAITING, SENT, FAILED = "promised", "waiting", "sent", "failed"

# Standard Webhooks 1.0.0: 2xx is success and nothing else is; 410 wants no more.
_ANSWERS = ErrorTable(
    {
        410: Rule(Fatal, "The webhook's receiver wants no more."),
        429: Rule(Throttled, "The webhook's receiver asks for fewer messages."),
        300: Rule(VendorTrouble, "The webhook's receiver sends us elsewhere ({code}), which is not followed."),
    },
    otherwise=Rule(VendorTrouble, "The webhook's receiver answered {code}."),
)


@dataclass(frozen=True, slots=True)
class Completion:
    """`host` is all that is shown of the address."""

    id: UUID
    run_id: UUID
    host: str
    status: str
    attempts: int
    sentence: str | None
    created_at: datetime
    sent_at: datetime | None


async def promise(session: WriteSession, secrets: SecretBox, *, run_id: UUID, url: str) -> None:
    await secret_of(session, secrets)
    values = {
        "id": new_id(),
        "run_id": run_id,
        "host": urlsplit(url).hostname or "",
        "sealed_url": secrets.seal(url),
        "status": PROMISED,
        "attempts": 0,
        "created_at": clock.now(),
    }
    await repository.add(session, values)


async def keep(session: WriteSession, queue: JobQueue, run_id: UUID, told: Mapping[str, Any]) -> None:
    """What was promised is sent, if the caller's transaction commits."""
    row = await repository.find(session, run_id=run_id)
    if row is None or row.status != PROMISED:
        return
    body = {"type": f"full_sync.{told['status']}", "timestamp": clock.iso(clock.now()), "data": dict(told)}
    await repository.change(session, row.id, body=body, status=WAITING)
    await queue.enqueue(session, SEND_JOB, {"completion_id": str(row.id)})


async def secret_of(session: WriteSession, secrets: SecretBox) -> str:
    """The tenant's, made on first use."""
    found = await repository.find_secret(session)
    if found is None:
        values = {"sealed_secret": secrets.seal(make_secret()), "created_at": clock.now()}
        await repository.add_secret(session, values)
        found = await repository.find_secret(session)
    assert found is not None
    return secrets.open(found)


async def attempt(runtime: Runtime, tenant_id: TenantId, completion_id: UUID, *, is_last: bool) -> None:
    """One attempt, with what came of it. The receiver knows a second one by its id. Raises what stands in the way."""
    async with runtime.database.writing(tenant_id) as session:
        row = await repository.find(session, completion_id=completion_id)
        if row is None or row.status != WAITING:
            return
        await repository.change(session, completion_id, attempts=row.attempts + 1)
        secret = await secret_of(session, runtime.secrets)
    try:
        await _post(runtime, runtime.secrets.open(row.sealed_url), secret, row.id, row.body)
    except (ConnectorOutcome, DomainError) as error:
        is_over = is_last or not isinstance(error, Retriable)
        await _note(runtime, tenant_id, completion_id, status=FAILED if is_over else WAITING, sentence=error.sentence)
        raise
    await _note(runtime, tenant_id, completion_id, status=SENT, sentence=None, sent_at=clock.now())


async def _post(runtime: Runtime, url: str, secret: str, message: UUID, body: Mapping[str, Any]) -> None:
    content = json.dumps(body, ensure_ascii=False).encode()
    signed = signed_headers(secret, f"msg_{message.hex}", int(clock.now().timestamp()), content)
    call = Call("completion", url, headers={"Content-Type": "application/json", **signed}, content=content)
    host = urlsplit(url).hostname or ""
    client = HttpClient(
        host,
        breaker=PROCESS.breaker(f"completion:{host}"),
        timeouts=Timeouts(),
        transport=GuardedTransport(runtime.guard),
        hooks=PROCESS.hooks,
    )
    async with client:
        await client.attempt(call, _judge)


def _judge(response: httpx.Response) -> None:
    if not response.is_success:
        raise _ANSWERS.outcome(response.status_code, wait=retry_after(response))


async def _note(runtime: Runtime, tenant_id: TenantId, completion_id: UUID, **values: Any) -> None:
    async with runtime.database.writing(tenant_id) as session:
        await repository.change(session, completion_id, **values)


async def list_latest(session: Session, *, limit: int) -> Sequence[Completion]:
    return [
        Completion(row.id, row.run_id, row.host, row.status, row.attempts, row.sentence, row.created_at, row.sent_at)
        for row in await repository.list_latest(session, limit)
    ]
