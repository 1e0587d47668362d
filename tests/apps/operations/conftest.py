"""Receivers on real sockets: a webhook's, Slack's double, and a mail server in a process of its own."""

from __future__ import annotations

import asyncio
import email
import json
import socket
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncline.apps.operations.app import APP
from syncline.apps.operations.contract import Notifications
from syncline.apps.operations.facade import LocalNotifications, build
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.connect.guard import allowing
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs.testing import FakeJobQueue, eventually
from syncline.runtime.mail import SmtpMailer, parse_smtp_url
from syncline.runtime.secrets import SecretBox
from syncline.sandbox.server import running
from syncline.sandbox.slack.app import Workspace, create_app


@dataclass
class Receiver:
    """A webhook's other side. `answers` are given one by one, then 204."""

    url: str = ""
    answers: deque[int] = field(default_factory=deque)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.taken]


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
async def receiver(stack: AsyncExitStack) -> Receiver:
    made = Receiver()

    async def take(request: Request) -> Response:
        made.taken.append((dict(request.headers), await request.body()))
        status = made.answers.popleft() if made.answers else 204
        return Response(status_code=status, headers={"Retry-After": "7"} if status == 429 else {})

    web = Starlette(routes=[Route("/hook", take, methods=["POST"])])
    made.url = f"{await stack.enter_async_context(running(web))}/hook"
    return made


@dataclass
class SlackSide:
    url: str
    workspace: Workspace


@pytest.fixture
async def slack(stack: AsyncExitStack) -> SlackSide:
    workspace = Workspace()
    url = await stack.enter_async_context(running(create_app(workspace)))
    return SlackSide(f"{url}/services/T0001/B0001/XYZ", workspace)


@dataclass(frozen=True)
class MailServer:
    port: int
    folder: Path

    def read(self) -> list[EmailMessage]:
        found = []
        for path in sorted((self.folder / "new").iterdir()):
            message = email.message_from_bytes(path.read_bytes(), policy=default)
            assert isinstance(message, EmailMessage)
            found.append(message)
        return found


@pytest.fixture
async def _mail_process(tmp_path: Path) -> AsyncIterator[MailServer]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    folder = tmp_path / "mailbox"
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}"]
    process = await asyncio.create_subprocess_exec(*command, "-c", "aiosmtpd.handlers.Mailbox", str(folder))
    await eventually(lambda: _listens(port))
    yield MailServer(port, folder)
    process.terminate()
    await process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def mail_server(_mail_process: MailServer, runtime: Runtime) -> MailServer:
    """Set in the runtime."""
    url = parse_smtp_url(f"smtp://127.0.0.1:{_mail_process.port}")
    runtime.mailer = SmtpMailer(url, sender="Syncline <syncline@example.com>")
    return _mail_process


@pytest.fixture
def queue() -> FakeJobQueue:
    return FakeJobQueue(APP.jobs)


@pytest.fixture
def runtime(shared_database: Database, queue: FakeJobQueue) -> Runtime:
    """The operator allows addresses of this machine."""
    made = Runtime(
        database=shared_database,
        queue=queue,
        secrets=SecretBox([Fernet.generate_key().decode()]),
        settings={"operations": APP.settings()},
        guard=allowing(["127.0.0.0/8"]),
    )
    made.contracts[Notifications] = build(made)
    return made


@pytest.fixture
def notifications(runtime: Runtime) -> LocalNotifications:
    return build(runtime)


@pytest.fixture
def owner(tenant_id: TenantId) -> Actor:
    return Actor(tenant_id, "ann", "owner")


@pytest.fixture
def stranger(other_tenant_id: TenantId) -> Actor:
    return Actor(other_tenant_id, "sam", "owner")
